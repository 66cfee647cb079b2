"""Work that can wait, done at once."""

from __future__ import annotations

import pytest
from s2edit_editor.turns import Work, at_once


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
