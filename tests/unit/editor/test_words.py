"""What is said of jobs, and how two sentences differ."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from s2edit_editor import rows, sentences, text, words
from s2edit_wire.records import PHASES


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    text.speak(["en"])
    yield
    text.speak(["en"])


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "1 s"), (0.4, "1 s"), (89, "89 s"), (90, "2 min"), (89 * 60, "89 min"), (3600 + 50 * 60, "1 h 50 min")],
)
def test_times(seconds: float, said: str) -> None:
    assert words.duration(seconds) == said


@pytest.mark.parametrize(
    ("count", "said", "german"),
    [
        (0, "1 MB", "1 MB"),
        (38_400_000, "38 MB", "38 MB"),
        (999_000_000, "999 MB", "999 MB"),
        (3.44e9, "3.4 GB", "3,4 GB"),
        (2**32, "4.3 GB", "4,3 GB"),
    ],
)
def test_sizes(count: float, said: str, german: str) -> None:
    assert words.size(count) == said
    text.speak(["de"])
    assert words.size(count) == german


def job(**changes: Any) -> dict[str, Any]:
    return {"state": "running", "phase": "editing", "step": 3, "total": 20, "attempt": 1, "position": 0} | changes


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (job(), "Editing 3/20"),
        (job(eta=8.2), "Editing 3/20 · about 8 s left"),
        (job(total=0, phase="loading", attempt=2), "Loading the model · attempt 2"),
        (job(phase="dreaming", total=0), "dreaming"),
        (job(state="queued", position=2), "Number 2 in the queue"),
        (job(state="queued"), "Waiting"),
        (job(state="paused"), "On hold"),
        (job(state="done"), "Done"),
        (job(state="done", message="Nothing changed.", hint="Paint."), "Nothing changed. Paint."),
        (job(state="cancelled"), "Cancelled"),
        (job(state="failed", message="No object.", hint="Name it."), "No object. Name it."),
        (job(state="failed"), "Failed"),
    ],
)
def test_states(record: dict[str, Any], said: str) -> None:
    assert words.state(record) == said


@pytest.mark.parametrize("there", [True, False])
def test_an_edit_that_changed_nothing_says_so_wherever_its_layer_is(there: bool) -> None:
    record: Any = job(state="done", message="Nothing changed.", hint="Paint.", acknowledged=False)
    edit = {"kind": "edit", "source": "a man", "target": "a man with a hat"}
    assert rows._row(edit, record, None, there=there, coming=False).said == "Nothing changed. Paint."


def test_every_phase_has_words_of_its_own() -> None:
    assert len({words.phase(name) for name in PHASES} - set(PHASES)) == len(PHASES)


def test_the_bar_never_goes_back_from_phase_to_phase() -> None:
    seen = [words.fraction(job(phase=phase, step=step, total=4)) for phase in PHASES for step in range(5)]
    assert seen == sorted(seen)
    assert (words.fraction({}), seen[0], seen[-1]) == (0.0, 0.0, 1.0)
    assert words.fraction(job(started=100.0, created=0.0, eta=30.0), now=110.0) == 0.25


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("a woman", "a woman with sunglasses", "+ sunglasses"),
        ("a portrait of a woman with a hat", "a portrait of a woman with a crown", "hat → crown"),
        ("a man with a beard", "a man", "− beard"),
        ("a man with brown hair", "a man with red hair and a beard", "brown → red, + beard"),
        ("a cat", "A cat.", "A cat."),
        ("", "add sunglasses", "add sunglasses"),  # an instruction
        ("a cat", "", "a cat"),
    ],
)
def test_an_edit_is_called_by_its_difference(before: str, after: str, said: str) -> None:
    assert sentences.title(before, after) == said
    if "+" in said or "−" in said or "→" in said:
        assert sentences.difference(before, after) == said


def test_a_title_is_short_and_of_one_line() -> None:
    entirely = sentences.title("a man", "a very\nlong " + "and longer " * 20 + "tale")
    assert len(entirely) == 60
    assert "\n" not in entirely


@pytest.mark.parametrize(
    ("words_", "before", "after", "expected"),
    [
        (["hat"], "a portrait of a woman with a hat", "a portrait of a woman with a crown", ["crown"]),
        (["man"], "a man", "a smiling man with a beard", ["man"]),
        (["brown hair", "man"], "a man with brown hair", "a man with red hair and a beard", ["red hair", "man"]),
        (["hat"], "a hat on a man, sad", "a man with a Hat", ["hat"]),
        (["cat"], "a cat.", "a dog!", ["dog"]),
        (["hat"], "a man with a hat", "a man", []),
        (["hat"], "a woman", "a man", []),
        (["hat"], "", "", []),
    ],
)
def test_an_object_is_called_what_took_its_place(
    words_: list[str], before: str, after: str, expected: list[str]
) -> None:
    assert sentences.words_now(words_, before, after) == expected


@pytest.mark.parametrize(
    ("before", "after", "candidates", "expected"),
    [
        ("a woman with a hat", "a woman with a crown", ["woman", "hat"], "hat"),
        ("a woman", "a woman with glasses", ["woman"], "woman"),
        ("a woman with a hat", "a woman", ["woman", "hat"], "hat"),
        ("a woman", "", ["woman"], ""),
        ("a woman", "a woman", ["woman"], ""),
        ("a thing", "a woman", [], ""),
    ],
)
def test_the_object_is_what_changes(before: str, after: str, candidates: list[str], expected: str) -> None:
    assert sentences.object_of(before, after, candidates) == expected


@pytest.mark.parametrize(
    ("sentence", "word", "there"),
    [("a Hat.", "hat", True), ("a hatter", "hat", False), ("a red hair", "Red Hair", True), ("a hat", " ", False)],
)
def test_words_are_found_whole(sentence: str, word: str, there: bool) -> None:
    assert sentences.mentions(sentence, word) is there
