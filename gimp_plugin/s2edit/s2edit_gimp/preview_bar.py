"""What stands below the jobs while a result is looked at: which one it is, and what can be done."""

from __future__ import annotations

from gi.repository import Gtk
from s2edit_editor.previewing import ADD, DISMISS, NEXT, PREVIOUS, Preview, actions
from s2edit_editor.text import _

from .widgets import BORDER, SPACING, note


class PreviewBar:
    """Hidden while nothing is looked at.

    Args:
        preview: what the buttons act on.

    Attributes:
        widget: what to put into a window.
    """

    def __init__(self, preview: Preview) -> None:
        self._preview = preview
        self.widget = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACING, border_width=BORDER)
        self._words = note()
        buttons = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=SPACING)
        faces = {PREVIOUS: "◀", NEXT: "▶", ADD: _("_Add to Picture"), DISMISS: _("Dismiss")}
        self._buttons = {name: Gtk.Button.new_with_mnemonic(face) for name, face in faces.items()}
        for name, button in self._buttons.items():
            button.set_tooltip_text(actions()[name])
            button.connect("clicked", lambda _button, name=name: preview.acts[name]())
            buttons.pack_start(button, False, False, 0)
        self.widget.pack_start(self._words, False, False, 0)
        self.widget.pack_start(buttons, False, False, 0)
        self.widget.show_all()
        self.widget.set_no_show_all(True)
        self.widget.hide()

    def follow(self) -> None:
        """Show what is looked at now."""
        bar = self._preview.bar
        self.widget.set_visible(bar is not None)
        if bar is not None:
            self._words.set_text(bar.text)
            for name in (PREVIOUS, NEXT):
                self._buttons[name].set_sensitive(bar.several)
