"""Pixels out of and into GIMP's buffers, at every precision; the only place that touches GEGL.

Colour leaves as sRGB-encoded samples (babl converts from the image's own space) and enters the same way. Samples are
8-bit for 8-bit images, 16-bit for 16-bit ones and 32-bit float for all others. Boxes are (x, y, width, height) in the
drawable's own coordinates.
"""

from __future__ import annotations

from gi.repository import Gegl, Gimp
from s2edit_editor import pixels
from s2edit_editor.pixels import Picture, coloured
from s2edit_editor.samples import are_alike, sampled

Box = tuple[int, int, int, int]
BABL_TYPE = {"u1": "u8", "u2": "u16", "f4": "float"}
MODEL = {1: "Y'", 2: "Y'A", 3: "R'G'B'", 4: "R'G'B'A"}
"""babl's colour models by number of channels."""
SAFE_PIXELS = 32_000
"""babl converts at most this many pixels at once into 16-bit buffers of another space without corrupting the rest."""
CHECKED_ROWS, ROUNDING = 24, 0.04


def sample_type(image: Gimp.Image) -> str:
    """The dtype in which an image's pixels travel."""
    name = image.get_precision().value_nick
    return "u1" if name.startswith("u8") else "u2" if name.startswith("u16") else "f4"


def read_colour(drawable: Gimp.Drawable, box: Box) -> Picture:
    """The drawable's pixels in a box inside it, sRGB-encoded, with alpha where the drawable has it."""
    dtype = sample_type(drawable.get_image())
    channels = (1 if drawable.is_gray() else 3) + drawable.has_alpha()
    data = _get(drawable.get_buffer(), box, f"{MODEL[channels]} {BABL_TYPE[dtype]}")
    return Picture(box[2], box[3], channels, dtype, data)


def read_rgba(drawable: Gimp.Drawable, box: Box) -> bytes:
    """The pixels of a box, sRGB-encoded, 8-bit RGBA."""
    return _get(drawable.get_buffer(), box, "R'G'B'A u8")


def read_thinned(drawable: Gimp.Drawable, box: Box, step: int) -> Picture:
    """Every `step`-th pixel of every `step`-th row of a box, 8-bit RGBA, at a cost that hardly grows with it."""
    data = sampled(lambda *band: read_rgba(drawable, band), pixels.Box(*box), step)
    _x, _y, width, height = pixels.Box(*box).thinned(step)
    return Picture(width, height, 4, "u1", data)


def read_coverage(drawable: Gimp.Drawable, box: Box) -> bytes:
    """A channel, layer mask or selection in a box as 8-bit coverage; 0 outside the drawable."""
    return _get(drawable.get_buffer(), box, "Y u8")


def read_opacity(layer: Gimp.Layer, box: Box, dtype: str = "u1") -> bytes:
    """A layer's alpha in a box; 0 outside the layer."""
    return _get(layer.get_buffer(), box, f"A {BABL_TYPE[dtype]}")


def read_preview(drawable: Gimp.Drawable, box: Box, longest: int) -> Picture:
    """A box shrunk to at most `longest` pixels a side, 8-bit RGBA."""
    scale = min(1.0, longest / max(box[2], box[3]))
    x, y, width, height = (round(value * scale) for value in box)
    width, height = max(1, width), max(1, height)
    rectangle = Gegl.Rectangle.new(x, y, width, height)
    data = bytes(drawable.get_buffer().get(rectangle, scale, "R'G'B'A u8", Gegl.AbyssPolicy.NONE))
    return Picture(width, height, 4, "u1", data)


def stretched(image: Gimp.Image, picture: Picture, width: int, height: int) -> Picture:
    """A picture of 1 or 3 channels at another size, by GIMP's own scaling, in the image's precision."""
    base = Gimp.ImageBaseType.GRAY if picture.channels == 1 else Gimp.ImageBaseType.RGB
    kind = Gimp.ImageType.GRAY_IMAGE if picture.channels == 1 else Gimp.ImageType.RGB_IMAGE
    scratch = Gimp.Image.new_with_precision(picture.width, picture.height, base, image.get_precision())
    try:
        normal = Gimp.LayerMode.NORMAL
        layer = Gimp.Layer.new(scratch, "stretched", picture.width, picture.height, kind, 100.0, normal)
        scratch.insert_layer(layer, None, 0)
        write_colour(layer, picture)
        scratch.scale(width, height)
        return read_colour(layer, (0, 0, width, height))
    finally:
        scratch.delete()


def write_colour(drawable: Gimp.Drawable, picture: Picture) -> None:
    """Fill a drawable of the picture's size with it (sRGB-encoded; opaque without alpha), and check that it arrived."""
    _set(drawable, picture, f"{MODEL[picture.channels]} {BABL_TYPE[picture.dtype]}")


def write_coverage(drawable: Gimp.Drawable, picture: Picture) -> None:
    """Fill a layer mask or channel of the picture's size with it (1 channel, linear), and check that it arrived."""
    _set(drawable, picture, f"Y {BABL_TYPE[picture.dtype]}")


def write_tint(layer: Gimp.Layer, mask: Picture, box: Box) -> None:
    """Fill a box of a layer with red whose alpha is the mask, an 8-bit picture of the box's size."""
    data = coloured(mask.data, (255, 0, 0))
    buffer = layer.get_buffer()
    rows = max(1, SAFE_PIXELS // mask.width)
    for top in range(0, mask.height, rows):
        height = min(rows, mask.height - top)
        band = bytes(data[top * mask.width * 4 : (top + height) * mask.width * 4])
        buffer.set(Gegl.Rectangle.new(box[0], box[1] + top, mask.width, height), "R'G'B'A u8", band)
    buffer.flush()
    layer.update(*box)


def _get(buffer: Gegl.Buffer, box: Box, encoding: str) -> bytes:
    return bytes(buffer.get(Gegl.Rectangle.new(*box), 1.0, encoding, Gegl.AbyssPolicy.NONE))


def _set(drawable: Gimp.Drawable, picture: Picture, encoding: str) -> None:
    buffer = drawable.get_buffer()
    buffer.set(Gegl.Rectangle.new(0, 0, picture.width, picture.height), encoding, picture.data)
    if not _arrived(buffer, picture, encoding):
        _set_in_bands(buffer, picture, encoding)
        if not _arrived(buffer, picture, encoding):
            raise OSError("GIMP did not store the pixels as they were written.")
    buffer.flush()
    drawable.update(0, 0, picture.width, picture.height)


def _set_in_bands(buffer: Gegl.Buffer, picture: Picture, encoding: str) -> None:
    """The same in pieces that are small enough for babl."""
    stride = len(picture.data) // picture.height
    rows = max(1, SAFE_PIXELS // picture.width)
    for top in range(0, picture.height, rows):
        height = min(rows, picture.height - top)
        band = picture.data[top * stride : (top + height) * stride]
        buffer.set(Gegl.Rectangle.new(0, top, picture.width, height), encoding, band)


def _arrived(buffer: Gegl.Buffer, picture: Picture, encoding: str) -> bool:
    """Whether some rows, the last among them, read back as they were written, but for rounding on the way."""
    stride = len(picture.data) // picture.height
    for row in {picture.height - 1, *range(0, picture.height, max(1, picture.height // CHECKED_ROWS))}:
        wanted = picture.data[row * stride : (row + 1) * stride]
        if not are_alike(wanted, _get(buffer, (0, row, picture.width, 1), encoding), picture.dtype, ROUNDING):
            return False
    return True
