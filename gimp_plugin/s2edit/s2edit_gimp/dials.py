"""The numbers of the method in the folded part: each shows the model's own value until it is chosen by hand."""

from __future__ import annotations

from collections.abc import Callable

from gi.repository import Gtk
from s2edit_editor.text import _
from s2edit_wire.knobs import Knob

from .widgets import beside, number

RESET = "gimp-reset"
"""GIMP's own icon for going back to what was."""


class Dial:
    """A number and the button that gives it back to the model.

    Args:
        knob: range, step and decimals of the number.
        changed: called when it was chosen by hand, or given back.

    Attributes:
        widget: what to put into a row.
    """

    def __init__(self, knob: Knob, changed: Callable[[], None]) -> None:
        self._own: float | None = None
        self._shown = knob.low
        self._chosen = self._quiet = False
        self._changed = changed
        self._spin = number(knob.low, knob.high, knob.step, knob.decimals, self._turned)
        self._spin.set_width_chars(11)
        self._spin.connect("output", self._show_unknown)
        self._reset = Gtk.Button.new_from_icon_name(RESET, Gtk.IconSize.BUTTON)
        self._reset.set_tooltip_text(_("Back to the model's own value"))
        self._reset.connect("clicked", lambda _button: self._give_back())
        self.widget = beside(self._spin, self._reset)
        self.choose(None)

    @property
    def value(self) -> float | int | None:
        """The number, whole where it has no decimals; None where it is the model's own."""
        return round(self._spin.get_value(), self._spin.get_digits() or None) if self._chosen else None

    def choose(self, value: float | None) -> None:
        """As if chosen by hand, None for the model's own; tells nobody."""
        self._chosen = value is not None
        self._reset.set_sensitive(self._chosen)
        self._put(self._own if value is None else value)

    def show_own(self, value: float) -> None:
        """What the model works with; shown unless another number was chosen by hand."""
        if value != self._own:
            self._own = value
            if not self._chosen:
                self._put(value)

    def commit(self) -> None:
        """Take what is typed but not yet entered."""
        self._spin.update()

    def _turned(self) -> None:
        # GTK also tells of text that it refused, and of decimals that are not shown.
        seen = 10 ** -int(self._spin.get_digits()) / 2
        if not self._quiet and abs(self._spin.get_value() - self._shown) > seen:
            self.choose(self._spin.get_value())
            self._changed()

    def _give_back(self) -> None:
        self.choose(None)
        self._changed()

    def _put(self, value: float | None) -> None:
        self._quiet = True
        # Text that is no number counts as 0 in a field that takes everything; the word shown at first must not.
        known = self._chosen or self._own is not None
        policy = Gtk.SpinButtonUpdatePolicy
        self._spin.set_update_policy(policy.ALWAYS if known else policy.IF_VALID)
        self._spin.set_value(self._spin.get_value() if value is None else value)
        self._shown = self._spin.get_value()
        self._quiet = False

    def _show_unknown(self, spin: Gtk.SpinButton) -> bool:
        """Before the daemon has told the model's own value, there is a word in its place."""
        if self._chosen or self._own is not None:
            return False
        spin.set_text(_("automatic"))
        return True
