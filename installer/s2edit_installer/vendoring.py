"""The files of each plug-in as an editor gets them: its own, and the wire's copied to the byte."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import s2edit_wire

HERE = Path(__file__).resolve().parent
_LEFT_OUT = frozenset({"__pycache__"})
_LEFT_OUT_OF_WIRE = frozenset({"document.py", "programs.py"})
"""Of no use in an editor: the protocol's documentation printed, the commands of our own Python."""


@dataclass(frozen=True)
class File:
    """One file to install.

    Args:
        content: its bytes. executable: whether its executable bits are set, as GIMP asks of plug-ins.
    """

    content: bytes
    executable: bool = False


def sources() -> Path:
    """The folder with `gimp_plugin` and `krita_plugin`: the checkout, or this package's copy in a wheel."""
    checkout = HERE.parent.parent
    return checkout if (checkout / "gimp_plugin").is_dir() else HERE / "plugins"


def plugin_files(host: str, checkout: Path | None = None) -> dict[str, File]:
    """Files of the plug-in by path, relative to the folder that `targets.Target.folder` is.

    Args:
        host: `gimp` or `krita`.
        checkout: whose; this installation's own when None.
    """
    root = checkout or sources()
    wire = checkout / "server" / "s2edit_wire" if checkout else Path(s2edit_wire.__file__).parent
    return _gimp_files(root, wire) if host == "gimp" else _krita_files(root, wire)


def _gimp_files(root: Path, wire: Path) -> dict[str, File]:
    files = _tree(root / "gimp_plugin" / "s2edit", "s2edit")
    # GIMP starts the file that is named like its folder, and only when it is executable.
    entry = files["s2edit/s2edit.py"]
    return {**files, "s2edit/s2edit.py": File(entry.content, executable=True), **_wire(wire, "s2edit/s2edit_wire")}


def _krita_files(root: Path, wire: Path) -> dict[str, File]:
    root = root / "krita_plugin"
    files = _tree(root / "s2edit_krita", "pykrita/s2edit_krita")
    files["pykrita/s2edit_krita.desktop"] = File((root / "s2edit_krita.desktop").read_bytes())
    files["actions/s2edit_krita.action"] = File((root / "s2edit_krita.action").read_bytes())
    return {**files, **_wire(wire, "pykrita/s2edit_krita/s2edit_wire")}


def _wire(wire: Path, to: str) -> dict[str, File]:
    files = _tree(wire, to)
    return {path: file for path, file in files.items() if path.rsplit("/", 1)[-1] not in _LEFT_OUT_OF_WIRE}


def _tree(folder: Path, to: str) -> dict[str, File]:
    files = {}
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.is_file() and not _LEFT_OUT & set(relative.parts) and path.suffix != ".pyc":
            files[f"{to}/{relative.as_posix()}"] = File(path.read_bytes())
    return files
