"""The user's own weights, used where they lie: `imports.json` in the weights folder names them.

The file is written by the user or by the tray, on this machine, and read at every `rescan`; a path never comes over the
wire. It holds `{"paths": ["/abs/path/of/model.safetensors", "/abs/path/of/a/diffusers-folder"]}`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from s2edit.model.families import FAMILIES, SD1, Family, family_of, native_of
from s2edit.model.instructed import Instructed, instructed_of

from .atomic import read_json
from .catalogue import CatalogueEntry

FILE = "imports.json"
MAX_IMPORTS = 32
"""All models are told in one header."""


@dataclass(frozen=True)
class Import:
    """One line of the user's list: the entry made of it, where it is, and what is wrong with it ("" for nothing)."""

    entry: CatalogueEntry
    path: Path
    fault: str = ""


def read(weights: Path) -> list[Import]:
    """The imports of the list, in its order, at most MAX_IMPORTS; a damaged list is treated as empty."""
    listed = read_json(weights / FILE).get("paths")
    paths = [Path(path) for path in listed if isinstance(path, str)] if isinstance(listed, list) else []
    imports: dict[str, Import] = {}
    for path in paths[:MAX_IMPORTS]:
        made = _import(path, set(imports))
        imports[made.entry.id] = made
    return list(imports.values())


def _import(path: Path, taken: set[str]) -> Import:
    stem = path.name if path.is_dir() else path.stem
    base = "import-" + (re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-") or "model")[:60]
    name = next(name for name in (base, *(f"{base}-{n}" for n in range(2, 1_000))) if name not in taken)
    family: Family | Instructed = SD1
    native, fault = SD1.native, ""
    if not path.is_absolute():
        fault = "its path in imports.json must be absolute"
    elif path.is_dir():
        family, native, fault = _look_at_folder(path)
    elif not path.is_file():
        fault = "it is not there"
    elif path.suffix != ".safetensors":
        fault = "only .safetensors files and diffusers folders can be used; other formats can run foreign code"
    else:
        # What tells nothing may still be a model: the worker says what is wrong with it.
        family = family_of(path) or SD1
        native = family.native
    entry = CatalogueEntry(
        id=name,
        title="".join(character if character.isprintable() else "\ufffd" for character in stem)[:200],
        purpose="Your own weights, used where they lie.",
        role="editor",
        domain="any",
        native=native,
        memory=family.memory.get("full", max(family.memory.values())),
        levels=family.memory,
        family=family.key,
        licence="your own",
    )
    return Import(entry, path, fault)


def _look_at_folder(folder: Path) -> tuple[Family | Instructed, int, str]:
    """(family, native size, fault) of a diffusers folder."""
    kind = instructed_of(folder)
    if kind is not None:
        return kind, kind.native, ""
    family, native = family_of(folder), native_of(folder)
    if native is None:
        native, family = SD1.native, None
    if family is None:
        known = " or ".join(one.title for one in FAMILIES.values())
        return (
            SD1,
            native,
            f"it is no diffusers folder with a {known} model (unet/ or transformer/, and vae/, with config.json)",
        )
    return family, min(max(native, 1), 4_096), ""
