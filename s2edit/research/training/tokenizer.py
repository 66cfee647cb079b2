"""A CLIPTokenizer with a small vocabulary: every caption word is one token, anything else falls apart into pieces."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from s2edit.research.starter.captions import vocabulary

if TYPE_CHECKING:
    from pathlib import Path

MAX_TOKENS = 40
START, END = "<|startoftext|>", "<|endoftext|>"
# Rare tokens, as CLIP has them: identity fine-tuning starts its new token from `sks`, and others may want another seed.
RARE = ("sks", "olis", "pll", "swz", "ucd")


def _train(words: list[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """Byte-pair encoding until every word is one token: the new tokens and the merges that make them, in order."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("-", "isolated")
    trainer = trainers.BpeTrainer(vocab_size=1 << 16, min_frequency=0, end_of_word_suffix="</w>", show_progress=False)
    tokenizer.train_from_iterator(words, trainer)
    merges = [tuple(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]]
    return ["".join(pair) for pair in merges], merges


def write_vocabulary(folder: Path) -> None:
    """Write vocab.json and merges.txt for the captions' words, the rare tokens and punctuation into a folder."""
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    letters = list(bytes_to_unicode().values())  # byte-level BPE's stand-ins, as CLIP's own vocabulary begins
    made, merges = _train([*vocabulary(), *RARE])
    tokens = [*letters, *(letter + "</w>" for letter in letters), *dict.fromkeys(made), START, END]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({token: index for index, token in enumerate(tokens)}), "utf-8")
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", "utf-8")


def _save(folder: Path, vocab: dict[str, int], merges: list[tuple[str, str]]) -> Any:
    from transformers import CLIPTokenizer

    tokenizer = CLIPTokenizer(
        vocab=vocab,
        merges=merges,
        model_max_length=MAX_TOKENS,
        bos_token=START,
        eos_token=END,
        pad_token=END,
        unk_token=END,
    )
    tokenizer.save_pretrained(folder)
    return CLIPTokenizer.from_pretrained(folder, local_files_only=True)


def new_tokenizer(folder: Path) -> Any:
    """Make the tokenizer in a folder and return it as a transformers CLIPTokenizer of at most 40 tokens."""
    write_vocabulary(folder)
    vocab = json.loads((folder / "vocab.json").read_text("utf-8"))
    pairs = [line.split() for line in (folder / "merges.txt").read_text("utf-8").splitlines()[1:]]
    return _save(folder, vocab, [(left, right) for left, right in pairs])


def open_tokenizer(folder: Path) -> Any:
    """The tokenizer in a folder; made there for the portraits' words when the folder has none."""
    from transformers import CLIPTokenizer

    if not (folder / "tokenizer.json").exists():
        return new_tokenizer(folder)
    return CLIPTokenizer.from_pretrained(folder, local_files_only=True)


def extend_tokenizer(base: Path, folder: Path, words: list[str]) -> Any:
    """Write the tokenizer of `base` into `folder` with more words that are one token each; no known token changes.

    The merges that make a new word come after all others, so whatever was one token stays that token, with its id.
    New ids begin at the old vocabulary's size. (Added tokens would be looked for before all merges, and inside words.)

    Args:
        base: a tokenizer's folder.
        folder: where to write; may be `base`.
        words: lower-case words; those that are one token already are passed over.
    """
    from tokenizers import models

    model = json.loads((base / "tokenizer.json").read_text("utf-8"))["model"]
    vocab: dict[str, int] = model["vocab"]
    merges = [(left, right) for left, right in model["merges"]]
    for word in words:
        encoder = models.BPE(vocab, merges, end_of_word_suffix="</w>")
        pieces = [token.value for token in encoder.tokenize(word)]
        for right in pieces[1:]:
            merges.append((pieces[0], right))
            pieces[0] += right
            vocab.setdefault(pieces[0], len(vocab))
    return _save(folder, vocab, merges)
