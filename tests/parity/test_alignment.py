"""Section 7.1: alignment matrices, against a brute-force alignment and against matrices worked out by hand."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s2edit.method.alignment import align, is_replacement, plan_prompts
from s2edit.method.prompts import PromptTokenizer
from s2edit.model.checkpoints import CONFIGS

TOKENIZER = PromptTokenizer.from_folder(CONFIGS / "sd1")
LENGTH = TOKENIZER.length
WORDS = ["lady", "man", "a", "with", "eyeglasses", "beard", ",", "smiling", "hippopotamuses", "red"]
PROMPTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=9).map(" ".join)


def best_score(x: tuple[int, ...], y: tuple[int, ...]) -> int:
    """Needleman-Wunsch by its definition: match 1, mismatch -1, gap 0."""

    @cache
    def score(i: int, j: int) -> int:
        if i == 0 or j == 0:
            return 0
        return max(
            score(i - 1, j - 1) + (1 if x[i - 1] == y[j - 1] else -1),
            score(i - 1, j),
            score(i, j - 1),
        )

    return score(len(x), len(y))


@settings(max_examples=60, deadline=None)
@given(PROMPTS, PROMPTS)
def test_refine_is_an_optimal_alignment(source: str, target: str) -> None:
    old, new = TOKENIZER.encode(source), TOKENIZER.encode(target)
    found = align(old, new, LENGTH, mode="refine")
    end = len(new.ids)
    pairs = [(int(i), int(j)) for i, j in np.argwhere(found.mapper[:, :end])]
    assert all(old.ids[i] == new.ids[j] for i, j in pairs)
    assert len(pairs) == best_score(old.ids, new.ids)
    assert pairs == sorted(pairs)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    assert set(np.flatnonzero(found.alphas[:end])) == {j for _, j in pairs}
    # Padding keeps its distance from the end token.
    for j in range(end, LENGTH):
        i = j - len(new.ids) + len(old.ids)
        assert found.alphas[j] == (i < LENGTH)
        if i < LENGTH:
            assert found.mapper[i, j] == 1
            assert found.mapper[:, j].sum() == 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(WORDS)), min_size=1, max_size=8))
def test_replace_keeps_the_attention_that_there_is(pairs: list[tuple[str, str]]) -> None:
    old = TOKENIZER.encode(" ".join(a for a, _ in pairs))
    new = TOKENIZER.encode(" ".join(b for _, b in pairs))
    found = align(old, new, LENGTH, mode="replace")
    attention = np.random.default_rng(0).random((3, LENGTH)).astype(np.float32)
    carried = attention @ found.mapper
    for before, after in zip(old.units, new.units, strict=True):
        np.testing.assert_allclose(
            carried[:, list(after.positions)].sum(axis=1), attention[:, list(before.positions)].sum(axis=1), rtol=1e-5
        )
        if len(before.positions) == len(after.positions):
            np.testing.assert_array_equal(carried[:, list(after.positions)], attention[:, list(before.positions)])
    np.testing.assert_array_equal(carried[:, new.end], attention[:, old.end])


def test_unequal_pieces_map_every_later_token() -> None:
    plan = plan_prompts(TOKENIZER, "a lady, smiling", "a hippopotamuses, smiling", ["lady"])
    pieces = len(plan.target.ids) - len(plan.source.ids) + 1
    assert pieces > 2
    ids = plan.target.ids
    assert plan.source.identity == plan.target.identity == (2,)
    # start, a, [I] | lady -> its pieces | "," smiling end, two or more places later
    for i in range(3):
        assert plan.alignment.mapper[i, i] == 1
    np.testing.assert_allclose(plan.alignment.mapper[3, 3 : 3 + pieces], 1 / pieces)
    for i in range(4, len(plan.source.ids)):
        assert plan.alignment.mapper[i, i + pieces - 1] == 1
        assert plan.source.ids[i] == ids[i + pieces - 1]
    assert plan.alignment.changed_source == (3,)
    assert plan.alignment.changed_target == tuple(range(3, 3 + pieces))


def test_added_words_steer_the_blend_without_function_words() -> None:
    plan = plan_prompts(TOKENIZER, "a photo of a lady", "a photo of a lady with eyeglasses and a hat", ["lady"])
    assert plan.alignment.changed_source == ()
    found = {plan.target.ids[p] for p in plan.alignment.changed_target}
    assert found == set(TOKENIZER.encode("eyeglasses hat").ids[1:-1])


@pytest.mark.parametrize(
    ("target", "words"), [("a smiling lady", "smiling"), ("a smiling lady with a hat", "smiling hat")]
)
def test_reweighted_words_steer_the_blend(target: str, words: str) -> None:
    """As in Prompt-to-Prompt's own examples: otherwise an edit that only reweights would have no place."""
    plan = plan_prompts(TOKENIZER, "a smiling lady", target, ["lady"], emphasize={"smiling": 2})
    assert [plan.target.ids[p] for p in plan.alignment.changed_target] == list(TOKENIZER.encode(words).ids[1:-1])
    assert plan.alignment.changed_source == plan.source.positions("smiling")


def test_only_a_function_word_changed() -> None:
    plan = plan_prompts(TOKENIZER, "a lady with a hat", "a lady without a hat", ["lady"])
    assert [plan.target.ids[p] for p in plan.alignment.changed_target] == list(TOKENIZER.encode("without").ids[1:-1])


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("a lady with a hat", "a man with a hat", True),
        ("a man with a beard", "a bald man with glasses", False),
        ("a lady", "a lady with a hat", False),
        ("a lady, smiling", "a lady, frowning", True),
    ],
)
def test_replace_or_refine(source: str, target: str, expected: bool) -> None:
    assert is_replacement(TOKENIZER.encode(source), TOKENIZER.encode(target)) is expected


def test_several_objects_in_any_order() -> None:
    plan = plan_prompts(TOKENIZER, "a cat and a dog", "a cat and a dog with a hat", ["dog", "cat"])
    first = TOKENIZER.vocabulary_size
    for prompt in (plan.source, plan.target):
        assert [prompt.ids[p] for p in prompt.identity] == [first, first + 1]
        assert [prompt.ids[p + 1] for p in prompt.identity] == [
            prompt.ids[prompt.positions(w)[0]] for w in ("dog", "cat")
        ]
        assert prompt.ids[prompt.positions("dog")[0]] == TOKENIZER.encode("dog").ids[1]
