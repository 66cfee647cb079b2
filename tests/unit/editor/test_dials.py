"""A dial shows the model's own number, which is not sent, until somebody turns it; and gives it back."""

from __future__ import annotations

import pytest
from s2edit_editor.dials import Dial, Dials
from s2edit_editor.wish import Wish, dial_names
from s2edit_wire.knobs import GUIDANCE, knobs


def whole() -> str:
    return next(name for name in dial_names() if knobs()[name].kind == "whole")


def test_a_dial_shows_what_is_known_and_sends_what_was_chosen() -> None:
    dial, shown = Dial(knobs()[GUIDANCE]), list[float | None]()
    dial.on_show = lambda: shown.append(dial.shown)
    assert [dial.shown, dial.value] == [None, None], "nobody has told yet"
    dial.know(7.5)
    dial.know(7.5)
    dial.choose(3.0)
    dial.know(3.0)
    assert dial.value == 3.0
    dial.choose(None)
    dial.know(8.0)
    assert shown == [7.5, 3.0, 7.5, 8.0], "what a plan tells of a chosen number is not the model's own"


@pytest.mark.parametrize(("name", "turned"), [(GUIDANCE, 3.3000000000000003), (whole(), 41.0)])
def test_a_number_has_the_decimals_of_its_steps(name: str, turned: float) -> None:
    dial = Dial(knobs()[name])
    dial.choose(turned)
    assert str(dial.value) == str(round(turned, knobs()[name].decimals or None))


def test_what_has_no_dial_is_kept_until_something_else_is_filled_in() -> None:
    dials = Dials()
    dials.fill(Wish(settings={"emphasize.beard": 1.5, GUIDANCE: 4.0}))
    assert dials.settings() == {"emphasize.beard": 1.5, GUIDANCE: 4.0}
    dials.all[GUIDANCE].choose(5.0)
    dials.know({GUIDANCE: 8.0, "unknown": 1.0, whole(): 12})
    assert dials.settings() == {"emphasize.beard": 1.5, GUIDANCE: 5.0}, "the model's own is not sent"
    assert dials.all[whole()].shown == 12.0
    dials.fill(Wish())
    assert dials.settings() == {}
