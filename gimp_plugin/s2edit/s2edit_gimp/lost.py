"""The line that says that there is no connection to S²Edit, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable

from gi.repository import Gdk, Gtk
from s2edit_editor.text import _

from .widgets import SPACING, note


class LostRow:
    """Shown only without a connection.

    Args:
        again: called to try once more.
    """

    def __init__(self, again: Callable[[], None]) -> None:
        self.widget = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACING)
        self._text = note()
        self._text.set_selectable(True)
        self._text.set_can_focus(False)
        buttons = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=SPACING)
        for label, action in ((_("T_ry Again"), again), (_("Cop_y Text"), self._copy)):
            button = Gtk.Button.new_with_mnemonic(label)
            button.connect("clicked", lambda _button, action=action: action())
            buttons.pack_start(button, False, False, 0)
        self.widget.pack_start(self._text, False, False, 0)
        self.widget.pack_start(buttons, False, False, 0)
        self.widget.show_all()
        self.widget.set_no_show_all(True)
        self.widget.hide()

    def show(self, state: str, message: str) -> None:
        """Take over the session's state."""
        self._text.set_text(message)
        self.widget.set_visible(state == "lost")

    def _copy(self) -> None:
        Gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD).set_text(self._text.get_text(), -1)
