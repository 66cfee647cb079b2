"""Files that are cut or overwritten: every compression of TIFF in strips and tiles, JPEG, PNG, WebP."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from s2edit_cli.pictures import open_picture
from s2edit_wire.errors import WireError

from tests.field.case import Case
from tests.field.files.samples import SIDE, cut, drawing, image, jpeg, overwritten, png, tiff
from tests.field.files.throwing import HERE, edit

DAMAGED = "^refused: .*is damaged"
TAKEN = "^taken$"
MOST_SEEN = r"^\d+ refused, \d+ told, .* [0-4] unseen$"
COMPRESSIONS = ("none", "deflate", "lzw", "packbits", "jpeg", "webp", "ccittfax4")
UNSEEN = {("none", "overwritten", False), ("none", "overwritten", True)}
"""What is not noticed: samples that are not compressed."""
DOUBTED = {("jpeg", "overwritten", True), ("webp", "overwritten", False)}
"""What is told, not refused: lossy codes without a checksum that this noise also is, for more bits than are needed."""
MAY_BE = "^told: .*may be damaged. Look at the part from pixel "


def cases() -> list[Case]:
    """All of them."""
    return [*_tiff(), *_jpeg(), *_others()]


def _tiff() -> list[Case]:
    found = []
    for compression in COMPRESSIONS:
        for tile in (False, True):
            for how, harm in (("whole", Path), ("cut", cut), ("overwritten", overwritten)):
                key = (compression, how, tile)
                harmless = how == "whole" or key in UNSEEN
                expected = MAY_BE if key in DOUBTED else DAMAGED
                if harmless:
                    expected = "^(taken|told: .* 1 bit a sample)"
                unseen = " (unseen)" if harmless and how != "whole" else ""
                name = f"TIFF, {compression}, {'tiles' if tile else 'strips'}, {how}{unseen}"
                found.append(Case("damage", name, partial(_thrown_tiff, compression, tile, harm), expected))
    for compression, tile in ((kind, tile) for kind in ("jpeg", "webp") for tile in (False, True)):
        make = partial(tiff, compression=compression, tile=tile)
        name = f"TIFF, {compression}, {'tiles' if tile else 'strips'}, 40 places"
        found.append(Case("damage", name, partial(_many, make), r" \d unseen$"))
    return found


def _thrown_tiff(compression: str, tile: bool, harm: Callable[[Path], Path], folder: Path) -> str:
    return edit(harm(tiff(folder, compression, tile=tile)))


def _jpeg() -> list[Case]:
    progressive = {"interlace": True}
    return [
        Case("damage", "JPEG, whole", lambda folder: edit(jpeg(folder)), TAKEN),
        Case("damage", "JPEG, whole, progressive", lambda folder: edit(jpeg(folder, **progressive)), TAKEN),
        Case("damage", "JPEG, whole, restarts", lambda folder: edit(jpeg(folder, restart_interval=4)), TAKEN),
        Case("damage", "JPEG, whole, best quality", lambda folder: edit(jpeg(folder, Q=100)), TAKEN),
        Case("damage", "JPEG, a hole in the middle", _stored("hole.jpg"), DAMAGED),
        Case("damage", "JPEG, overwritten, no decoder complains", _stored("middle.jpg"), DAMAGED),
        Case("damage", "JPEG, overwritten", lambda folder: edit(overwritten(jpeg(folder))), DAMAGED),
        Case("damage", "JPEG, restarts, overwritten", _restarts_overwritten, DAMAGED),
        Case("damage", "JPEG, cut", lambda folder: edit(cut(jpeg(folder))), DAMAGED),
        Case("damage", "JPEG, cut in its last bytes", lambda folder: edit(cut(jpeg(folder), -12)), DAMAGED),
        Case("damage", "JPEG, progressive, cut", lambda folder: edit(cut(jpeg(folder, **progressive))), DAMAGED),
        Case("damage", "JPEG, progressive, last scan gone", _last_scan_gone, DAMAGED),
        Case("damage", "JPEG, only headers", lambda folder: edit(cut(jpeg(folder), 0.02)), DAMAGED),
        Case("damage", "JPEG, lacks its end marker", _no_end(-2), "^told: .*lacks its end marker"),
        Case("damage", "JPEG, half an end marker", _no_end(-1), "^told: .*lacks its end marker"),
        Case("damage", "JPEG, progressive, lacks its end", _no_end(-2, interlace=True), "^told: .*end marker"),
        Case("damage", "JPEG, stray bytes between headers", _stored("extraneous.jpg"), TAKEN),
        Case("damage", "JPEG, zeros after its end", _followed_by(bytes(100)), TAKEN),
        Case("damage", "JPEG, a film after its end", _followed_by(b"\0\0\0\x18ftypmp42" * 300), "^told: .*more data"),
    ]


def _others() -> list[Case]:
    return [
        Case("damage", "PNG, whole", lambda folder: edit(png(folder, drawing())), TAKEN),
        Case("damage", "PNG, cut", lambda folder: edit(cut(png(folder, drawing()))), DAMAGED),
        Case("damage", "PNG, overwritten", lambda folder: edit(overwritten(png(folder, drawing()))), DAMAGED),
        Case("damage", "PNG, one byte of the pixels", _one_byte, DAMAGED),
        # Lossy codes have no checksum; what share of damage is noticed is measured here.
        Case(
            "damage",
            "JPEG, 40 places overwritten",
            partial(_many, jpeg),
            r"^(2\d|3\d) refused, \d+ told, .* [0-6] unseen$",
        ),
        Case("damage", "JPEG, Q 99, 40 places", partial(_many, partial(jpeg, Q=99)), MOST_SEEN),
        Case("damage", "WebP, 40 places overwritten", partial(_many, _webp), MOST_SEEN),
        Case("damage", "WebP, 5 partitions, 40 places", partial(_many, _partitions, first=500), MOST_SEEN),
        Case("damage", "WebP, lossless, 40 places", partial(_many, partial(_webp, lossless=True)), r" \d unseen$"),
        Case("damage", "WebP, whole", lambda folder: edit(_webp(folder)), TAKEN),
        Case("damage", "WebP, cut", lambda folder: edit(cut(_webp(folder))), DAMAGED),
        Case("damage", "WebP, lossless, cut", lambda folder: edit(cut(_webp(folder, lossless=True))), DAMAGED),
        Case("damage", "WebP, lossless, overwritten", _lossless_overwritten, DAMAGED),
        Case("damage", "WebP, lossy, overwritten", _stored("middle.webp"), "^told: .*may be damaged"),
        Case("damage", "WebP, whole, 5 partitions", _stored("partitions.webp"), TAKEN),
        *(Case("damage", f"WebP, whole, quality {q}", partial(_whole_webp, q), TAKEN) for q in (1, 50, 100)),
    ]


def _stored(name: str) -> Callable[[Path], str]:
    return lambda folder: edit(Path(shutil.copy(HERE / name, folder)))


def _one_byte(folder: Path) -> str:
    """Of pixels that are not compressed, so that only the checksum notices."""
    return edit(overwritten(png(folder, drawing(), compression=0), 0.5, 1))


def _restarts_overwritten(folder: Path) -> str:
    return edit(overwritten(jpeg(folder, restart_interval=4)))


def _no_end(keep: int, **options: bool) -> Callable[[Path], str]:
    return lambda folder: edit(cut(jpeg(folder, **options), keep))


def _last_scan_gone(folder: Path) -> str:
    path = jpeg(folder, interlace=True)
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(b"\xff\xda")])
    return edit(path)


def _followed_by(data: bytes) -> Callable[[Path], str]:
    def throw(folder: Path) -> str:
        path = jpeg(folder)
        path.write_bytes(path.read_bytes() + data)
        return edit(path)

    return throw


def _whole_webp(quality: int, folder: Path) -> str:
    return edit(_webp(folder, Q=quality))


def _partitions(folder: Path) -> Path:
    return Path(shutil.copy(HERE / "partitions.webp", folder))


def _webp(folder: Path, **options: int) -> Path:
    path = folder / "in.webp"
    image(drawing()).webpsave(str(path), **options)
    return path


def _lossless_overwritten(folder: Path) -> str:
    return edit(overwritten(_webp(folder, lossless=True), 0.2))


def _many(make: Callable[[Path], Path], folder: Path, first: int = 800) -> str:
    """How many of 40 overwritings are noticed; “faint” is where under 0.2 % of the pixels are off by over 16 of 255."""
    path = make(folder)
    whole, counts = path.read_bytes(), dict.fromkeys(("refused", "told", "faint", "unseen"), 0)
    before = open_picture(path).crop((0, 0, SIDE, SIDE)).astype(int)
    noise = np.random.default_rng(5)
    for place in noise.integers(first, len(whole) - 100, 40):
        length = int(noise.choice([1, 8, 64]))
        path.write_bytes(whole[:place] + noise.bytes(length) + whole[place + length :])
        try:
            picture = open_picture(path)
        except WireError:
            counts["refused"] += 1
            continue
        off = np.abs(picture.crop((0, 0, SIDE, SIDE)).astype(int) - before).max(axis=2) > 16
        counts["told" if picture.notes else "faint" if off.mean() < 0.002 else "unseen"] += 1
    return ", ".join(f"{count} {name}" for name, count in counts.items())
