"""Instructions become sentences where the description's words allow, and nothing is guessed where they don't."""

from __future__ import annotations

import pytest
from s2edit_editor.instructions import is_instruction, target_of

WOMAN = "a smiling woman with pink hair"


@pytest.mark.parametrize(
    ("description", "told", "sentence"),
    [
        (WOMAN, "add sunglasses", "a smiling woman with pink hair and sunglasses"),
        (WOMAN, "Add a hat.", "a smiling woman with pink hair and a hat"),
        (WOMAN, "add hat", "a smiling woman with pink hair and a hat"),
        (WOMAN, "please add an earring and glasses", "a smiling woman with pink hair, an earring and glasses"),
        (WOMAN, "give her some lipstick", "a smiling woman with pink hair and lipstick"),
        ("a man", "put on a hat", "a man with a hat"),
        ("a man wearing a suit", "add a tie", "a man wearing a suit and a tie"),
        (WOMAN, "make her hair red", "a smiling woman with red hair"),
        (WOMAN, "make the hair curly", "a smiling woman with pink curly hair"),
        (WOMAN, "dye her hair green", "a smiling woman with green hair"),
        (WOMAN, "change her hair to blue", "a smiling woman with blue hair"),
        (WOMAN, "make her older", "a smiling older woman with pink hair"),
        ("a woman with a hat", "make her older", "an older woman with a hat"),
        ("a woman with a hat", "make the hat orange", "a woman with an orange hat"),
        ("a man", "make him smile", "a smiling man"),
        ("a woman with glasses", "remove the glasses", "a woman"),
        ("a woman with a hat, glasses and a scarf", "take off her glasses", "a woman with a hat and a scarf"),
        ("a man with a long beard and a hat", "remove the beard", "a man with a hat"),
        ("a man with a tall hat", "remove the tall hats", "a man"),
        ("an angry man", "remove the angry", "a man"),
        ("a woman with a hat", "replace the hat with a crown", "a woman with a crown"),
        ("a woman with a hat", "swap hat for crown", "a woman with a crown"),
        ("a woman with a hat", "turn the hat into a helmet", "a woman with a helmet"),
        ("a cat in a garden", "turn the cat into a dog", "a dog in a garden"),
    ],
)
def test_an_instruction_becomes_the_target_sentence(description: str, told: str, sentence: str) -> None:
    assert is_instruction(told)
    assert target_of(description, told) == sentence


@pytest.mark.parametrize(
    ("description", "told"),
    [
        (WOMAN, "remove the glasses"),
        (WOMAN, "replace the hat with a crown"),
        (WOMAN, "make the sky red"),
        ("", "add sunglasses"),
        ("a woman with glasses", "add glasses"),
    ],
)
def test_nothing_is_guessed(description: str, told: str) -> None:
    assert is_instruction(told)
    assert target_of(description, told) is None


@pytest.mark.parametrize(
    "sentence",
    [
        "a smiling woman with red hair",
        "a woman who makes bread",
        "additional hats",
        "eine Frau mit Brille",
        "",
        "crown",
    ],
)
def test_a_sentence_stays_as_it_is(sentence: str) -> None:
    assert not is_instruction(sentence)
    assert target_of(WOMAN, sentence) == sentence
