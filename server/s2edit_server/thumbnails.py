"""Small pictures of a job's input and result, made from its blobs by reading only the samples that are needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from s2edit_wire.frames import FrameRecord, describe

from .blobs import Blobs
from .jobs import StoredFrame

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SIDE = 128
"""Pixels along the longer side."""


def thumbnails(
    blobs: Blobs, inputs: Sequence[StoredFrame], results: Sequence[StoredFrame]
) -> list[tuple[FrameRecord, bytes]]:
    """(frame entry, bytes) of `image` and, with a result, `preview`: 8-bit RGB of at most SIDE pixels a side."""
    pictures = []
    by_role = {frame.entry["role"]: frame for frame in (*inputs, *results)}
    if "image" in by_role:
        image = _small(blobs, by_role["image"])
        pictures.append(_entry("image", image))
        if "patch" in by_role and "alpha" in by_role:
            patch, alpha = _small(blobs, by_role["patch"]), _small(blobs, by_role["alpha"])
            if patch.shape == image.shape == alpha.shape:
                mixed = image + (patch - image) * (alpha / 255.0)
                pictures.append(_entry("preview", mixed))
    return pictures


def _entry(role: str, picture: NDArray[np.float32]) -> tuple[FrameRecord, bytes]:
    height, width, _ = picture.shape
    return describe(role, (height, width, 3)), picture.round().clip(0, 255).astype("u1").tobytes()


def _small(blobs: Blobs, frame: StoredFrame) -> NDArray[np.float32]:
    """The frame reduced to RGB, float32, 0 to 255."""
    import numpy as np  # not at import: the daemon has to answer within a second of its start

    shape, dtype = tuple(frame.entry["shape"]), frame.entry["dtype"]
    pixels = np.memmap(blobs.path(frame.sha256), dtype=f"<{dtype}", mode="r", shape=shape)
    scale = max(1, -(-max(shape[:2]) // SIDE))
    # Up to four samples per pixel and direction: enough against moiré, and a gigapixel picture is not read whole.
    stride = max(1, scale // 4)
    picture = np.asarray(pixels[::stride, ::stride], dtype=np.float32)
    block = -(-scale // stride)
    height, width = (max(block, side // block * block) for side in picture.shape[:2])
    picture = np.pad(
        picture, ((0, max(0, height - picture.shape[0])), (0, max(0, width - picture.shape[1])), (0, 0)), "edge"
    )
    picture = picture[:height, :width].reshape(height // block, block, width // block, block, -1).mean(axis=(1, 3))
    picture *= {"u1": 1.0, "u2": 255.0 / 65535.0, "f4": 255.0}[dtype]
    picture = np.nan_to_num(picture).clip(0, 255)
    small: NDArray[np.float32] = np.repeat(picture[:, :, :1], 3, axis=2) if picture.shape[2] < 3 else picture[:, :, :3]
    return small
