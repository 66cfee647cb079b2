"""The dialog's left column: which layer it is, what will be sent, with the mask over it, and how long it will take."""

from __future__ import annotations

from collections.abc import Sequence

from gi.repository import Gtk, Pango
from s2edit_editor import words
from s2edit_editor.host import MaskChoice
from s2edit_editor.pixels import Box
from s2edit_editor.submission import known
from s2edit_wire.records import PlanReply

from .host import GimpHost
from .thumbnails import crop_picture
from .widgets import SPACING, note

THUMBNAIL = 224
"""Pixels along the picture's longer side."""
COLUMN = 28
"""Characters of a line."""


class Overview:
    """A picture, the layer's name and two notes, in `widget`.

    Args:
        host: the image. layer: mark of what is edited.
    """

    def __init__(self, host: GimpHost, layer: str) -> None:
        self._host, self._layer = host, layer
        self.widget = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACING)
        self._thumbnail = Gtk.Image()
        self._thumbnail.set_size_request(THUMBNAIL, THUMBNAIL)
        frame = Gtk.Frame()
        frame.set_shadow_type(Gtk.ShadowType.IN)
        frame.add(self._thumbnail)
        name = Gtk.Label(label=known(host)[layer].name, xalign=0.0, ellipsize=Pango.EllipsizeMode.MIDDLE)
        self._caption, self._forecast = note(dim=True), note(dim=True)
        for label in (name, self._caption, self._forecast):
            label.set_max_width_chars(COLUMN)
        for widget in (frame, name, self._caption, self._forecast):
            self.widget.pack_start(widget, False, False, 0)

    def show_crop(self, crop: Box, masks: Sequence[MaskChoice]) -> None:
        """Show the part of the layer that will be sent."""
        self._thumbnail.set_from_pixbuf(crop_picture(self._host, self._layer, crop, masks, THUMBNAIL))
        self._caption.set_text(words.part_sent(crop, self._host.frame(self._layer)))

    def show_forecast(self, plan: PlanReply) -> None:
        """Say what the daemon expects of the edit."""
        self._forecast.set_text("\n".join(filter(None, (words.foreseen(plan), words.memory(plan["forecast"])))))
