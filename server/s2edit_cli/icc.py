"""ICC profiles: trying whether one can be used both ways, and making one of primaries and a curve.

Format: ICC.1:2022 (version 4 profiles); the adaptation to D50 is Bradford's, its annex E.
"""

from __future__ import annotations

import io
import os
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

INTENT = "relative"
"""Relative colorimetric both ways, so that colours inside both gamuts come back as they went."""
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_D50 = np.array([0.9642, 1.0, 0.8249])
XY = tuple[float, float]


@dataclass(frozen=True)
class Curve:
    """A decoding curve as ICC's parametric type 3: y = (a x + b)^gamma for x >= d, else c x."""

    gamma: float
    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 0.0


SRGB_CURVE = Curve(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


@dataclass(frozen=True)
class Space:
    """A colour space by the chromaticities of white, red, green, blue, and its curve."""

    white: XY
    red: XY
    green: XY
    blue: XY
    curve: Curve


def make(space: Space, colours: int) -> bytes:
    """A display profile of the space, for RGB (`colours` 3) or gray (1).

    Raises:
        ValueError: the chromaticities span no space.
    """
    white = _xyz(space.white)
    adapt = _adaptation(white)
    curve = _curve(space.curve)
    tags = [(b"desc", _text("S2Edit: as the picture file says")), (b"cprt", _text("No copyright, use freely"))]
    tags += [(b"wtpt", _xyz_tag(_D50)), (b"chad", b"sf32" + bytes(4) + _fixed(adapt.ravel()))]
    if colours == 1:
        tags.append((b"kTRC", curve))
    else:
        primaries = np.stack([_xyz(space.red), _xyz(space.green), _xyz(space.blue)], axis=1)
        if abs(np.linalg.det(primaries)) < 1e-6:
            raise ValueError("primaries on one line")
        scaled = adapt @ (primaries * np.linalg.solve(primaries, white))
        tags += [(name, _xyz_tag(scaled[:, index])) for index, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))]
        tags += [(name, curve) for name in (b"rTRC", b"gTRC", b"bTRC")]
    return _assembled(tags, b"GRAY" if colours == 1 else b"RGB ")


def usable(profile: bytes, colours: int) -> tuple[bool, bool]:
    """Whether colours can be taken from the profile to sRGB, and back from sRGB into it.

    Asked of littleCMS itself: libvips quietly takes another profile where it cannot read one.
    """
    from PIL import ImageCms

    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    except OSError:
        return False, False
    srgb, mode = ImageCms.createProfile("sRGB"), "L" if colours == 1 else "RGB"
    return _builds(opened, srgb, mode, "RGB"), _builds(srgb, opened, "RGB", mode)


@contextmanager
def as_file(profile: bytes) -> Iterator[str]:
    """libvips takes profiles from files only."""
    descriptor, name = tempfile.mkstemp(suffix=".icc")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(profile)
        yield name
    finally:
        Path(name).unlink()


def _builds(source: Any, target: Any, mode: str, into: str) -> bool:
    from PIL import ImageCms

    try:
        ImageCms.buildTransform(source, target, mode, into, ImageCms.Intent.RELATIVE_COLORIMETRIC)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return False
    return True


def _xyz(point: XY) -> NDArray[np.float64]:
    x, y = point
    if not (0 <= x <= 1 and 0 < y <= 1):
        raise ValueError("no chromaticity")
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _adaptation(white: NDArray[np.float64]) -> NDArray[np.float64]:
    ratio = (_BRADFORD @ _D50) / (_BRADFORD @ white)
    result: NDArray[np.float64] = np.linalg.inv(_BRADFORD) @ np.diag(ratio) @ _BRADFORD
    return result


def _fixed(values: Any) -> bytes:
    """s15Fixed16Number."""
    return b"".join(struct.pack(">i", round(float(value) * 65_536)) for value in values)


def _xyz_tag(values: Any) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(values)


def _curve(curve: Curve) -> bytes:
    return b"para" + bytes(4) + struct.pack(">HH", 3, 0) + _fixed((curve.gamma, curve.a, curve.b, curve.c, curve.d))


def _text(text: str) -> bytes:
    encoded = text.encode("utf-16-be")
    return b"mluc" + bytes(4) + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(encoded), 28) + encoded


def _assembled(tags: list[tuple[bytes, bytes]], space: bytes) -> bytes:
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, data in tags:
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = struct.pack(">I4xI4s4s4s12x4s", start + len(body), 0x04400000, b"mntr", space, b"XYZ ", b"acsp")
    header = header.ljust(68, b"\0") + _fixed(_D50)
    return header.ljust(128, b"\0") + table + body
