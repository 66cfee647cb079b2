"""The models that S²Edit knows, as data: `catalogue.json`, checked when it is read."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from s2edit_wire.plain_files import read_plain

from .confined import REPOSITORY, is_file_name, is_id

Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
LOG = logging.getLogger(__name__)
FILE = "catalogue.json"
COMMIT = re.compile("[0-9a-f]{40}")
MAX_CATALOGUE = 2**20
"""Bytes of a catalogue; that of S²Edit has a hundredth of it."""


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a model.

    Args:
        name: path inside the repository and inside the model's folder, with "/".
        size: bytes, when known for certain.
        sha256: digest, when known for certain; else the hub's own metadata for the pinned revision decides at the
            first download, and is recorded.
        about: bytes, roughly, for showing; used where `size` isn't known.
    """

    name: str
    size: int = 0
    sha256: Sha256 | None = None
    about: int = 0

    @property
    def expected_size(self) -> int:
        """Bytes, exact where known."""
        return self.size or self.about


class CatalogueEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One model; the fields that `s2edit_wire.records.MODEL` has too mean the same here.

    Args:
        repo, revision: on the model hub; the revision is a commit, never a branch: a branch can change overnight.
        also: other repositories whose cached copies hold the same files.
        files: everything that is needed, nothing else is fetched.
        base, decoder: ids of an editor and a decoder that this entry is a combination of, with no files of its own.
        ask_licence: whether the licence restricts use, so that it has to be accepted before the download.
        memory: bytes on the device that a full edit takes; left out, it is counted for the family's published model.
        family: of an editor, a key of `s2edit.model.instructed.kinds`.
        levels: bytes by level of learning (see `Family.memory`), empty where `memory` was given.
    """

    id: str
    title: str
    purpose: str
    role: Literal["editor", "captioner", "decoder", "upscaler", "metric"]
    domain: Literal["cartoon", "photo", "any"]
    native: int
    licence: str
    memory: int = 0
    licence_url: str = ""
    family: Literal["sd1", "sdxl", "klein", "z-image", "klein-edit"] = "sd1"
    levels: dict[str, int] = {}
    ask_licence: bool = False
    gated: bool = False
    embedded: bool = False
    base: str = ""
    decoder: str = ""
    repo: str = ""
    also: tuple[str, ...] = ()
    revision: str = ""
    files: tuple[File, ...] = ()
    examples: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise ValueError for a model that is no editor and does not say its memory: nobody counts it."""
        if self.role != "editor" and not self.memory:
            raise ValueError(f"{self.id}: a {self.role} has to say its memory")

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.expected_size for file in self.files)

    def counted(self, levels: Mapping[str, int]) -> CatalogueEntry:
        """With the figures of its family, where it has none of its own."""
        if self.memory:
            return self
        return msgspec.structs.replace(self, memory=levels.get("full", max(levels.values())), levels=dict(levels))

    def needs(self, level: str) -> int:
        """Bytes on the device of an edit at a level of learning, the most there is where that isn't known."""
        return self.levels.get(level, self.memory)


class _Catalogue(msgspec.Struct, forbid_unknown_fields=True):
    models: tuple[CatalogueEntry, ...]


def read(text: bytes) -> dict[str, CatalogueEntry]:
    """The entries of a catalogue by id; raises ValueError for one that breaks a rule."""
    entries = msgspec.json.decode(text, type=_Catalogue).models
    by_id = {entry.id: entry for entry in entries}
    if len(by_id) != len(entries):
        raise ValueError("an id is used twice")
    for entry in entries:
        _check(entry, by_id)
    return by_id


def _check(entry: CatalogueEntry, by_id: Mapping[str, CatalogueEntry]) -> None:
    """Raise ValueError for an entry that breaks a rule: ids and names become paths, so they have to look like names."""
    if not is_id(entry.id):
        raise ValueError(f"{entry.id[:80]!r} is no id: small letters and digits, joined by single hyphens")
    if entry.base:
        parts = [by_id[entry.base], by_id[entry.decoder]]
        if entry.files or [part.role for part in parts] != ["editor", "decoder"] or any(part.base for part in parts):
            raise ValueError(f"{entry.id}: a combination is of an editor and a decoder, and has no files")
        return
    if entry.embedded:
        return
    if not COMMIT.fullmatch(entry.revision):
        raise ValueError(f"{entry.id}: the revision must be a commit of 40 hexadecimal digits")
    for repository in (entry.repo, *entry.also):
        if not REPOSITORY.match(repository):
            raise ValueError(f"{entry.id}: {repository[:80]!r} is no repository")
    for file in entry.files:
        if not is_file_name(file.name):
            raise ValueError(f"{entry.id}: {file.name[:80]!r} is no relative path of a safetensors or text file")


@cache
def load() -> dict[str, CatalogueEntry]:
    """S²Edit's own catalogue."""
    return read(resources.files(__package__).joinpath(FILE).read_bytes())


def load_own(weights: Path) -> dict[str, CatalogueEntry]:
    """The user's additions, or their employer's: a `catalogue.json` of the same form in the weights folder.

    One that breaks a rule, also together with S²Edit's own, is left out as a whole, and the log says why.
    """
    try:
        found = read(read_plain(weights / FILE, MAX_CATALOGUE))
        together = load() | found
        for entry in together.values():
            _check(entry, together)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, RecursionError) as error:
        LOG.warning("the catalogue in the weights folder is left out: %s", error)
        return {}
    return found
