"""Presets: the user's own named settings, kept once for both editors, on this computer, whichever the daemon is on.

Each is a file of its own in the state folder, replaced in one step: two editors that save at once lose nothing, and a
damaged file costs no other one. Names are people's text, so files are called by its digest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from s2edit_wire.errors import Unreachable, WireError
from s2edit_wire.paths import state_folder
from s2edit_wire.private_files import read_private_json, write_private_json

from .rows import Question
from .text import _
from .wish import Wish, one_sentence

LONGEST_NAME = 60
MOST = 100
LARGEST = 65_536
"""Bytes of a preset's file."""


@dataclass(frozen=True)
class Preset:
    """Named settings.

    Args:
        name: the user's own text. wish: has only a model ("" for the default one), a profile and settings.
    """

    name: str
    wish: Wish

    def onto(self, wish: Wish) -> Wish:
        """The wish with these settings in place of all of its own; its words and seed stay."""
        return replace(wish, model=self.wish.model, profile=self.wish.profile, settings=self.wish.settings)


class Presets:
    """All of a user's presets.

    Args:
        folder: where they are kept, None for the usual place.

    Attributes:
        damaged: names of files that can't be read: they are left alone, and told of.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self.damaged: list[str] = []

    def all(self) -> list[Preset]:
        """By their names, whatever the case; raises WireError when there is no folder to keep them in."""
        found, self.damaged = [], []
        for file in sorted(self._place().glob("*.json"))[: 2 * MOST]:
            try:
                preset = self._read(file)
            except FileNotFoundError:
                continue  # deleted by the other editor
            except (Unreachable, OSError, KeyError):
                preset = None
            if preset is None:
                self.damaged.append(file.name)
            else:
                found.append(preset)
        return sorted(found, key=lambda preset: (preset.name.casefold(), preset.name))

    def _read(self, file: Path) -> Preset | None:
        held = read_private_json(file, LARGEST, secret=False)
        wish, name = Wish.from_note(str(held["wish"])), name_of(str(held["name"]))
        return None if wish is None or self._file(name) != file else Preset(name, _settings(wish))

    @property
    def trouble(self) -> str:
        """What is to be said of damaged files, "" without any; as `all` has found them."""
        names = ", ".join(self.damaged)
        return _("A preset can't be read and was left alone: {files}. Delete the file.", files=names) if names else ""

    def save(self, name: str, wish: Wish) -> Preset:
        """Keep a wish's model, profile and settings; those that had this name are replaced.

        Raises WireError when there are too many, or when it can't be written.
        """
        preset, known = Preset(name_of(name), _settings(wish)), self.all()
        if not preset.name:
            raise WireError("bad_request", _("A preset needs a name."))
        if len(known) >= MOST and all(one.name != preset.name for one in known):
            raise WireError(
                "too_large", _("There are {count} presets, and no more are kept.", count=MOST), _("Delete one.")
            )
        try:
            write_private_json(self._file(preset.name), {"name": preset.name, "wish": preset.wish.noted()})
        except OSError as error:
            told = _("The preset could not be saved: {reason}", reason=error.strerror or str(error))
            raise WireError("disk_full", told) from error
        return preset

    def delete(self, name: str) -> None:
        """Forget one; harmless when it is gone. Raises WireError when it can't be deleted."""
        try:
            self._file(name).unlink(missing_ok=True)
        except OSError as error:
            told = _("The preset could not be deleted: {reason}", reason=error.strerror or str(error))
            raise WireError("internal", told) from error

    def before_saving(self, name: str) -> Question | None:
        """What to ask where a preset would be lost; None where none has this name."""
        if not any(one.name == name_of(name) for one in self.all()):
            return None
        asked = _("There is a preset “{name}” already. Replace it?", name=name_of(name))
        return Question(asked, _("Its settings would be lost."), _("Replace"), _("Keep"))

    def before_deleting(self, name: str) -> Question:
        """What to ask first."""
        return Question(
            _("Delete the preset “{name}”?", name=name), _("Its settings would be lost."), _("Delete"), _("Keep")
        )

    def _place(self) -> Path:
        if self._folder is not None:
            return self._folder
        try:
            return state_folder() / "presets"
        except Unreachable as error:
            raise error.as_wire_error() from error

    def _file(self, name: str) -> Path:
        return self._place() / f"{sha256(name.encode('utf-8', 'replace')).hexdigest()[:32]}.json"


def name_of(typed: str) -> str:
    """A name as it is kept: one line, of what can be seen, not too long."""
    return one_sentence("".join(one for one in one_sentence(typed) if one.isprintable()))[:LONGEST_NAME].strip()


def _settings(wish: Wish) -> Wish:
    return Wish(model=wish.model, profile=wish.profile, settings=wish.settings)
