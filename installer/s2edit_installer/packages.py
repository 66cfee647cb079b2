"""Everything that is handed out, built by one command, the same to the bit each time: `python -m …packages OUT`.

A wheel and an sdist that carry the plug-ins and the model, a zip for Krita's plug-in importer, GIMP's folder, also as a
zip, and an extension for GIMP. Timestamps come from the last commit (SOURCE_DATE_EPOCH, reproducible-builds.org).
"""

from __future__ import annotations

import gzip
import io
import os
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from importlib.metadata import version
from pathlib import Path

from s2edit_wire.programs import run_python

from .manifest import digest
from .vendoring import File, plugin_files
from .words import Trouble, say

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDERS = ("s2edit", "server", "installer")
FILES = ("pyproject.toml", "README.md", "LICENSE")
GIMP_EXTENSION = "org.s2edit.GIMP"
"""The extension's id; the tray's is in `s2edit_tray.autostart`."""
_EARLIEST = 315_532_800
"""1980-01-01, the earliest time that a zip can say."""
_BUILD = "import sys, setuptools.build_meta as backend; getattr(backend, sys.argv[1])(sys.argv[2])"


def build(out: Path, root: Path = ROOT) -> list[Path]:
    """Build all packages into a folder; returns them.

    Args:
        out: made if need be; what has the same name there is replaced.
        root: the checkout.
    Raises:
        Trouble: this is no checkout, or a build failed.
    """
    if not (root / "pyproject.toml").exists() or not (root / "krita_plugin").exists():
        raise Trouble("Packages are built from a checkout of the repository. Run this there.")
    out.mkdir(parents=True, exist_ok=True)
    moment = _moment(root)
    with tempfile.TemporaryDirectory(prefix="s2edit-build-") as folder:
        built = _python_packages(root, Path(folder), moment)
        packages = [shutil.copy2(path, out / path.name) for path in built]
    krita = out / f"s2edit-krita-{version('s2edit')}.zip"
    _zip(krita, _for_importer(plugin_files("krita", root)), moment)
    gimp = out / f"s2edit-gimp-{version('s2edit')}"
    _folder(gimp, plugin_files("gimp", root))
    _zip(gimp.with_suffix(gimp.suffix + ".zip"), plugin_files("gimp", root), moment)
    zipped = gimp.with_suffix(gimp.suffix + ".zip")
    return [*(Path(path) for path in packages), krita, gimp, zipped, gimp_extension(out, root, moment)]


def _moment(root: Path) -> int:
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return max(int(given), _EARLIEST)
    command = ["git", "-C", str(root), "log", "-1", "--format=%ct"]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    return max(int(asked.stdout.strip() or 0), _EARLIEST)


def _python_packages(root: Path, folder: Path, moment: int) -> list[Path]:
    """The sdist and the wheel, built from a copy of the tree that has the plug-ins inside the installer's package."""
    stage, out = folder / "stage", folder / "out"
    leave_out = shutil.ignore_patterns("__pycache__", "*.pyc", "*.egg-info", ".*_cache")
    for name in FOLDERS:
        shutil.copytree(root / name, stage / name, ignore=leave_out)
    for name in FILES:
        shutil.copy2(root / name, stage / name)
    inside = stage / "installer" / "s2edit_installer" / "plugins"
    for name in ("gimp_plugin", "krita_plugin"):
        shutil.copytree(root / name, inside / name, ignore=leave_out)
    # setuptools takes package data that is no Python from here; the checkout's top level has no place for the file.
    (stage / "MANIFEST.in").write_text(
        "graft installer/s2edit_installer/plugins\ngraft s2edit/model\ngraft s2edit/research\n"
        "prune s2edit/research/starter/robots/weights\nprune s2edit/research/training\n"
        "graft server\nglobal-exclude *.pyc\n"
    )
    for path in stage.rglob("*"):
        path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
    out.mkdir()
    environment = dict(os.environ, SOURCE_DATE_EPOCH=str(moment))
    for kind in ("build_sdist", "build_wheel"):
        # A process each: the second build in one process finds the first one's leftovers.
        command = [*run_python(), "-c", _BUILD, kind, str(out)]
        built = subprocess.run(  # noqa: S603 - setuptools, on our own copy
            command, cwd=stage, env=environment, capture_output=True, text=True, check=False
        )
        if built.returncode:
            raise Trouble("setuptools could not build the packages:\n" + built.stderr[-2_000:])
    (sdist,) = out.glob("*.tar.gz")
    _normalise(sdist, moment)
    return sorted(out.iterdir())


def _normalise(sdist: Path, moment: int) -> None:
    """Take out of a tar.gz what differs from one build to the next: times, owners, order."""
    with tarfile.open(sdist) as archive:
        members = sorted(archive.getmembers(), key=lambda member: member.name)
        contents = [(member, archive.extractfile(member) if member.isfile() else None) for member in members]
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as clean:
            for member, content in contents:
                member.mtime, member.uid, member.gid, member.uname, member.gname = moment, 0, 0, "", ""
                member.pax_headers = {}
                clean.addfile(member, content)
    sdist.write_bytes(gzip.compress(packed.getvalue(), mtime=moment))


def _for_importer(files: dict[str, File]) -> dict[str, File]:
    """Krita's importer wants the module's folder and the two other files at the top of the zip."""
    return {path.split("/", 1)[1]: file for path, file in files.items()}


def gimp_extension(out: Path, root: Path, moment: int) -> Path:
    """The plug-in as a file that GIMP opens and its extension manager switches on.

    GIMP wants one folder named as the metadata's id, with the metadata in it (its app/core/gimpextension.c).

    Args:
        out: the folder to write it into. root: the checkout. moment: its files' time, s since 1970.
    """
    metadata = f"{GIMP_EXTENSION}.metainfo.xml"
    files = {metadata: File((root / "gimp_plugin" / metadata).read_bytes()), **plugin_files("gimp", root)}
    path = out / f"{GIMP_EXTENSION}-{version('s2edit')}.gex"
    _zip(path, {f"{GIMP_EXTENSION}/{name}": file for name, file in files.items()}, moment)
    return path


def _zip(path: Path, files: dict[str, File], moment: int) -> None:
    """A zip with an entry for each folder, without which Krita's importer does not see the module."""
    when = time.gmtime(moment)[:6]
    folders = sorted({parent.as_posix() for name in files for parent in Path(name).parents if parent.name})
    entries: list[tuple[str, bytes, int]] = [(f"{folder}/", b"", 0o40755) for folder in folders]
    entries += [(name, file.content, 0o100755 if file.executable else 0o100644) for name, file in files.items()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content, mode in sorted(entries):
            info = zipfile.ZipInfo(name, when)
            info.create_system, info.external_attr = 3, mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            # libarchive, by which GIMP unpacks, reads from the front and takes modes from here alone (its “xl” field).
            info.extra = struct.pack("<HHBHI", 0x6C78, 7, 0b101, 3 << 8, mode << 16)
            archive.writestr(info, content)


def _folder(path: Path, files: dict[str, File]) -> None:
    if path.exists():
        shutil.rmtree(path)
    for name, file in files.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.content)
        target.chmod(0o755 if file.executable else 0o644)


def main(arguments: list[str]) -> int:
    """Build into the folder named (dist/ when none is), and list what came out."""
    try:
        packages = build(Path(arguments[0]) if arguments else ROOT / "dist")
    except Trouble as trouble:
        say(str(trouble))
        return 1
    for path in packages:
        say(f"{path}  {digest(path.read_bytes()) if path.is_file() else ''}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
