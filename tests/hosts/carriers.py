"""How far the mark goes: `python -m tests.hosts.carriers` prints the table of tools and kinds of file.

Each file is read back by a program that is none of ours: exiftool, ImageMagick, C2PA's reader.
"""

from __future__ import annotations

import importlib
import json
import signal
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2edit_marks.terms import NEWSCODES, SOURCE_TYPE

from .lab import PROJECT, Lab, wait_for
from .scenarios import MAIN

if TYPE_CHECKING:
    from .krita.easel import Easel
    from .krita.painter import Painter

ENDINGS = ("png", "jpg", "tif", "webp")
NATIVE = {"xcf": "GIMP", "kra": "Krita", "ora": "Krita"}

WINDOW_S = 240
"""Seconds after which a window of a busy Krita counts as missing."""


@dataclass(frozen=True)
class Row:
    """One way out, and what other programs read there.

    Args:
        tool: whose way. ending: the kind of file. seen: by reader, what it says of the mark.
    """

    tool: str
    ending: str
    seen: dict[str, str]

    @property
    def carried(self) -> bool:
        """Whether every reader that knows this kind of file sees the mark."""
        return bool(self.seen) and set(self.seen.values()) == {"yes"}


def readers(file: Path) -> dict[str, str]:
    """What each independent reader sees of the mark in a file: `yes` or `no`."""
    if file.suffix == ".kra" or file.suffix == ".ora":
        with zipfile.ZipFile(file) as archive:
            return {"zip": _says(any(SOURCE_TYPE.encode() in archive.read(name) for name in archive.namelist()))}
    if file.suffix == ".xcf":  # many tags of one name, which JSON can't hold
        told = subprocess.run(["exiftool", "-a", str(file)], capture_output=True, check=True).stdout
        return {"exiftool": _says(SOURCE_TYPE.encode() in told)}
    told = json.loads(subprocess.run(["exiftool", "-j", "-G1", str(file)], capture_output=True, check=True).stdout)
    seen = {"exiftool": _says(told[0].get("XMP-iptcExt:DigitalSourceType") == SOURCE_TYPE)}
    if file.suffix in (".jpg", ".tif"):  # ImageMagick 6 knows no XMP of the others
        packet = subprocess.run(["convert", str(file), "xmp:-"], capture_output=True, check=False).stdout
        seen["ImageMagick"] = _says(SOURCE_TYPE.encode() in packet)
    return seen


def c2pa(file: Path) -> str:
    """The same for C2PA's reader: the validation state, `no` without a manifest."""
    library: Any = importlib.import_module("c2pa")
    kind = {"jpg": "jpeg", "tif": "tiff"}.get(file.suffix[1:], file.suffix[1:])
    with file.open("rb") as opened:
        reader = library.Reader.try_create(f"image/{kind}", opened)
        if reader is None:
            return "no"
        with reader:
            return str(json.loads(reader.json())["validation_state"])


def rows(folder: Path, tool: str, names: dict[str, str]) -> Iterator[Row]:
    """Rows of the files NAME.ENDING in a folder; `names` says how a name was made."""
    for name, way in names.items():
        for file in sorted(folder.glob(f"{name}.*")):
            if file.suffix[1:] in (*ENDINGS, *NATIVE):
                yield Row(f"{tool}, {way}", file.suffix[1:], readers(file))


_EXPORT = """
from krita import Krita
from PyQt5.QtCore import QTimer
QTimer.singleShot(0, Krita.instance().action("file_export_file").trigger)  # its window stays open behind this answer
answer = True
"""

GIMP_WAYS = {"before": "before the edit", "after": "exported or saved", "reopened": "XCF opened again, exported"}
KRITA_WAYS = {
    "before": "before the edit",
    "after": "saved as",
    "reopened": "KRA opened again, saved as",
    "exported": "exported by a script",
    "dialog": "exported by its dialog",
}


def gimp_rows() -> list[Row]:
    """What came out of the real GIMP."""
    from PIL import Image

    from .gimp.gimp import GimpDesk

    with Lab("gimp-carriers") as lab:
        lab.start_daemon(step_ms=1)
        desk = GimpDesk(lab)
        Image.new("RGB", (64, 64), (90, 160, 40)).save(lab.folder / "picture.png")
        words = {"source": MAIN.source, "target": MAIN.target, "word": MAIN.word}
        desk.batch("exported", 240, picture=lab.folder / "picture.png", **words)
        return list(rows(lab.folder, "GIMP", GIMP_WAYS))


def krita_rows() -> list[Row]:
    """What came out of the real Krita."""
    from .krita.easel import Easel
    from .krita.painter import Painter
    from .screen import Screen

    with Lab("krita-carriers") as lab:
        screen = Screen(lab)
        lab.start_daemon(step_ms=1)
        easel = Easel(lab, screen)
        tiff_by_krita(easel)
        exported_by_krita(easel, *(ending for ending in ENDINGS if ending != "tif"))
        painter = Painter(easel, lab.folder / "after.kra")
        export_by_hand(painter)
        painter.leave()
        return list(rows(lab.folder, "Krita", KRITA_WAYS))


def exported_by_krita(easel: Easel, *endings: str) -> None:
    """Let Krita save and export an edited picture as these kinds of file."""
    report = easel.run("scenes_exported", timeout=240, S2EDIT_PROBE_ENDINGS=" ".join(endings))
    assert "error" not in report["exported"], report["exported"]
    gone = [name for name, marked in report["exported"]["found"].items() if not marked]
    assert gone == ["removed", "reopened, removed"], report


def tiff_by_krita(easel: Easel, starts: int = 4) -> None:
    """TIFF by itself, in one of a few starts.

    Krita 5.2.9 reads a TIFF that it has just saved once more, for an icon in its list of recent files. It makes and
    deletes a whole `KisDocument` for that in a second thread (`KisFileIconCreator::createFileIcon`), with timers, tiles
    and a list of the first thread's, and dies of it in one of about thirty savings: seen with a debugger, also where a
    script saves a picture of one layer over and over and no edit was made. No other kind of file is read so.
    """
    for left in reversed(range(starts)):
        try:
            exported_by_krita(easel, "tif")
        except AssertionError:
            if easel.krita.poll() != -signal.SIGSEGV or not left:
                raise
        else:
            return


def export_by_hand(painter: Painter) -> None:
    """Export what is open in Krita's window by File → Export… to each kind of file, as dialog.ENDING."""
    screen, folder = painter.screen, painter.easel.lab.folder
    for ending in ENDINGS:
        painter.ask(_EXPORT)
        screen.activate(screen.wait_window("^Exporting", WINDOW_S))
        screen.key("ctrl+a")
        screen.type(str(folder / f"dialog.{ending}"))
        screen.photograph(f"export-{ending}")
        screen.key("Return")
        screen.wait_gone("^Exporting", WINDOW_S)
        screen.activate(screen.wait_window("^[A-Za-z]+ image", WINDOW_S))
        screen.photograph(f"export-{ending}-settings")
        screen.key("Return")
        wait_for((folder / f"dialog.{ending}").exists, f"dialog.{ending}", WINDOW_S)
        screen.wait_gone("^[A-Za-z]+ image", WINDOW_S)
        painter.next_look()  # Krita tells plug-ins of a written file before it comes to its next event


def command_rows(folder: Path) -> list[Row]:
    """What the command line's writer makes of an edited picture, once and of its own result again."""
    import numpy as np
    import pyvips
    from s2edit_cli import pictures, writing
    from s2edit_cli.marking import marking

    made = []
    samples = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    for ending in ENDINGS:
        image: Any = pyvips.Image.new_from_array(samples).copy(interpretation="srgb")
        image.write_to_file(str(folder / f"before.{ending}"))
        for source, name in (("before", "after"), ("after", "reopened")):
            opened = pictures.open_picture(folder / f"{source}.{ending}")
            file = folder / f"{name}.{ending}"
            writing.save(opened.image, file, marking(opened, file), opened)
        for name, way in (("before", "before the edit"), ("after", "written"), ("reopened", "edited again")):
            file = folder / f"{name}.{ending}"
            made.append(Row(f"s2edit edit, {way}", ending, {**readers(file), "C2PA": c2pa(file)}))
    return made


def table(found: list[Row]) -> str:
    """The rows as a table of Markdown."""
    heads = ("exiftool", "ImageMagick", "zip", "C2PA")
    lines = ["| tool | file | " + " | ".join(heads) + " |", "|---|---|" + "---|" * len(heads)]
    lines += [
        f"| {row.tool} | {row.ending} | " + " | ".join(row.seen.get(head, "") for head in heads) + " |" for row in found
    ]
    return "\n".join(lines)


def _says(found: bool) -> str:
    return "yes" if found else "no"


def main() -> None:
    """Make all files and print the table."""
    import os
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        os.environ["S2EDIT_HOME"] = f"{folder}/state"
        found = command_rows(Path(folder))
    print(f"The mark: {SOURCE_TYPE.removeprefix(NEWSCODES)}, in files made by {PROJECT.name}'s tests.\n")
    print(table(found + gimp_rows() + krita_rows()))


if __name__ == "__main__":
    main()
