"""Words and their pieces; errors that name the word."""

from __future__ import annotations

import pytest

from s2edit.errors import PromptError
from s2edit.method.alignment import plan_prompts
from s2edit.method.prompts import PromptTokenizer


def test_known_ids(tokenizer: PromptTokenizer) -> None:
    """The ids that every Stable Diffusion tool gives for this prompt."""
    assert tokenizer.encode("a photo of a cat").ids == (49406, 320, 1125, 539, 320, 2368, 49407)
    assert tokenizer.encode("sks").ids[1] == 48136


@pytest.mark.parametrize("word", ["lady", "LADY", "Lady"])
def test_punctuation_belongs_to_no_word(tokenizer: PromptTokenizer, word: str) -> None:
    prompt = tokenizer.encode("a Lady, smiling")
    (position,) = prompt.positions(word)
    assert prompt.ids[position] == tokenizer.encode("lady").ids[1]


def test_word_of_several_pieces(tokenizer: PromptTokenizer) -> None:
    prompt = tokenizer.encode("a lady with eyeglasses")
    positions = prompt.positions("eyeglasses")
    assert len(positions) == 2
    assert [prompt.ids[p] for p in positions] == list(tokenizer.encode("eyeglasses").ids[1:-1])


def test_part_of_a_word_is_no_word(tokenizer: PromptTokenizer) -> None:
    with pytest.raises(PromptError, match="“glasses”") as caught:
        tokenizer.encode("a lady with eyeglasses").positions("glasses")
    assert caught.value.code == "word_not_in_prompt"


def test_several_words_in_a_row(tokenizer: PromptTokenizer) -> None:
    prompt = tokenizer.encode("a man with long  hair")
    assert prompt.positions("long hair") == (*prompt.positions("long"), *prompt.positions("hair"))


def test_whitespace_and_composed_letters(tokenizer: PromptTokenizer) -> None:
    assert tokenizer.encode("  a\n cafe\u0301 ").ids == tokenizer.encode("a café").ids


def test_nothing_is_cut(tokenizer: PromptTokenizer) -> None:
    words = ["very"] * 74 + ["big", "cat"]
    assert len(tokenizer.encode(" ".join(words[:75])).ids) == 77
    with pytest.raises(PromptError, match="“cat” no longer fits") as caught:
        tokenizer.encode(" ".join(words))
    assert caught.value.code == "prompt_too_long"
    with pytest.raises(PromptError, match="“big” no longer fits"):
        tokenizer.encode(" ".join(words[:75]), room=1)
    with pytest.raises(PromptError, match="“eyeglasses” no longer fits"):
        tokenizer.encode(" ".join([*words[:74], "eyeglasses"]))


@pytest.mark.parametrize(
    ("source", "target", "objects", "code"),
    [
        ("", "a cat", ["cat"], "empty_prompt"),
        ("a cat", "  ", ["cat"], "empty_prompt"),
        ("a cat", "a cat", ["cat"], "nothing_to_change"),
        ("a cat", "A  CAT", ["cat"], "nothing_to_change"),
        ("a cat", "a cat with a hat", ["dog"], "word_not_in_prompt"),
        ("a cat", "a dog with a hat", ["cat"], "unaligned_object"),
        ("a cat", "a dog", [], "word_not_in_prompt"),
        ("a <|endoftext|> cat", "a dog", ["cat"], "special_token"),
        ("a dog and a dog", "a dog and a dog with a hat", ["dog", "Dog"], "objects_overlap"),
        ("a man with long hair", "a man with long red hair", ["long hair", "hair"], "objects_overlap"),
        ("a b c d e f g h i", "a b c d e f g h k", list("abcdefghi"), "too_many_objects"),
    ],
)
def test_what_cannot_be_edited(
    tokenizer: PromptTokenizer, source: str, target: str, objects: list[str], code: str
) -> None:
    with pytest.raises(PromptError) as caught:
        plan_prompts(tokenizer, source, target, objects)
    assert caught.value.code == code
    assert caught.value.hint


def test_what_can_be_edited(tokenizer: PromptTokenizer) -> None:
    plan_prompts(tokenizer, "a cat", "a dog", ["cat"])
    plan_prompts(tokenizer, "a cat", "a cat", ["cat"], emphasize={"cat": 2})
    with pytest.raises(PromptError, match="“hat”"):
        plan_prompts(tokenizer, "a cat", "a dog", ["cat"], emphasize={"hat": 2})


def test_emphasis_by_nothing_changes_nothing(tokenizer: PromptTokenizer) -> None:
    with pytest.raises(PromptError) as caught:
        plan_prompts(tokenizer, "a cat", "a cat", ["cat"], emphasize={"cat": 1})
    assert caught.value.code == "nothing_to_change"


def test_an_object_that_is_not_learned_is_still_a_word_of_the_prompt(tokenizer: PromptTokenizer) -> None:
    with pytest.raises(PromptError, match="“dog”"):
        plan_prompts(tokenizer, "a cat", "a cat with a hat", ["dog"], identity=False)


def test_object_words(tokenizer: PromptTokenizer) -> None:
    assert tokenizer.object_words("a smiling young man with a beard on a blue background")[0] == "man"
    assert tokenizer.object_words("an old lady, laughing") == ["lady", "old", "laughing"]
    assert tokenizer.object_words("of the and") == []


def test_identity_goes_before_the_word(tokenizer: PromptTokenizer) -> None:
    plain = tokenizer.encode("a lady with a dog")
    prompt = tokenizer.with_identity(plain, [plain.positions("dog")[0], plain.positions("lady")[0]])
    first = tokenizer.vocabulary_size
    assert [prompt.ids[p] for p in prompt.identity] == [first, first + 1]
    assert [i for i in prompt.ids if i < first] == list(plain.ids)
    assert prompt.positions("dog") == (prompt.identity[0] + 1,)
    assert prompt.positions("lady") == (prompt.identity[1] + 1,)
