"""The words of the objects after an edit, from the two sentences alone; needs no GIMP."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ..lab import PROJECT


@pytest.fixture
def words_now(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """The plug-in's function, without GIMP."""
    monkeypatch.syspath_prepend(str(PROJECT / "gimp_plugin" / "s2edit"))
    before = {name for name in sys.modules if name.startswith("s2edit_gimp")}
    from s2edit_gimp.wording import words_now  # type: ignore[import-not-found]

    yield words_now
    for name in [name for name in sys.modules if name.startswith("s2edit_gimp") and name not in before]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("words", "before", "after", "expected"),
    [
        (["hat"], "a portrait of a woman with a hat", "a portrait of a woman with a crown", ["crown"]),
        (["man"], "a man", "a smiling man with a beard", ["man"]),
        (["brown hair", "man"], "a man with brown hair", "a man with red hair and a beard", ["red hair", "man"]),
        (["hat"], "a hat on a man, sad", "a man with a Hat", ["hat"]),
        (["cat"], "a cat.", "a dog!", ["dog"]),
    ],
)
def test_an_object_is_called_what_took_its_place(
    words_now: Any, words: list[str], before: str, after: str, expected: list[str]
) -> None:
    assert words_now(words, before, after) == expected


@pytest.mark.parametrize(("before", "after"), [("a man with a hat", "a man"), ("a woman", "a man"), ("", "")])
def test_what_is_gone_has_no_name(words_now: Any, before: str, after: str) -> None:
    assert words_now(["hat"], before, after) == []
