"""Where a model's files lie: with S²Edit itself, in its own weights folder, or in a Hugging Face cache."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

from s2edit_wire.paths import home_folder, named_folder

from . import tensor_files
from .atomic import read_json, write_json
from .catalogue import CatalogueEntry, File

PORTRAITS_VARIABLE = "S2EDIT_PORTRAITS"
"""A developer's switch: a checkpoint folder to use in place of the embedded one."""
FETCHED = "fetched.json"
"""In a model's own folder: what each downloaded file was when it was verified."""
MAX_ENTRIES = 1_000
"""Entries of one folder that are looked at."""
MAX_TEXT = 32 * 2**20
"""Bytes of a configuration or vocabulary; the largest tokenizers in use have half of it."""
_READ = frozenset({".safetensors", ".json", ".txt"})


@dataclass(frozen=True)
class ModelFiles:
    """A model's files.

    Args:
        path: folder, or single file.
        kind: `embedded`, `own` (downloaded by S²Edit), `cache` or `imported`.
    """

    path: Path
    kind: str


def embedded_folder() -> Path:
    """Where the embedded checkpoint is or would be; found without importing the method."""
    override = os.environ.get(PORTRAITS_VARIABLE)
    if override:
        return Path(override)
    spec = find_spec("s2edit")
    locations = list(spec.submodule_search_locations or ()) if spec else []
    return Path(locations[0] if locations else "s2edit") / "model" / "portraits"


def own_folder(weights: Path, entry: CatalogueEntry) -> Path:
    """The folder that S²Edit downloads the entry's pinned revision to."""
    return weights / entry.id / entry.revision[:12]


def hub_caches(environment: Mapping[str, str] = os.environ) -> list[Path]:
    """Folders that Hugging Face's own tools keep files in.

    Source: https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables
    """
    if (named := named_folder("HF_HUB_CACHE", environment)) is not None:
        return [named]
    return [home / "hub" for home in hub_homes(environment)]


def hub_homes(environment: Mapping[str, str] = os.environ) -> list[Path]:
    """The folder in which Hugging Face's own tools keep all that is theirs; none for a user without a home."""
    if (named := named_folder("HF_HOME", environment)) is not None:
        return [named]
    try:
        caches = named_folder("XDG_CACHE_HOME", environment) or home_folder(environment) / ".cache"
    except RuntimeError:
        return []
    return [caches / "huggingface"]


def fetched(folder: Path) -> dict[str, dict[str, object]]:
    """The record of verified files in a model's own folder, by name."""
    return {name: facts for name, facts in read_json(folder / FETCHED).items() if isinstance(facts, dict)}


def note_fetched(folder: Path, name: str, facts: Mapping[str, object]) -> None:
    """Record a file that has just been verified."""
    write_json(folder / FETCHED, fetched(folder) | {name: dict(facts)})


def forget_fetched(folder: Path, name: str) -> None:
    """Take a file off the record."""
    known = fetched(folder)
    if known.pop(name, None) is not None:
        write_json(folder / FETCHED, known)


def cached_snapshots(entry: CatalogueEntry, caches: list[Path]) -> Iterator[Path]:
    """Complete copies of the entry in Hugging Face caches: the pinned revision, or one with the very same weights."""
    for cache in caches:
        for repo in (entry.repo, *entry.also):
            snapshots = cache / ("models--" + repo.replace("/", "--")) / "snapshots"
            try:
                found = sorted(snapshots.iterdir(), key=lambda path: path.name != entry.revision)
            except OSError:
                continue
            for snapshot in found:
                pinned = snapshot.name == entry.revision
                if all(_cached(snapshot / file.name, file, pinned=pinned) for file in entry.files):
                    yield snapshot


def _cached(path: Path, file: File, *, pinned: bool) -> bool:
    """Whether this cached file will do. The cache names blobs by their digest, so another revision can be compared."""
    if not path.is_file():
        return False
    if pinned or not file.name.endswith(".safetensors"):
        return file.size in (0, path.stat().st_size)
    return file.sha256 is not None and path.resolve().name == file.sha256


def read_by_loaders(path: Path) -> list[Path]:
    """The files of a checkpoint that anything ever opens: a single file, or those in a folder and its folders.

    No deeper, and not without end: a folder of the user's own may hold, or link to, much else.
    """
    if not path.is_dir():
        return [path]
    parts = [path, *(part for part in islice(path.iterdir(), MAX_ENTRIES) if part.is_dir())]
    files = [file for part in parts for file in islice(part.iterdir(), MAX_ENTRIES) if file.suffix in _READ]
    return sorted(files)


def folder_bytes(path: Path) -> int:
    """Bytes of a file, or of a checkpoint folder's files."""
    return sum(file.stat().st_size for file in read_by_loaders(path) if file.is_file())


class HeaderChecks:
    """Remembers which weight files were looked over, so that each is read again only after it changed."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int, int], str] = {}

    def fault(self, path: Path) -> str:
        """What is wrong with a file, or "": of a `.safetensors` the header is read, any other is only looked at."""
        try:
            found = path.stat()
            if path.suffix != ".safetensors":
                return _text_fault(found)
            key = (str(path), found.st_size, found.st_mtime_ns)
            if key not in self._known:
                self._known[key] = _header_fault(path)
            return self._known[key]
        except OSError as error:
            return f"it can't be read ({error.strerror})"

    def folder_fault(self, folder: Path) -> str:
        """The first fault among a checkpoint's weight files, naming the file, or ""."""
        try:
            files = read_by_loaders(folder)
        except OSError as error:
            return f"it can't be read ({error.strerror})"
        if not any(file.suffix == ".safetensors" for file in files):
            return "there is no .safetensors file in it"
        for file in files:
            fault = self.fault(file)
            if fault:
                return f"{file.relative_to(folder) if file != folder else file.name}: {fault}"
        return ""


def _text_fault(found: os.stat_result) -> str:
    if not stat.S_ISREG(found.st_mode):
        return "it is no plain file"
    return f"it is larger than {MAX_TEXT >> 20} MiB" if found.st_size > MAX_TEXT else ""


def _header_fault(path: Path) -> str:
    try:
        tensor_files.check(path)
    except tensor_files.BadTensorFile as error:
        return str(error)
    return ""
