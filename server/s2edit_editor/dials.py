"""The numbers of the method in a form, once for both editors: each is the model's own until somebody turns it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from s2edit_wire.knobs import Knob, Value, knobs

from .wish import Wish, dial_names


class Dial:
    """One setting's number.

    Args:
        knob: the setting.

    Attributes:
        on_show: shows what the dial has now.
        chosen: the number that was chosen by hand, None where it is the model's own.
        own: what the model works with; None while nobody has told.
    """

    def __init__(self, knob: Knob) -> None:
        self.knob = knob
        self.chosen: float | None = None
        self.own: float | None = None
        self.on_show: Callable[[], None] = lambda: None

    @property
    def value(self) -> float | int | None:
        """The number as it is sent: with as many decimals as its steps have, None where it is the model's own."""
        return None if self.chosen is None else round(self.chosen, self.knob.decimals or None)

    @property
    def shown(self) -> float | None:
        """The number to be seen; None where none is known yet."""
        return self.own if self.chosen is None else self.chosen

    def choose(self, value: float | None) -> None:
        """Turned to this number, None to give it back to the model."""
        self.chosen = value
        self.on_show()

    def know(self, value: float) -> None:
        """What a plan works with; passed over while a number chosen by hand is in force, as that is what it tells."""
        if self.chosen is None and value != self.own:
            self.own = value
            self.on_show()


class Dials:
    """All dials of a form, and the settings that have none.

    Attributes:
        all: by the setting's name, in the order in which they are shown.
    """

    def __init__(self) -> None:
        self.all = {name: Dial(knobs()[name]) for name in dial_names()}
        self._kept: dict[str, Value] = {}

    def settings(self) -> Mapping[str, Value]:
        """What was chosen by hand, and what was filled in last without having a dial; all else is the model's own."""
        return Wish(settings=self._kept).with_dials({name: dial.value for name, dial in self.all.items()}).settings

    def know(self, settings: Mapping[str, Value]) -> None:
        """What the model works with (a plan's `settings`)."""
        for name, dial in self.all.items():
            if name in settings:
                dial.know(float(settings[name]))

    def fill(self, wish: Wish) -> None:
        """A wish's settings; what is not among them is the model's own."""
        self._kept = wish.unseen
        for name, dial in self.all.items():
            chosen = wish.settings.get(name)
            dial.choose(None if chosen is None else float(chosen))
