"""Reads weights through and says which files are not what they should be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from . import tensor_files
from .catalogue import CatalogueEntry
from .download import verify
from .hub import Facts
from .places import fetched, read_by_loaders


def damaged_files(
    entry: CatalogueEntry, folder: Path | None, *, own: bool, stop: Callable[[], bool] = lambda: False
) -> dict[str, str]:
    """What is wrong, by file name; {} when all is in order.

    Args:
        entry: the model.
        folder: where it is (a single file too); None when it is not here at all.
        own: whether S²Edit downloaded it, so that every file's digest is on record. Elsewhere the catalogue's digests
            are compared, and headers are looked over where it has none.
        stop: asked again and again; True raises `download.Paused`.
    """
    if folder is None:
        return {}
    known = fetched(folder) if own else {}
    facts = {file.name: Facts(file.size, file.sha256 or "") for file in entry.files if file.size and file.sha256}
    for name, record in known.items():
        facts[name] = Facts(
            int(str(record.get("size", 0))), str(record.get("sha256", "")), str(record.get("git_sha1", ""))
        )
    names = [file.name for file in entry.files]
    if not names:
        files = [file for file in read_by_loaders(folder) if file.suffix == ".safetensors"]
        return {file.name: fault for file in files if (fault := _header(file))}
    return {name: fault for name in names if (fault := _fault(folder / name, facts.get(name), stop, own=own))}


def _fault(path: Path, facts: Facts | None, stop: Callable[[], bool], *, own: bool) -> str:
    if not path.is_file():
        # What was never downloaded is missing, not damaged.
        return "it is missing" if facts is not None and own else ""
    try:
        if facts is not None:
            return verify(path, facts, stop)
    except OSError as error:
        return f"it can't be read ({error.strerror})"
    return _header(path) if path.suffix == ".safetensors" else ""


def _header(path: Path) -> str:
    try:
        tensor_files.check(path)
    except tensor_files.BadTensorFile as error:
        return str(error)
    except OSError as error:
        return f"it can't be read ({error.strerror})"
    return ""
