"""The small CLIP tokenizer: caption words are single tokens, unknown words survive the round trip, [I] can be added."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from s2edit.research.starter.attributes import sample_attributes
from s2edit.research.starter.captions import caption, vocabulary
from s2edit.research.starter.robots import ROBOTS
from s2edit.research.training.tokenizer import MAX_TOKENS, RARE, extend_tokenizer, new_tokenizer

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return new_tokenizer(tmp_path_factory.mktemp("tokenizer"))


def test_every_caption_word_is_one_token(tokenizer: Any) -> None:
    for word in [*vocabulary(), *RARE]:
        if "-" not in word:
            assert len(tokenizer.tokenize(word)) == 1, word


def test_captions_fit_and_come_back(tokenizer: Any) -> None:
    for seed in range(500):
        for text in (
            caption(sample_attributes(seed)),
            caption(sample_attributes(seed), np.random.default_rng(seed)),
        ):
            ids = tokenizer(text).input_ids
            assert len(ids) <= MAX_TOKENS, text
            assert tokenizer.decode(ids, skip_special_tokens=True).replace(" ", "") == text.replace(" ", "")


def test_unknown_words_fall_into_pieces_and_keep_their_place(tokenizer: Any) -> None:
    text = "a zebra, eyeglasses"
    encoded = tokenizer(text, return_offsets_mapping=True)
    spans = [text[start:end] for start, end in encoded.offset_mapping if end > start]
    assert "".join(spans) == text.replace(" ", "")
    assert tokenizer.unk_token_id not in encoded.input_ids[1:-1]


def test_an_identity_token_can_be_added(tokenizer: Any, tmp_path: Path) -> None:
    tokenizer.save_pretrained(tmp_path)
    own = type(tokenizer).from_pretrained(tmp_path)
    size = len(own)
    assert own.add_tokens(["[I]"]) == 1
    ids = own("a [I] man").input_ids
    assert ids[2] == size
    assert ids[3] == tokenizer("man").input_ids[1]


def test_new_words_become_tokens_and_known_ones_stay(tokenizer: Any, tmp_path: Path) -> None:
    tokenizer.save_pretrained(tmp_path / "old")
    words = ROBOTS.words()
    more = extend_tokenizer(tmp_path / "old", tmp_path / "new", words)
    assert all(len(more.tokenize(word)) == 1 for word in words)
    old, new = tokenizer.get_vocab(), more.get_vocab()
    assert old.items() <= new.items()
    assert sorted(new.values()) == list(range(len(new)))
    assert (more.bos_token_id, more.eos_token_id) == (tokenizer.bos_token_id, tokenizer.eos_token_id)
    for seed in range(300):
        text = caption(sample_attributes(seed), np.random.default_rng(seed))
        assert more(text).input_ids == tokenizer(text).input_ids
        text = ROBOTS.caption(ROBOTS.sample(seed))
        ids = more(text).input_ids
        assert len(ids) == len(text.replace(",", " ,").split()) + 2 <= MAX_TOKENS
        assert more.decode(ids, skip_special_tokens=True).replace(" ", "") == text.replace(" ", "")

    from s2edit.method.prompts import PromptTokenizer

    assert PromptTokenizer.from_folder(tmp_path / "new").encode(text).ids == tuple(ids)
