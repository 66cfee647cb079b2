"""Raw pixel frames: what a header says of each, checked by integer arithmetic before anything is allocated.

Pixels are C-contiguous, row by row, little-endian, channels interleaved: gray, gray+alpha, RGB or RGBA.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, TypedDict

from .errors import WireError
from .kinds import Choice, Hex, Integer, ListOf, Record
from .limits import MAX_FRAME, MAX_FRAMES, MAX_MESSAGE, MAX_SIDE

ITEM_SIZE = {"u1": 1, "u2": 2, "f4": 4}
"""Bytes of one sample: 8-bit and 16-bit unsigned integer (full range), 32-bit float (0.0 to 1.0)."""

ROLES = (
    "image",
    "object_mask",
    "edit_mask",
    "reference",
    "reference_mask",
    "patch",
    "alpha",
    "mask",
    "preview",
    "thumbnail",
)

SMALLER = "Paint a smaller mask, or scale the picture down."


@dataclass(frozen=True)
class _Size(Integer):
    """A frame's bytes: that there are too many is the only thing in a header that a painter can do something about."""

    def check(self, value: object, where: str) -> None:
        """See `Kind.check`; raises WireError("too_large"), too."""
        if isinstance(value, int):
            check_bytes(value)
        super().check(value, where)


def check_bytes(count: int) -> None:
    """Raise WireError("too_large") for a picture of so many bytes, when that is more than a frame may have."""
    if count > MAX_FRAME:
        words = f"This part of the picture takes {count >> 20} MiB; at most {MAX_FRAME >> 20} can be edited at once."
        raise WireError("too_large", words, SMALLER)


class _Frame(TypedDict):
    role: Annotated[
        str,
        Choice(ROLES),
        "What the frame is. Several `object_mask` frames: `index` says whose; of `reference`, which.",
    ]
    shape: Annotated[list[int], ListOf(Integer(1, MAX_SIDE), 3, 3), "Height, width, channels (1 to 4)."]
    dtype: Annotated[str, Choice(tuple(ITEM_SIZE)), "`u1` 8 bit, `u2` 16 bit, `f4` 32-bit float; little-endian."]
    space: Annotated[str, Choice(("srgb", "mask")), "`srgb`: sRGB-encoded colour or gray; `mask`: linear coverage."]
    nbytes: Annotated[int, _Size(1, MAX_FRAME), "Bytes in the frame: height x width x channels x sample size."]


class FrameRecord(_Frame, total=False):
    """What a header says of one pixel frame."""

    index: Annotated[
        int, Integer(0, 3), "Which object an `object_mask` belongs to, or which `reference` this is; 0 when left out."
    ]
    sha256: Annotated[str, Hex(64), "SHA-256 of the frame's bytes, when the sender has it."]


FRAME = Record.of("frame", FrameRecord)


def describe(
    role: str, shape: tuple[int, int, int], dtype: str = "u1", space: str = "srgb", index: int = 0
) -> FrameRecord:
    """The header entry for a frame of H x W x C samples."""
    height, width, channels = shape
    entry: FrameRecord = {
        "role": role,
        "shape": [height, width, channels],
        "dtype": dtype,
        "space": space,
        "nbytes": height * width * channels * ITEM_SIZE[dtype],
    }
    if index:
        entry["index"] = index
    return entry


def check_entry(entry: Mapping[str, object], where: str = "frame") -> None:
    """Raise WireError unless the entry's fields agree with one another."""
    FRAME.check(entry, where)
    shape, nbytes = entry["shape"], entry["nbytes"]
    assert isinstance(shape, list) and isinstance(nbytes, int)
    if shape[2] > 4:
        raise WireError("bad_request", f"“{where}.shape” has {shape[2]} channels; 1 to 4 are possible.")
    if entry["space"] == "mask" and shape[2] != 1:
        raise WireError("bad_request", f"“{where}” is a mask and must have one channel.")
    if shape[0] * shape[1] * shape[2] * ITEM_SIZE[str(entry["dtype"])] != nbytes:
        raise WireError("bad_request", f"“{where}.nbytes” does not fit its shape and dtype.")


def check_frames(entries: Sequence[Mapping[str, object]], sizes: Sequence[int]) -> None:
    """Raise WireError unless the announced entries match the sizes (bytes) of the frames that came."""
    if len(entries) != len(sizes) or len(sizes) > MAX_FRAMES:
        raise WireError("bad_request", f"The header announces {len(entries)} frames, {len(sizes)} came.")
    if sum(sizes) > MAX_MESSAGE:
        raise WireError("too_large", "The pictures of one message are over the limit together.", SMALLER)
    for index, (entry, size) in enumerate(zip(entries, sizes, strict=True)):
        check_entry(entry, f"frames[{index}]")
        if entry["nbytes"] != size:
            raise WireError("bad_request", f"Frame {index} has {size} bytes, its header says {entry['nbytes']}.")
