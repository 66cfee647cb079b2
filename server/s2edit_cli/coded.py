"""Whether a JPEG's or a WebP's pixels are all there, be it a file of its own or a strip or tile of a TIFF.

Neither code has a checksum. Damage shows where the decoder trips over it, by values that no encoder writes, and by bits
that are left over.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from . import jpeg_stream, webp_stream
from .complaints import complaints

if TYPE_CHECKING:
    import pyvips

Size = tuple[int, int]
"""Width and height, px."""


@dataclass(frozen=True)
class Soundness:
    """What the bits of a picture tell.

    Args:
        damaged: pixels are missing or wrong. doubtful: there are more bits than the pixels need, as after most damage.
    """

    damaged: bool = False
    doubtful: bool = False


def jpeg(stream: jpeg_stream.Stream, path: Path | None = None, most: Size | None = None) -> Soundness:
    """Decode a JPEG twice, once small.

    Args:
        path: the file that is shown as being decoded, if any. most: larger than this it is damaged, and not decoded.
    Raises:
        pyvips.Error: where the decoding ended.
    """
    import pyvips

    bare = stream.bare
    if _is_larger(pyvips.Image.jpegload_buffer(bare), most):
        return Soundness(damaged=True)
    said = complaints(lambda: pyvips.Image.jpegload_buffer(bare, access="sequential", revalidate=True), path)
    odd_end = [words for words in said if "extraneous bytes before marker 0xd9" in words]
    impossible, more = _levels(stream)
    wrong = len(odd_end) < len(said) or (not stream.ended and stream.lacks_scans()) or impossible
    return Soundness(wrong, bool(odd_end) or more)


def webp(data: bytes, path: Path | None = None, most: Size | None = None) -> Soundness:
    """Decode a WebP, and once more for each stream of code in it; arguments and error as of `jpeg`."""
    import pyvips

    if webp_stream.is_cut(data) or _is_larger(pyvips.Image.webpload_buffer(data), most):
        return Soundness(damaged=True)
    complaints(lambda: pyvips.Image.webpload_buffer(data, fail_on="error", access="sequential"), path)
    return Soundness(doubtful=any(_decodes(shorter) for shorter in webp_stream.shortened(data)))


def _is_larger(image: pyvips.Image, most: Size | None) -> bool:
    return most is not None and (image.width > most[0] or image.height > most[1])


def _decodes(data: bytes) -> bool:
    import pyvips

    try:
        pyvips.Image.webpload_buffer(data, fail_on="error", access="sequential").avg()
    except pyvips.Error:
        return False
    return True


def _levels(stream: jpeg_stream.Stream) -> tuple[bool, bool]:
    """Whether a block is brighter or darker than any picture's, as after lost bits, and whether bits are left over."""
    import pyvips

    found = stream.levels()
    if found is None:
        return False, False
    image = pyvips.Image.jpegload_buffer(found.data, shrink=8)
    # libvips gives one sample without dimensions.
    small = image.numpy().reshape(image.height, image.width, image.bands)
    rows = image.height - found.more_rows
    beyond = small[-1, found.more_from :] if found.more_rows else small[:0, 0]
    more = bool((beyond != beyond[:1]).any())
    shown = small[:rows]
    impossible = found.most is not None and (shown.min() < 128 - found.most or shown.max() > 128 + found.most)
    return bool(impossible), more
