"""Making picture files, whole and then awkward."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pyvips
from numpy.typing import NDArray

SIDE = 192


def drawing(colours: int = 3, side: int = SIDE) -> NDArray[np.uint8]:
    """Shades and texture, so that no codec makes nothing of them; H x W x colours."""
    rows, columns = np.mgrid[0:side, 0:side]
    planes = [(rows * 2 + columns * (band + 1) + (rows * columns) // 37 % 23) % 256 for band in range(colours)]
    return np.stack(planes, axis=2).astype(np.uint8)


def image(samples: NDArray[Any]) -> pyvips.Image:
    """As libvips has it."""
    deep, colours = samples.dtype == np.uint16, samples.shape[2] > 2
    names = {(False, False): "b-w", (True, False): "grey16", (False, True): "srgb", (True, True): "rgb16"}
    return pyvips.Image.new_from_array(samples).copy(interpretation=names[deep, colours])


def overwritten(path: Path, start: float = 0.4, length: int = 200) -> Path:
    """Noise over a part of the file."""
    data = bytearray(path.read_bytes())
    at = int(len(data) * start)
    data[at : at + length] = np.random.default_rng(7).integers(0, 256, length, dtype=np.uint8).tobytes()
    path.write_bytes(data)
    return path


def cut(path: Path, keep: float | int = 0.6) -> Path:
    """Without its end: a share that stays, or a negative number of bytes that go."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep) if isinstance(keep, float) else keep])
    return path


def tiff(folder: Path, compression: str, *, tile: bool) -> Path:
    """A TIFF of strips or tiles, its directory before the pixels so that a cut hits only these."""
    path = folder / "in.tif"
    one_bit = compression == "ccittfax4"
    source = image(drawing(1) // 128 * 255 if one_bit else drawing())
    more: dict[str, Any] = {"bitdepth": 1} if one_bit else {}
    source.tiffsave(str(path), compression=compression, tile=tile, tile_width=64, tile_height=64, **more)
    return path


def tiff_pages(folder: Path, sides: list[int], subfiles: list[int]) -> Path:
    """A TIFF of several directories with these sizes and these NewSubfileType tags."""
    from PIL import Image

    first, *others = [Image.fromarray(drawing(side=side)) for side in sides]
    for picture, kind in zip((first, *others), subfiles, strict=True):
        picture.encoderinfo = {"tiffinfo": {254: kind}}
    path = folder / "in.tif"
    first.save(path, save_all=True, append_images=others, tiffinfo={254: subfiles[0]})
    return path


def jpeg(folder: Path, **options: Any) -> Path:
    """A JPEG as libvips writes it."""
    path = folder / "in.jpg"
    image(drawing()).jpegsave(str(path), **options)
    return path


def png(folder: Path, samples: NDArray[Any], chunks: dict[bytes, bytes] | None = None, **options: Any) -> Path:
    """A PNG without a resolution, with these chunks after IHDR."""
    data = image(samples).pngsave_buffer(keep="icc", **options)
    return put_chunks(folder / "in.png", data, chunks or {})


def put_chunks(path: Path, data: bytes, chunks: dict[bytes, bytes]) -> Path:
    """Write a PNG with chunks after IHDR, and without the pHYs that libvips makes up."""
    new = b"".join(chunk(kind, body) for kind, body in chunks.items())
    parts = [(kind, whole) for kind, whole in split(data) if kind != b"pHYs"]
    path.write_bytes(data[:8] + parts[0][1] + new + b"".join(whole for _, whole in parts[1:]))
    return path


def chunk(kind: bytes, body: bytes) -> bytes:
    """A PNG chunk with its checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def split(data: bytes) -> list[tuple[bytes, bytes]]:
    """A PNG's chunks in order: type and whole bytes."""
    found, at = [], 8
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        found.append((kind, data[at : at + 12 + length]))
        at += 12 + length
    return found


def with_profile(folder: Path, profile: bytes, samples: NDArray[Any], suffix: str = ".jpg") -> Path:
    """A picture with whatever bytes as its ICC profile; libvips would leave out what it cannot use."""
    from PIL import Image

    path = folder / f"in{suffix}"
    Image.fromarray(samples if samples.shape[2] > 1 else samples[:, :, 0]).save(path, icc_profile=profile)
    return path


def scanner_profile() -> bytes:
    """An input profile with a table from device colours to Lab and none back (ICC.1:2022, 8.3 and 10.11: lut8)."""
    corners = [(r, g, b) for r in (0, 1) for g in (0, 1) for b in (0, 1)]
    table = bytes(v for r, g, b in corners for v in (85 * (r + g + b), 128 + 60 * (r - g), 128 + 60 * (g - b)))
    unit = b"".join(struct.pack(">i", 65_536 * (row == column)) for row in range(3) for column in range(3))
    ramp = bytes(range(256)) * 3
    lut = b"mft1" + bytes(4) + bytes((3, 3, 2, 0)) + unit + ramp + table + ramp
    white = b"XYZ " + bytes(4) + struct.pack(">iii", 0xF6D6, 0x10000, 0xD32D)
    words = b"text" + bytes(4) + b"scanner\0"
    tags, at, body = [(b"A2B0", lut), (b"wtpt", white), (b"cprt", words)], 128 + 4 + 12 * 3, b""
    listed = struct.pack(">I", len(tags))
    for name, data in tags:
        listed += name + struct.pack(">II", at + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(">I4xI4s4s4s12x4s", at + len(body), 0x02400000, b"scnr", b"RGB ", b"Lab ", b"acsp")
    return (head.ljust(68, b"\0") + struct.pack(">iii", 0xF6D6, 0x10000, 0xD32D)).ljust(128, b"\0") + listed + body
