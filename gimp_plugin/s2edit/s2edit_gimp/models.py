"""The line below the form about the chosen model: its licence, size and download, or which model would fit better."""

from __future__ import annotations

from collections.abc import Callable

from gi.repository import Gtk
from s2edit_editor import models
from s2edit_editor.desk import Desk
from s2edit_editor.text import _
from s2edit_wire.errors import WireError

from .widgets import SPACING, ask, note, room_for

LINES = 3


class ModelRow:
    """Empty unless the model isn't ready, or does not suit the picture; its place stays, so that nothing else moves.

    Args:
        desk: knows the models.
        window: parent of the licence question.
        pick: called with the id of the model that fits better, when the painter wants it.

    Attributes:
        line: what is to be said.
    """

    def __init__(self, desk: Desk, window: Gtk.Window, pick: Callable[[str], None]) -> None:
        self._desk, self._window, self._pick = desk, window, pick
        self.line = models.Line()
        self.widget = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=SPACING)
        self._text = note()
        self._button = Gtk.Button(use_underline=True)
        self._button.set_valign(Gtk.Align.CENTER)
        self._button.connect("clicked", lambda _button: self._act())
        self.widget.pack_start(room_for(self._text, LINES), True, True, 0)
        self.widget.pack_start(self._button, False, False, 0)
        self.widget.show_all()
        self.widget.set_size_request(-1, self._button.get_preferred_height()[0])  # also where there is no button
        self._button.set_no_show_all(True)
        self._button.hide()

    def show(self) -> None:
        """Show what the line says now."""
        remark = self.line.remark
        self._text.set_text(remark.text)
        keyed = {"download": _("_Get It…"), "repair": _("Repa_ir"), "": _("_Use It")}  # with keys that nothing else has
        self._button.set_label(keyed.get(remark.action, remark.label))
        self._button.set_visible(bool(remark.label))

    def _act(self) -> None:
        remark, chosen = self.line.remark, self.line.chosen
        if remark.instead:
            self._pick(remark.instead)
            return
        action, question = self.line.asked(remark.action)
        if question is None or ask(self._window, _("Download Model"), *question):
            self._desk.act_on_model(chosen, action, self._refused)

    def _refused(self, error: WireError) -> None:
        self.line.refused(error)
        self.show()
