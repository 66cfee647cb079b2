"""The small CLIP tokenizer: caption words are single tokens, unknown words survive the round trip, [I] can be added."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from s2edit.starter.attributes import sample_attributes
from s2edit.starter.captions import caption, vocabulary
from s2edit.starter.tokenizer import MAX_TOKENS, RARE, new_tokenizer

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
