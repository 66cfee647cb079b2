"""Pixels in files: inputs mapped read-only, results written whole or not at all."""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from s2edit_wire.errors import WireError

from ..worker_link import FrameFile

Pixels = NDArray[Any]
Mask = NDArray[np.uint8]
DTYPES: dict[str, np.dtype[Any]] = {name: np.dtype(f"<{name}") for name in ("u1", "u2", "f4")}


def read(frame: FrameFile) -> Pixels:
    """The frame's samples as a read-only H×W×C array over the file (nothing is copied); raises WireError."""
    path = Path(frame.path)
    dtype = DTYPES[frame.dtype]
    if path.stat().st_size != frame.nbytes or frame.nbytes != int(np.prod(frame.shape)) * dtype.itemsize:
        raise WireError("internal", "A stored picture has another size than its description.", "Submit the job again.")
    return np.memmap(path, dtype=dtype, mode="r", shape=frame.shape)


def read_image(frame: FrameFile) -> Pixels:
    """A colour frame as H×W×C; raises WireError("bad_image") when a float sample is not a number."""
    pixels = read(frame)
    if frame.dtype == "f4" and not np.isfinite(pixels).all():
        raise WireError(
            "bad_image", "The picture has samples that are no finite number.", "Convert it to 16-bit integer and back."
        )
    return pixels


def read_mask(frame: FrameFile) -> Mask:
    """A mask frame as H×W uint8 coverage, 255 for full."""
    pixels = read(frame)[..., 0]
    if frame.dtype == "u1":
        return np.asarray(pixels)
    if frame.dtype == "u2":
        narrow: Mask = ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
        return narrow
    return _rounded(np.nan_to_num(pixels) * 255.0)


def write(folder: Path, role: str, pixels: Pixels) -> FrameFile:
    """Write H×W or H×W×C samples to a new file of `folder`; it gets its name when it is whole."""
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    name = f"{pixels.dtype.kind}{pixels.dtype.itemsize}"
    data = np.ascontiguousarray(pixels, DTYPES[name])
    assert re.fullmatch("[a-z_]+", role)
    final = folder / f"{role}.raw"
    temporary = folder / f"{role}.{uuid.uuid4().hex}.partial"
    try:
        with temporary.open("xb") as file:
            file.write(data.data)
        temporary.replace(final)
    finally:
        temporary.unlink(missing_ok=True)
    height, width, channels = data.shape
    space = "mask" if role in {"alpha", "mask"} else "srgb"
    return FrameFile(role, (height, width, channels), name, space, data.nbytes, str(final))


def to_rgb8(pixels: Pixels) -> Mask:
    """H×W×{1,2,3,4} samples of any dtype as H×W×3 uint8, alpha dropped: for looking at, not for results."""
    colour = pixels[..., :3] if pixels.shape[2] >= 3 else np.repeat(pixels[..., :1], 3, axis=2)
    if colour.dtype == np.uint8:
        return np.ascontiguousarray(colour)
    scale = 1 / 257 if colour.dtype == np.uint16 else 255.0
    return _rounded(colour.astype(np.float32) * scale)


def _rounded(values: Pixels) -> Mask:
    return np.asarray(np.rint(np.clip(values, 0, 255)), np.uint8)
