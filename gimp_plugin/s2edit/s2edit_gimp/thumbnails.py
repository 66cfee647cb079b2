"""Small pictures for GTK: the crop with the mask over it, and what comes from the daemon."""

from __future__ import annotations

from collections.abc import Sequence

from gi.repository import GdkPixbuf, GLib
from s2edit_editor.host import Host, MaskChoice
from s2edit_editor.pixels import Box, Picture, coloured
from s2edit_editor.samples import as_rgb

OVERLAY, OVERLAY_ALPHA = (230, 40, 40), 128
CHECK, CHECKS = 8, (0x666666, 0x999999)
"""Pixels and colours of the checkerboard under transparent pixels, as GIMP draws it."""


def crop_picture(host: Host, layer: str, crop: Box, masks: Sequence[MaskChoice], longest: int) -> GdkPixbuf.Pixbuf:
    """The crop at most `longest` pixels a side, masks in red."""
    step = max(1, max(crop.width, crop.height) // (2 * longest))
    shown = to_pixbuf(host.glance(layer, crop, step))
    size, nearest = (shown.get_width(), shown.get_height()), GdkPixbuf.InterpType.NEAREST
    for mask in masks:
        tint = to_pixbuf(Picture(*size, 4, "u1", coloured(host.coverage(mask, crop, step), OVERLAY)))
        tint.composite(shown, 0, 0, *size, 0, 0, 1, 1, nearest, OVERLAY_ALPHA)
    small = fit(shown, longest)
    return small.composite_color_simple(small.get_width(), small.get_height(), nearest, 255, CHECK, *CHECKS)


def to_pixbuf(picture: Picture) -> GdkPixbuf.Pixbuf:
    """An 8-bit gray, RGB or RGBA picture for GTK."""
    shown = as_rgb(picture) if picture.channels == 1 else picture
    data, rgb, stride = GLib.Bytes.new(bytes(shown.data)), GdkPixbuf.Colorspace.RGB, shown.width * shown.channels
    alpha = shown.channels == 4
    return GdkPixbuf.Pixbuf.new_from_bytes(data, rgb, alpha, 8, shown.width, shown.height, stride)


def fit(pixbuf: GdkPixbuf.Pixbuf, longest: int) -> GdkPixbuf.Pixbuf:
    """Scaled so that its longer side has `longest` pixels."""
    scale = longest / max(pixbuf.get_width(), pixbuf.get_height())
    width, height = max(1, round(pixbuf.get_width() * scale)), max(1, round(pixbuf.get_height() * scale))
    return pixbuf.scale_simple(width, height, GdkPixbuf.InterpType.BILINEAR)
