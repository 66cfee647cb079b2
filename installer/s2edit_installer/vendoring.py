"""The files of each plug-in as an editor gets them: its own, and the shared packages copied to the byte."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import s2edit_editor
import s2edit_marks
import s2edit_wire

HERE = Path(__file__).resolve().parent
_LEFT_OUT = frozenset({"__pycache__"})
_OF_NO_USE = ("s2edit_wire/conversation.txt", "s2edit_wire/document.py", "s2edit_wire/programs.py")
"""In an editor: the protocol's documentation printed, the commands of our own Python."""
SHARED = (s2edit_wire, s2edit_editor, s2edit_marks)
"""The packages that every plug-in gets a copy of."""
BESIDE = {"gimp": "s2edit", "krita": "pykrita/s2edit_krita/vendored"}
"""Where the copies go: a folder that is on `sys.path` in that editor. Krita's importer takes only what is in the
plug-in's own folder, and no other plug-in shall find that folder's modules by their bare names."""


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
    files = _gimp_files(root) if host == "gimp" else _krita_files(root)
    for package in SHARED:
        name = package.__name__
        source = checkout / "server" / name if checkout else Path(str(package.__file__)).parent
        copied = _tree(source, f"{BESIDE[host]}/{name}")
        files |= {path: file for path, file in copied.items() if _is_used(name, path)}
    return files


def _is_used(package: str, path: str) -> bool:
    """Whether a plug-in has a use for a file of a shared package; of the marks, it writes packets."""
    if package == s2edit_marks.__name__:
        return path.rpartition("/")[2] in s2edit_marks.VENDORED
    return not path.endswith(_OF_NO_USE)


def _gimp_files(root: Path) -> dict[str, File]:
    files = _tree(root / "gimp_plugin" / "s2edit", "s2edit")
    # GIMP starts the file that is named like its folder, and only when it is executable.
    entry = files["s2edit/s2edit.py"]
    return {**files, "s2edit/s2edit.py": File(entry.content, executable=True)}


def _krita_files(root: Path) -> dict[str, File]:
    root = root / "krita_plugin"
    files = _tree(root / "s2edit_krita", "pykrita/s2edit_krita")
    files["pykrita/s2edit_krita.desktop"] = File((root / "s2edit_krita.desktop").read_bytes())
    files["actions/s2edit_krita.action"] = File((root / "s2edit_krita.action").read_bytes())
    return files


def write_plugin(host: str, folder: Path, checkout: Path | None = None) -> None:
    """Write the plug-in's files into a folder as `plugin_files` has them, such as for a test."""
    for path, file in plugin_files(host, checkout).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.content)
        if file.executable:
            target.chmod(0o755)


def _tree(folder: Path, to: str) -> dict[str, File]:
    files = {}
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.is_file() and not _LEFT_OUT & set(relative.parts) and path.suffix != ".pyc":
            files[f"{to}/{relative.as_posix()}"] = File(path.read_bytes())
    return files
