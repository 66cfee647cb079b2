"""The line about the chosen model, once for its download and licence: shown while there is something to do."""

from __future__ import annotations

from collections.abc import Callable

from gi.repository import Gtk
from s2edit_editor.models import Remark
from s2edit_editor.text import _

from .widgets import SPACING, note, room_for

LINES = 3


class ModelRow:
    """Empty unless the model isn't ready, or does not suit the picture; its place stays, so that nothing else moves.

    Args:
        pressed: called when the button is.
    """

    def __init__(self, pressed: Callable[[], None]) -> None:
        self.widget = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=SPACING)
        self._text = note()
        self._button = Gtk.Button(use_underline=True)
        self._button.set_valign(Gtk.Align.CENTER)
        self._button.connect("clicked", lambda _button: pressed())
        self.widget.pack_start(room_for(self._text, LINES), True, True, 0)
        self.widget.pack_start(self._button, False, False, 0)
        self.widget.show_all()
        self.widget.set_size_request(-1, self._button.get_preferred_height()[0])  # also where there is no button
        self._button.set_no_show_all(True)
        self._button.hide()

    def show(self, remark: Remark) -> None:
        """Show what is to be said now."""
        self._text.set_text(remark.text)
        keyed = {"download": _("_Get It…"), "repair": _("Repa_ir"), "": _("_Use It")}  # with keys that nothing else has
        self._button.set_label(keyed.get(remark.action, remark.label))
        self._button.set_visible(bool(remark.label))
