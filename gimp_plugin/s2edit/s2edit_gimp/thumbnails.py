"""Small pictures for GTK: the crop with the mask over it, and what comes from the daemon."""

from __future__ import annotations

from collections.abc import Sequence

from gi.repository import GdkPixbuf, GLib
from s2edit_editor.host import MaskChoice
from s2edit_editor.pixels import Box, Picture

from .facts import offsets
from .host import GimpHost
from .pixels import read_preview

OVERLAY = (230, 40, 40)
CHECKS = (102, 153)
"""Gray levels of the checkerboard under transparent pixels, as GIMP draws it."""


def crop_picture(host: GimpHost, layer: str, crop: Box, masks: Sequence[MaskChoice], longest: int) -> GdkPixbuf.Pixbuf:
    """The crop at most `longest` pixels a side, masks in red."""
    item = host.layer(layer)
    x, y = offsets(item)
    small = read_preview(item, crop.moved(-x, -y), longest)
    pixels = bytearray(_flatten(small))
    for mask in masks:
        _tint(pixels, small, host.coverage(mask, crop), crop)
    return to_pixbuf(Picture(small.width, small.height, 3, "u1", bytes(pixels)))


def to_pixbuf(picture: Picture) -> GdkPixbuf.Pixbuf:
    """An 8-bit gray or RGB picture for GTK."""
    data = picture.data
    if picture.channels == 1:
        wide = bytearray(3 * len(data))
        for channel in range(3):
            wide[channel::3] = data
        data = bytes(wide)
    return GdkPixbuf.Pixbuf.new_from_bytes(
        GLib.Bytes.new(data), GdkPixbuf.Colorspace.RGB, False, 8, picture.width, picture.height, picture.width * 3
    )


def fit(pixbuf: GdkPixbuf.Pixbuf, longest: int) -> GdkPixbuf.Pixbuf:
    """Scaled so that its longer side has `longest` pixels."""
    scale = longest / max(pixbuf.get_width(), pixbuf.get_height())
    width, height = max(1, round(pixbuf.get_width() * scale)), max(1, round(pixbuf.get_height() * scale))
    return pixbuf.scale_simple(width, height, GdkPixbuf.InterpType.BILINEAR)


def _flatten(small: Picture) -> bytes:
    """RGBA over a checkerboard."""
    out = bytearray(small.width * small.height * 3)
    if bytes(small.data[3::4]).count(255) == small.width * small.height:
        for channel in range(3):
            out[channel::3] = small.data[channel::4]
        return bytes(out)
    for index in range(small.width * small.height):
        red, green, blue, alpha = small.data[index * 4 : index * 4 + 4]
        ground = CHECKS[(index % small.width // 8 + index // small.width // 8) % 2] * (255 - alpha)
        out[index * 3 : index * 3 + 3] = bytes((value * alpha + ground) // 255 for value in (red, green, blue))
    return bytes(out)


def _tint(pixels: bytearray, small: Picture, coverage: bytes, crop: Box) -> None:
    """Lay the overlay's colour half transparent over what is covered."""
    for y in range(small.height):
        row = y * crop[3] // small.height * crop[2]
        for x in range(small.width):
            if coverage[row + x * crop[2] // small.width] > 127:
                start = (y * small.width + x) * 3
                for channel in range(3):
                    pixels[start + channel] = (pixels[start + channel] + OVERLAY[channel]) // 2
