"""What a document remembers of its edits, where an editor keeps named pieces of data with it, as Krita's annotations.

One piece holds the register (`register`), one per applied edit its recipe, one per edit a small picture, one each of
the notes that the editors' one mind keeps, and one the mark that says that a model had a hand in it (`marked`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any, Protocol
from uuid import uuid4

from s2edit_wire.recipe import NAME as RECIPE

from .marked import due
from .notes import recipe_in
from .register import Register

_REGISTER, _MARK = "s2edit", "s2edit-marks"


class Drawer(Protocol):
    """The named pieces of one document, which are saved with it."""

    def get(self, name: str) -> bytes:
        """A piece; b"" when there is none."""

    def put(self, name: str, title: str, data: bytes) -> None:
        """Keep one, in place of an older one; the document counts as changed then."""

    def remove(self, name: str) -> None:
        """Keep one no longer."""


class Kept:
    """What is kept of one document.

    Args:
        drawer: where.
    """

    def __init__(self, drawer: Drawer) -> None:
        self._drawer = drawer

    def register(self) -> Register:
        """The register; an empty one when there is none or it can't be read."""
        return Register.from_bytes(self._drawer.get(_REGISTER))

    def store(self, register: Register) -> None:
        """Keep the register."""
        self._put(_REGISTER, register.to_bytes())

    def identity(self) -> str:
        """The document's own mark (32 hexadecimal digits), made at first use and saved with it."""
        register = self.register()
        if not register.document:
            register.document = uuid4().hex
            self.store(register)
        return register.document

    def note(self, name: str, layer: str = "") -> str:
        """A text that is kept with the document, or with a result of it; "" when there is none."""
        return self._drawer.get(self._key(name, layer)).decode("utf-8", "replace")

    def keep(self, name: str, text: str, layer: str = "") -> None:
        """Keep such a text; "" removes it."""
        key = self._key(name, layer)
        if text:
            self._put(key, text.encode())
        elif self._drawer.get(key):
            self._drawer.remove(key)

    def keep_picture(self, job: str, png: bytes) -> None:
        """Keep a small picture (PNG) of a job's result."""
        self._put(_picture(job), png, "S²Edit thumbnail")

    def picture(self, job: str) -> bytes:
        """The small picture of a job's result (PNG), or b""."""
        return self._drawer.get(_picture(job))

    def forgotten(self, known: Collection[str]) -> dict[str, dict[str, Any]]:
        """Edits of this document that the daemon has forgotten, as jobs by their ids, newest first; recipes tell them.

        Args:
            known: ids of the jobs that it has not.
        """
        found = {}
        for job, layer in reversed(self.register().applied.items()):
            recipe = None if job in known else recipe_in(self.note(RECIPE, layer))
            if recipe is not None:
                found[job] = {"job": job, "state": "done", "edit": recipe.edit, "created": recipe.when}
        return found

    # The mark

    @property
    def is_marked(self) -> bool:
        """Whether the document says that a model had a hand in it."""
        return bool(self._drawer.get(_MARK))

    def say_model(self, pictures: Callable[[], Iterable[str]], result: str, packet: Callable[[], bytes]) -> None:
        """Have the document say so from its first result on, and note which layers were there before.

        Args:
            pictures: tells the marks of the layers that hold pixels. result: the result's.
            packet: makes the mark, a packet of XMP.
        """
        if not self.is_marked:
            register = self.register()
            register.unedited = sorted(set(pictures()) - set(register.masks) - {result})
            self.store(register)
            self._put(_MARK, packet(), "XMP")

    def settle(self, pictures: Callable[[], Iterable[str]], packet: Callable[[], bytes]) -> None:
        """Take the mark back when nothing of a result is left, and put it there again when an undo brings one back."""
        register = self.register()
        if not register.unedited:
            return
        wanted = due(register.unedited, set(pictures()) - set(register.masks), marked=self.is_marked)
        if wanted:
            self._put(_MARK, packet(), "XMP")
        elif wanted is False:
            self._drawer.remove(_MARK)

    def _key(self, name: str, layer: str) -> str:
        """What is kept with a result goes by its job, as its layer may be undone and made anew."""
        if not layer:
            return name
        return f"{_REGISTER}-{self.register().job_of(layer) or layer}-{name.removeprefix('s2edit-')}"

    def _put(self, name: str, data: bytes, title: str = "S²Edit") -> None:
        self._drawer.put(name, title, data)


def _picture(job: str) -> str:
    return f"{_REGISTER}-{job}-picture"
