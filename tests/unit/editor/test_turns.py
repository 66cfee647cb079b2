"""Work that can wait, done at once and in turns."""

from __future__ import annotations

import pytest
from s2edit_editor.turns import Work, at_once, in_turns, quick
from s2edit_wire.errors import WireError
from s2edit_wire.loop import Callback


def counted(seen: list[int], most: int) -> Work[int]:
    for number in range(most):
        seen.append(number)
        yield
    if most > 3:
        raise ValueError(most)
    return most


def test_all_of_it_is_done_and_its_end_told() -> None:
    seen: list[int] = []
    assert at_once(counted(seen, 3)) == 3
    assert seen == [0, 1, 2]
    assert at_once(counted(seen, 0)) == 0
    with pytest.raises(ValueError, match="4"):
        at_once(counted(seen, 4))


class Later:
    """A loop that is turned by hand."""

    def __init__(self) -> None:
        self.waiting: list[Callback] = []

    def call_later(self, _seconds: float, callback: Callback) -> object:
        self.waiting.append(callback)
        return callback

    def add_reader(self, _descriptor: int, _callback: Callback) -> object:
        raise AssertionError("no socket here")

    add_writer = add_reader

    def remove(self, _handle: object) -> None:
        raise AssertionError("nothing is taken back")

    def run(self) -> int:
        """All turns; how many there were."""
        turns = 0
        while self.waiting:
            self.waiting.pop(0)()
            turns += 1
        return turns


def broken(error: Exception) -> Work[int]:
    yield
    raise error


@pytest.mark.parametrize(
    ("work", "turns", "told"),
    [
        (counted([], 3), 3, 3),
        (quick(lambda: 7)(), 0, 7),
        (broken(WireError("bad_image", "Gone.")), 1, "bad_image Gone."),
        (broken(RuntimeError("wrapped C/C++ object")), 1, "internal Something went wrong inside S²Edit."),
    ],
    ids=["in turns", "quick", "refused", "broken"],
)
def test_work_goes_on_at_each_turn_and_whoever_waits_hears_of_its_end(
    work: Work[int], turns: int, told: object, capsys: pytest.CaptureFixture[str]
) -> None:
    loop, heard = Later(), list[object]()
    in_turns(loop, work, heard.append, lambda error: heard.append(f"{error.code} {error.message}"), lambda: True)
    assert loop.run() == turns
    assert heard == [told]
    assert ("Traceback" in capsys.readouterr().err) == str(told).startswith("internal"), "and it is found in the log"


def test_work_on_what_is_gone_is_given_up_and_nobody_told() -> None:
    loop, heard, there, seen = Later(), list[object](), [True], list[int]()
    in_turns(loop, counted(seen, 3), heard.append, heard.append, lambda: there[0])
    there[0] = False
    assert loop.run() == 1
    assert (seen, heard) == ([0], [])
