"""A field for text that may go over several lines."""

from __future__ import annotations

from collections.abc import Callable

from gi.repository import Gdk, Gtk, Pango

from .widgets import SPACING

LINES = 2
"""Lines that are seen; more are scrolled to, so that nothing moves while somebody types."""
_ENTER = (Gdk.KEY_Return, Gdk.KEY_KP_Enter, Gdk.KEY_ISO_Enter)


class Prompt:
    """Enter begins a new line; see `sends` for what hands the form in.

    Args:
        changed: called when the text did.

    Attributes:
        widget: what to put into a row. view: what takes the cursor.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self.view = Gtk.TextView(accepts_tab=False, wrap_mode=Gtk.WrapMode.WORD_CHAR)
        for set_margin in (self.view.set_left_margin, self.view.set_top_margin, self.view.set_bottom_margin):
            set_margin(SPACING)
        self.view.set_right_margin(4 * SPACING)  # for the mark
        self._buffer = self.view.get_buffer()
        self._example = Gtk.Label(xalign=0.0, yalign=0.0, ellipsize=Pango.EllipsizeMode.END)
        self._mark = Gtk.Image(halign=Gtk.Align.END, valign=Gtk.Align.START, margin_end=SPACING)
        # A dialog that comes up shows all that is in it, also over text that stands there by then.
        self._example.set_no_show_all(True)
        self._example.show()
        self._example.get_style_context().add_class("dim-label")
        frame = Gtk.ScrolledWindow(shadow_type=Gtk.ShadowType.IN, hscrollbar_policy=Gtk.PolicyType.NEVER)
        frame.set_overlay_scrolling(False)  # a bar that fades gets events when its dialog is gone
        _width, height = self.view.create_pango_layout("S").get_pixel_size()
        frame.set_min_content_height(LINES * height + 2 * SPACING)
        frame.add(self.view)
        self.widget = Gtk.Overlay()
        self.widget.add(frame)
        self._example.set_margin_start(SPACING)
        for over in (self._example, self._mark):
            over.set_margin_top(SPACING)
            self.widget.add_overlay(over)
            self.widget.set_overlay_pass_through(over, True)
        self._buffer.connect("changed", lambda _buffer: self._example.set_visible(not self.text))
        self._buffer.connect("changed", lambda _buffer: changed())

    @property
    def text(self) -> str:
        """What is typed."""
        return str(self._buffer.get_text(self._buffer.get_start_iter(), self._buffer.get_end_iter(), False))

    @text.setter
    def text(self, text: str) -> None:
        self._buffer.set_text(text)

    def show_example(self, text: str) -> None:
        """What is seen while nothing is typed."""
        self._example.set_text(text)

    def mark(self, icon: str | None, message: str) -> None:
        """An icon at its end, None for none, and what there is to be said."""
        self._mark.set_from_icon_name(icon, Gtk.IconSize.MENU)
        self.view.set_tooltip_text(message or None)


def sends(event: Gdk.EventKey) -> bool:
    """Whether a key hands the form in: Enter with Ctrl or Shift."""
    held = event.state & (Gdk.ModifierType.CONTROL_MASK | Gdk.ModifierType.SHIFT_MASK)
    return event.keyval in _ENTER and bool(held)
