"""What a document remembers of its edits goes round; damaged, it is empty."""

from __future__ import annotations

import json

import pytest
from s2edit_editor.register import MaskLayer, Register

WHOLE = Register("d" * 32, {"m": MaskLayer("hat", "photo")}, {"j": "result"}, {"result": "photo"}, ["photo"])


def test_it_goes_round() -> None:
    assert Register.from_bytes(WHOLE.to_bytes()) == WHOLE
    older = json.loads(WHOLE.to_bytes())
    del older["made_from"], older["unedited"]
    assert Register.from_bytes(json.dumps(older).encode()).applied == WHOLE.applied


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"null", b"{}", b"\xff", WHOLE.to_bytes().replace(b"1", b"2"), WHOLE.to_bytes()[:-9]],
    ids=["none", "cut", "list", "null", "empty", "no text", "newer", "cut at its end"],
)
def test_what_can_not_be_read_is_nothing(raw: bytes) -> None:
    assert Register.from_bytes(raw) == Register()


@pytest.mark.parametrize(
    "masks", [{"m": {"word": "hat"}}, {"m": {"word": "hat", "layer": "p", "more": 1}}, {"m": 3}, 7]
)
def test_a_damaged_part_is_nothing_of_all(masks: object) -> None:
    assert Register.from_bytes(json.dumps({**json.loads(WHOLE.to_bytes()), "masks": masks}).encode()) == Register()


def test_the_newest_result_is_the_last() -> None:
    register = Register()
    for job, layer in (("a", "1"), ("b", "2"), ("a", "3")):
        register.applied_as(job, layer, "photo")
    assert list(register.applied) == ["b", "a"]
    assert (register.job_of("3"), register.job_of("1"), register.made_from["3"]) == ("a", "", "photo")
