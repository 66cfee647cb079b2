"""Opening pictures: which kind of file it is, how large, whether all of it is there, and what its numbers mean.

libvips does the decoding; it is chosen by the file's first bytes among four loaders, never guessed from a name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray
from s2edit_wire.errors import WireError
from s2edit_wire.limits import MAX_SIDE

from . import decoding, png_file, source_colour, tiff_pages
from .decoding import damaged

if TYPE_CHECKING:
    import pyvips

Box = tuple[int, int, int, int]
"""x, y, width, height in pixels."""

SizeCheck = Callable[[tuple[int, int], int], None]
"""Given width and height in pixels, before a camera's orientation is applied, and the least bytes of a pixel sent."""

MAX_BYTES = 4 * 1024**3
"""Decoded size of the largest picture that is opened."""
_BITS = {"uchar": 8, "ushort": 16}
_BYTES = {"uchar": 1, "char": 1, "ushort": 2, "short": 2, "uint": 4, "int": 4, "float": 4}
_SPACES = {"b-w": 1, "grey16": 1, "srgb": 3, "rgb16": 3}


@dataclass(frozen=True)
class PictureFile:
    """A picture file, decoded once but not kept.

    Args:
        path: the file. kind: `png`, `jpeg`, `webp` or `tiff`.
        image: the picture upright (EXIF orientation applied), with its metadata.
        bits: 8 or 16 per sample. colours: 1 (gray) or 3 (RGB). has_alpha: whether one alpha band follows.
        profile: the ICC profile of its colours, embedded or made of what the file says; None stands for sRGB.
        has_extra: whether a band follows that is no alpha, such as a saved selection.
        made_profile: whether the profile does not stand in the file.
        chunks: a PNG's chunks before the pixels, by type.
        notes: sentences on what is odd about the file, for people.
        stamp: what tells this state of the file from a later one.
    """

    path: Path
    kind: str
    image: pyvips.Image
    bits: int
    colours: int
    has_alpha: bool
    profile: bytes | None
    has_extra: bool = False
    made_profile: bool = False
    chunks: dict[bytes, bytes] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    stamp: tuple[int, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, px."""
        return self.image.width, self.image.height

    @property
    def full(self) -> int:
        """The largest sample value."""
        return (1 << self.bits) - 1

    def changed(self) -> str:
        """What has become of the file since it was opened, or ""; its pixels may be read from it only later."""
        try:
            now = _stamp(self.path)
        except OSError:
            return "is no longer there"
        return "was changed" if now != self.stamp else ""

    def crop(self, box: Box) -> NDArray[Any]:
        """The samples of a box as H x W x bands, uint8 or uint16. Raises WireError("bad_image") for a damaged file."""
        try:
            pixels: NDArray[Any] = self.image.crop(*box).numpy()
        except Exception as error:
            raise damaged(self.path) from error
        return pixels if pixels.ndim == 3 else pixels[:, :, None]


@dataclass(frozen=True)
class Opened:
    """A file whose pixels are all there, whatever they are."""

    kind: str
    image: pyvips.Image
    page: tiff_pages.Page | None
    chunks: dict[bytes, bytes]
    notes: list[str]


def open_picture(path: Path, check: SizeCheck | None = None) -> PictureFile:
    """Open a picture for editing; it is decoded once.

    Args:
        check: raises when a picture of this size is of no use; asked before anything is decoded.
    Raises:
        WireError: bad_image; the message names the file and says what is the matter.
    """
    stamp = _stamp(path) if path.exists() else ()
    opened_file = opened(path, check)
    image, chunks = opened_file.image, opened_file.chunks
    colours, bits = colours_and_bits(image)
    if colours is None or bits is None:
        raise WireError(
            "bad_image",
            f"“{path.name}” is {in_words(image)}; S²Edit takes gray or RGB with 8 or 16 bits.",
            "Convert it to RGB in an image editor first.",
        )
    if image.bands not in (colours, colours + 1):
        raise WireError(
            "bad_image", f"“{path.name}” has {image.bands} channels; at most one alpha channel is possible."
        )
    colour = source_colour.find(image, chunks, colours, path.name)
    if colour.made and colour.profile is not None:
        image = image.copy()
        image.set_type(_blob(), "icc-profile-data", colour.profile)
    after = image.bands == colours + 1
    extra = after and opened_file.page is not None and opened_file.page.extra[:1] == (tiff_pages.UNSPECIFIED,)
    notes = [*opened_file.notes, *_depth_notes(opened_file, path.name), *colour.notes]
    return PictureFile(
        path,
        opened_file.kind,
        image,
        bits,
        colours,
        after and not extra,
        colour.profile,
        has_extra=extra,
        made_profile=colour.made,
        chunks=chunks,
        notes=tuple(notes),
        stamp=stamp,
    )


def opened(path: Path, check: SizeCheck | None = None) -> Opened:
    """Open a file of pixels and decode it once, if it is of a kind that is taken. Raises WireError("bad_image")."""
    kind = decoding.kind_of(path)
    page, smaller = tiff_pages.main_page(path) if kind == "tiff" else (None, 0)
    chunks = png_file.chunks(path) if kind == "png" else {}
    if b"acTL" in chunks:
        raise WireError("bad_image", f"“{path.name}” is animated.", "Save the frame to edit by itself.")
    header = decoding.header(path, kind, page.number if page else 0)
    _check_size(header, path, several=page is None)
    if check is not None:
        colours, bits = colours_and_bits(header)
        check((header.width, header.height), (colours or 1) * (bits or 8) // 8)
    if None in colours_and_bits(header):
        # It will be refused for what it is; not a sample of it has to be read for that, nor called damaged.
        return Opened(kind, header, page, chunks, [])
    image, notes = decoding.load(path, kind, page)
    if smaller:
        notes = [*notes, f"“{path.name}” also holds smaller copies of the picture; they are left out."]
    if image.get_typeof("orientation") and image.get("orientation") > 1:
        image = image.autorot()
    return Opened(kind, image, page, chunks, notes)


def colours_and_bits(image: pyvips.Image) -> tuple[int | None, int | None]:
    """1 or 3 colours and 8 or 16 bits, or None for what is not taken."""
    return _SPACES.get(image.interpretation), _BITS.get(image.format)


def in_words(image: pyvips.Image) -> str:
    """What else it is, for people."""
    return "CMYK" if image.interpretation == "cmyk" else f"of the kind {image.interpretation}/{image.format}"


def _stamp(path: Path) -> tuple[int, ...]:
    status = path.stat()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _check_size(image: pyvips.Image, path: Path, *, several: bool) -> None:
    """Before a pixel is decoded."""
    if image.width > MAX_SIDE or image.height > MAX_SIDE:
        raise WireError("bad_image", f"“{path.name}” is over {MAX_SIDE} pixels wide or high.", "Edit a part of it.")
    if image.width * image.height * image.bands * _BYTES.get(image.format, 8) > MAX_BYTES:
        raise WireError("bad_image", f"“{path.name}” takes more than {MAX_BYTES >> 30} GiB.", "Edit a part of it.")
    if several and image.get_typeof("n-pages") and image.get("n-pages") > 1:
        raise WireError("bad_image", f"“{path.name}” has several pages or frames.", "Save the one to edit by itself.")


def _depth_notes(opened_file: Opened, name: str) -> list[str]:
    page, head = opened_file.page, opened_file.chunks.get(b"IHDR", b"")
    palette = page.palette if page else head[9:10] == b"\x03"
    bits = page.bits if page else head[8] if len(head) == 13 else 8
    notes = []
    if palette:
        words = "has a palette, which has fewer colours than an edit makes; the result is written with full colours."
        notes.append(f"“{name}” {words}")
    elif bits < 8:
        few = f"{bits} bit{'s' * (bits > 1)} a sample, too few for what an edit makes"
        notes.append(f"“{name}” has {few}; the result is written with 8.")
    if page and page.primaries and not opened_file.image.get_typeof("icc-profile-data"):
        notes.append(f"“{name}” gives its colours by tags that S²Edit does not read; they are taken for sRGB.")
    if page and page.extra[:1] == (tiff_pages.ASSOCIATED,):
        notes.append(f"The transparency in “{name}” is premultiplied; the result is written without that.")
    return notes


def _blob() -> Any:
    import pyvips

    return pyvips.GValue.blob_type
