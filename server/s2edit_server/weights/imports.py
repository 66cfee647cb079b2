"""The user's own weights, used where they lie: `imports.json` in the weights folder names them.

The file is written by the user or by the tray, on this machine, and read at every `rescan`; a path never comes over the
wire. It holds `{"paths": ["/abs/path/of/model.safetensors", "/abs/path/of/a/diffusers-folder"]}`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from .atomic import read_json
from .catalogue import Entry

FILE = "imports.json"
MAX_IMPORTS = 32
"""All models are told in one header."""
CLIP_NATIVE = 512
"""Pixels that a single file is taken to be trained at: those in use hold models of the Stable Diffusion 1 family."""
_UNKNOWN_MEMORY = 14_500_000_000


@dataclass(frozen=True)
class Import:
    """One line of the user's list: the entry made of it, where it is, and what is wrong with it ("" for nothing)."""

    entry: Entry
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
    native, fault = CLIP_NATIVE, ""
    if not path.is_absolute():
        fault = "its path in imports.json must be absolute"
    elif path.is_dir():
        native, fault = _look_at_folder(path)
    elif not path.is_file():
        fault = "it is not there"
    elif path.suffix != ".safetensors":
        fault = "only .safetensors files and diffusers folders can be used; other formats can run foreign code"
    entry = Entry(
        id=name,
        title="".join(character if character.isprintable() else "\ufffd" for character in stem)[:200],
        purpose="Your own weights, used where they lie.",
        role="editor",
        domain="any",
        native=native,
        memory=_UNKNOWN_MEMORY,
        licence="your own",
    )
    return Import(entry, path, fault)


def _look_at_folder(folder: Path) -> tuple[int, str]:
    """(native size, fault) of a diffusers folder."""
    try:
        unet, vae = (read_json(folder / part / "config.json") for part in ("unet", "vae"))
        native = int(unet["sample_size"]) * 2 ** (len(vae["block_out_channels"]) - 1)
    except (ValueError, KeyError, TypeError, OverflowError):
        return (
            CLIP_NATIVE,
            "it is no diffusers folder with a Stable Diffusion 1 model (unet/ and vae/ with config.json)",
        )
    return min(max(native, 1), 4_096), ""
