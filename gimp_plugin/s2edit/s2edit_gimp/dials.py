"""The numbers of the method in the folded part (`s2edit_editor.dials`)."""

from __future__ import annotations

from collections.abc import Callable

from gi.repository import Gtk
from s2edit_editor.dials import Dial
from s2edit_editor.text import _

from .widgets import beside, number

RESET = "gimp-reset"
"""GIMP's own icon for going back to what was."""


class DialRow:
    """A number and the button that gives it back to the model.

    Args:
        dial: what it shows.
        changed: called when it was chosen by hand, or given back.

    Attributes:
        widget: what to put into a row.
    """

    def __init__(self, dial: Dial, changed: Callable[[], None]) -> None:
        self._dial, self._changed, knob = dial, changed, dial.knob
        self._shown = knob.low
        self._quiet = False
        self._spin = number(knob.low, knob.high, knob.step, knob.decimals, self._turned)
        self._spin.set_width_chars(11)
        self._spin.connect("output", self._show_unknown)
        self._reset = Gtk.Button.new_from_icon_name(RESET, Gtk.IconSize.BUTTON)
        self._reset.set_tooltip_text(_("Back to the model's own value"))
        self._reset.connect("clicked", lambda _button: self._turn(None))
        self.widget = beside(self._spin, self._reset)
        dial.on_show = self._show
        self._show()

    def commit(self) -> None:
        """Take what is typed but not yet entered."""
        self._spin.update()

    def _turned(self) -> None:
        # GTK also tells of text that it refused, and of decimals that are not shown.
        seen = 10 ** -int(self._spin.get_digits()) / 2
        if not self._quiet and abs(self._spin.get_value() - self._shown) > seen:
            self._turn(self._spin.get_value())

    def _turn(self, value: float | None) -> None:
        self._dial.choose(value)
        self._changed()

    def _show(self) -> None:
        known, policy = self._dial.shown, Gtk.SpinButtonUpdatePolicy
        self._quiet = True
        self._reset.set_sensitive(self._dial.chosen is not None)
        # Text that is no number counts as 0 in a field that takes everything; the word shown at first must not.
        self._spin.set_update_policy(policy.IF_VALID if known is None else policy.ALWAYS)
        self._spin.set_value(self._spin.get_value() if known is None else known)
        self._shown = self._spin.get_value()
        self._quiet = False

    def _show_unknown(self, spin: Gtk.SpinButton) -> bool:
        """Before the daemon has told the model's own value, there is a word in its place."""
        if self._dial.shown is not None:
            return False
        spin.set_text(_("automatic"))
        return True
