"""Inputs that are no files, and places where nothing can be written, or not that picture."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
from s2edit_cli import tiff_tags

from tests.field.case import Case
from tests.field.files.samples import chunk, drawing, image, jpeg, png, tiff
from tests.field.files.throwing import edit, output, sent_whole

TAKEN = "^taken$"
TOO_LARGE = "^refused: This part of the picture takes 2574 MiB; at most 512"
LARGE: dict[str, Callable[[Path], Path]] = {
    "PNG": lambda folder: png(folder, drawing()),
    "JPEG": jpeg,
    "TIFF": lambda folder: tiff(folder, "deflate", tile=False),
}
POSIX = os.name == "posix"


def cases() -> list[Case]:
    """All of them; pipes, devices and links where the system has them."""
    found = [
        Case("place", "a name of 300 letters", _to("a" * 300 + ".png"), "^refused: .*cannot be written"),
        Case("place", "a folder that is not there", _to("no/out.png"), "^refused: .*no folder"),
        Case("place", "a folder", _to_folder, "^refused: .*is a folder"),
        Case("place", "the input itself", _over_input, "^refused: .*never overwritten"),
        Case("place", "20,000 pixels wide, to WebP", _wide(20_000, ".webp"), "^refused: WEBP holds at most 16,383"),
        Case("place", "16,383 pixels wide, to WebP", _wide(16_383, ".webp"), TAKEN),
        Case("place", "20,000 pixels wide, to PNG", _wide(20_000, ".png"), TAKEN),
        Case("place", "alpha, to JPEG", lambda folder: edit(png(folder, drawing(4)), ".jpg"), "^refused: .*alpha"),
        Case("place", "a folder as input", lambda folder: edit(folder, ".png"), "^refused: .*Is a directory"),
    ]
    found += [Case("place", f"{kind}, 30,000 pixels a side, sent whole", _too_large(kind), TOO_LARGE) for kind in LARGE]
    return [*found, *_posix()] if POSIX else found


def _posix() -> list[Case]:
    found = [
        Case("place", "a pipe as input that nobody fills", _pipe_in, "^refused: .*is a pipe"),
        Case("place", "a device as input", _device_in, "^refused: .*a device or socket"),
        Case("place", "a socket as input", _socket_in, "^refused: "),
        Case("place", "a pipe as output", _pipe_out, "^refused: .*device or pipe"),
        Case("place", "a link to a file", _link_to_file, "^taken, link kept$"),
        Case("place", "a link to nothing yet", _link_to_nothing, "^taken, link kept$"),
        Case("place", "a link to the input", _link_to_input, "^refused: .*never overwritten"),
        Case("place", "a link to itself", _link_to_itself, "^refused: .*cannot be written"),
        Case("place", "a file with mode 0640", _mode, "^taken, mode 640$"),
    ]
    if Path("/proc/self").is_dir():
        # Root may write everywhere but there.
        words = "^refused: Nothing can be written into"
        found.append(Case("place", "a folder without leave", lambda folder: output(Path("/proc/out.png"), []), words))
    return found


def _too_large(kind: str) -> Callable[[Path], str]:
    """By its header alone: who decodes it finds that all but a corner is missing."""

    def throw(folder: Path) -> str:
        path = LARGE[kind](folder)
        data, side = bytearray(path.read_bytes()), 30_000
        if kind == "PNG":
            data = bytearray(data.replace(data[8:33], chunk(b"IHDR", struct.pack(">II", side, side) + data[24:29])))
        elif kind == "JPEG":
            at = data.index(b"\xff\xc0") + 5
            data[at : at + 4] = struct.pack(">HH", side, side)
        path.write_bytes(data)
        if kind == "TIFF":
            for tag in (256, 257):  # ImageWidth, ImageLength
                tiff_tags.set_short(path, tag, side)
        return sent_whole(path)

    return throw


def _input(folder: Path) -> Path:
    return png(folder, drawing())


def _to(name: str) -> Callable[[Path], str]:
    return lambda folder: output(folder / name, [_input(folder)])


def _over_input(folder: Path) -> str:
    path = _input(folder)
    return output(path, [path])


def _to_folder(folder: Path) -> str:
    (folder / "out.png").mkdir()
    return output(folder / "out.png", [])


def _wide(side: int, suffix: str) -> Callable[[Path], str]:
    def throw(folder: Path) -> str:
        path = folder / "in.png"
        image(np.resize(drawing(), (24, side, 3))).pngsave(str(path), compression=1)
        return edit(path, suffix)

    return throw


def _pipe_in(folder: Path) -> str:
    os.mkfifo(folder / "in.png")
    return edit(folder / "in.png")


def _linked(folder: Path, target: Path) -> str:
    """Through a link, so that the result has a folder where it could be written."""
    (folder / "in.png").symlink_to(target)
    return edit(folder / "in.png")


def _device_in(folder: Path) -> str:
    return _linked(folder, Path("/dev/zero"))


def _socket_in(folder: Path) -> str:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(folder / "s"))
        return _linked(folder, folder / "s")


def _pipe_out(folder: Path) -> str:
    os.mkfifo(folder / "out.png")
    return output(folder / "out.png", [])


def _through_link(folder: Path, link: Path, target: Path) -> str:
    """Edit into `result.png`, which is a link."""
    outcome = edit(_input(folder))
    return f"{outcome}, link {'kept' if link.is_symlink() and target.stat().st_size > 1000 else 'gone'}"


def _link_to_file(folder: Path) -> str:
    target = folder / "elsewhere" / "real.png"
    target.parent.mkdir()
    target.write_bytes(b"before")
    (folder / "result.png").symlink_to(target)
    return _through_link(folder, folder / "result.png", target)


def _link_to_nothing(folder: Path) -> str:
    (folder / "result.png").symlink_to("later.png")
    return _through_link(folder, folder / "result.png", folder / "later.png")


def _link_to_input(folder: Path) -> str:
    (folder / "out.png").symlink_to(_input(folder))
    return output(folder / "out.png", [folder / "in.png"])


def _link_to_itself(folder: Path) -> str:
    (folder / "out.png").symlink_to("out.png")
    return output(folder / "out.png", [])


def _mode(folder: Path) -> str:
    result = folder / "result.png"
    result.write_bytes(b"before")
    result.chmod(0o640)
    return f"{edit(_input(folder))}, mode {result.stat().st_mode & 0o777:o}"
