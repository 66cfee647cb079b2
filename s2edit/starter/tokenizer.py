"""A CLIPTokenizer with a small vocabulary: every caption word is one token, anything else falls apart into pieces."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from s2edit.starter.captions import vocabulary

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


def new_tokenizer(folder: Path) -> Any:
    """Make the tokenizer in a folder and return it as a transformers CLIPTokenizer of at most 40 tokens."""
    from transformers import CLIPTokenizer

    write_vocabulary(folder)
    vocab = json.loads((folder / "vocab.json").read_text("utf-8"))
    pairs = [tuple(line.split()) for line in (folder / "merges.txt").read_text("utf-8").splitlines()[1:]]
    tokenizer = CLIPTokenizer(
        vocab=vocab,
        merges=pairs,
        model_max_length=MAX_TOKENS,
        bos_token=START,
        eos_token=END,
        pad_token=END,
        unk_token=END,
    )
    tokenizer.save_pretrained(folder)
    return CLIPTokenizer.from_pretrained(folder, local_files_only=True)
