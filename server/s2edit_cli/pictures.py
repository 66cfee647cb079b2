"""Opening pictures and masks: which kind of file it is and how large, before a pixel is decoded.

libvips does the decoding; it is chosen by the file's first bytes among four loaders, never guessed from a name.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from s2edit_wire.errors import WireError
from s2edit_wire.limits import MAX_SIDE

if TYPE_CHECKING:
    import pyvips

Box = tuple[int, int, int, int]
"""x, y, width, height in pixels."""

MAX_BYTES = 4 * 1024**3
"""Decoded size of the largest picture that is opened."""
_BITS = {"uchar": 8, "ushort": 16}
_SPACES = {"b-w": 1, "grey16": 1, "srgb": 3, "rgb16": 3}


@dataclass(frozen=True)
class Picture:
    """A picture file, opened but not decoded.

    Args:
        path: the file. kind: `png`, `jpeg`, `webp` or `tiff`.
        image: the picture upright (EXIF orientation applied), with its metadata.
        bits: 8 or 16 per sample. colours: 1 (gray) or 3 (RGB). has_alpha: whether one alpha band follows.
        profile: the embedded ICC profile, when it fits the colours.
    """

    path: Path
    kind: str
    image: pyvips.Image
    bits: int
    colours: int
    has_alpha: bool
    profile: bytes | None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, px."""
        return self.image.width, self.image.height

    @property
    def full(self) -> int:
        """The largest sample value."""
        return (1 << self.bits) - 1

    def crop(self, box: Box) -> NDArray[Any]:
        """The samples of a box as H x W x bands, uint8 or uint16. Raises WireError("bad_image") for a damaged file."""
        try:
            pixels: NDArray[Any] = self.image.crop(*box).numpy()
        except Exception as error:
            raise _damaged(self.path) from error
        return pixels if pixels.ndim == 3 else pixels[:, :, None]


def open_picture(path: Path) -> Picture:
    """Open a picture for editing.

    Raises:
        WireError: bad_image; the message names the file and says what is the matter.
    """
    kind, image = _open(path)
    colours = _SPACES.get(image.interpretation)
    bits = _BITS.get(image.format)
    if colours is None or bits is None:
        raise WireError(
            "bad_image",
            f"“{path.name}” is {_words(image)}; S²Edit takes gray or RGB with 8 or 16 bits.",
            "Convert it to RGB in an image editor first.",
        )
    if image.bands not in (colours, colours + 1):
        raise WireError(
            "bad_image", f"“{path.name}” has {image.bands} channels; at most one alpha channel is possible."
        )
    if image.width * image.height * image.bands * bits // 8 > MAX_BYTES:
        raise WireError("bad_image", f"“{path.name}” takes more than {MAX_BYTES >> 30} GiB.", "Edit a part of it.")
    return Picture(path, kind, image, bits, colours, image.bands == colours + 1, _profile(image, colours))


def open_mask(path: Path, size: tuple[int, int]) -> NDArray[np.uint8]:
    """A mask's coverage, H x W uint8: its alpha where it has a transparent part, else its brightness.

    Args:
        size: width and height that it must have, px.
    Raises:
        WireError: bad_mask or bad_image.
    """
    _, image = _open(path)
    if (image.width, image.height) != size:
        raise WireError(
            "bad_mask",
            f"The mask “{path.name}” has {image.width} × {image.height} pixels, the picture {size[0]} × {size[1]}.",
            "Save the mask at the picture's size.",
        )
    bits = _BITS.get(image.format)
    if bits is None or image.interpretation not in _SPACES:
        raise WireError("bad_mask", f"The mask “{path.name}” is {_words(image)}.", "Save it as an 8-bit gray PNG.")
    try:
        coverage = _coverage(image, bits)
    except Exception as error:
        raise _damaged(path) from error
    if not coverage.any():
        raise WireError(
            "bad_mask", f"The mask “{path.name}” marks nothing: it is all black.", "Paint the object white."
        )
    return coverage


def bounding_box(masks: list[NDArray[np.uint8]]) -> Box | None:
    """The smallest box around all that the masks mark, or None without masks."""
    if not masks:
        return None
    columns = np.logical_or.reduce([mask.any(axis=0) for mask in masks]).nonzero()[0]
    rows = np.logical_or.reduce([mask.any(axis=1) for mask in masks]).nonzero()[0]
    x, y = int(columns[0]), int(rows[0])
    return x, y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1


def _open(path: Path) -> tuple[str, pyvips.Image]:
    kind = _kind(path)
    import pyvips

    loader = getattr(pyvips.Image, f"{kind}load")
    try:
        image = loader(os.fsencode(path), fail_on="error")  # a name may be no text
    except pyvips.Error as error:
        raise _damaged(path) from error
    if image.width > MAX_SIDE or image.height > MAX_SIDE:
        raise WireError("bad_image", f"“{path.name}” is over {MAX_SIDE} pixels wide or high.", "Edit a part of it.")
    if image.get_typeof("n-pages") and image.get("n-pages") > 1:
        raise WireError("bad_image", f"“{path.name}” has several pages or frames.", "Save the one to edit by itself.")
    if image.get_typeof("orientation") and image.get("orientation") > 1:
        image = image.autorot()
    return kind, image


def _kind(path: Path) -> str:
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except FileNotFoundError as error:
        raise WireError("bad_image", f"There is no file “{path}”.", "Check the name.") from error
    except OSError as error:
        raise WireError(
            "bad_image", f"“{path}” cannot be read ({error.strerror}).", "Choose a picture file."
        ) from error
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head[:4] == b"RIFF" and head[8:] == b"WEBP":
        return "webp"
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "tiff"
    raise WireError(
        "bad_image", f"“{path.name}” is not a PNG, JPEG, WebP or TIFF picture.", "Convert it to one of them."
    )


def _damaged(path: Path) -> WireError:
    return WireError("bad_image", f"“{path.name}” is damaged: it cannot be decoded.", "Save it again from its source.")


def _words(image: pyvips.Image) -> str:
    return "CMYK" if image.interpretation == "cmyk" else f"of the kind {image.interpretation}/{image.format}"


def _profile(image: pyvips.Image, colours: int) -> bytes | None:
    if not image.get_typeof("icc-profile-data"):
        return None
    data = bytes(image.get("icc-profile-data"))
    # ICC.1:2022, 7.2: bytes 16 to 19 name the data's colour space.
    return data if data[16:20] == (b"RGB " if colours == 3 else b"GRAY") else None


def _coverage(image: pyvips.Image, bits: int) -> NDArray[np.uint8]:
    pixels = image.numpy()
    pixels = pixels if pixels.ndim == 3 else pixels[:, :, None]
    colours = _SPACES[image.interpretation]
    full = (1 << bits) - 1
    see_through = pixels.shape[2] > colours and bool((pixels[:, :, -1] < full).any())
    plane = pixels[:, :, -1] if see_through else pixels[:, :, :colours].max(axis=2)
    return np.ascontiguousarray(to_8_bits_up(plane) if bits == 16 else plane, dtype=np.uint8)


def to_8_bits_up(plane: NDArray[Any]) -> NDArray[np.uint8]:
    """16-bit coverage at 8 bits, rounded up: what is marked at all stays marked."""
    return ((plane.astype(np.uint32) + 256) // 257).astype(np.uint8)
