"""Prompts inside a chat's template, as language models were taught to read them. Torch-free."""

from __future__ import annotations

import json
from pathlib import Path

from tokenizers import Tokenizer

from ..errors import CheckpointError
from .prompts import PromptTokenizer

TOKENS = 512
"""That klein's and Z-Image's pipelines fill a prompt up to."""
_HEAD, _END = "<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n"
"""Qwen3's template of one user's message, with the place where an answer would begin."""
_NO_THOUGHTS = "<think>\n\n</think>\n\n"
"""What it adds where thinking is turned off."""


class ChatTokenizer(PromptTokenizer):
    """A Qwen tokenizer whose prompts are a user's message. See `PromptTokenizer`.

    The template is Qwen3's, written out: one that a model's folder brings is a program, which is not run. e_P of Eq. 1
    is the state of the last own token: the model is causal and has no token that stands for a sentence.

    Args:
        thinking: whether the template leaves room for thoughts.
    """

    def __init__(self, tokenizer: Tokenizer, *, pad: int, length: int, thinking: bool) -> None:
        super().__init__(tokenizer, start=pad, end=pad, pad=pad, length=length)
        after = _END if thinking else _END + _NO_THOUGHTS
        self.before = tuple(tokenizer.encode(_HEAD, add_special_tokens=False).ids)
        self.after = tuple(tokenizer.encode(after, add_special_tokens=False).ids)
        self.sentence_before = 1
        self._special = frozenset(tokenizer.get_added_tokens_decoder())

    @property
    def special(self) -> set[int]:
        """Ids of all added tokens: a message's end, and the like."""
        return set(self._special)

    @classmethod
    def of_folder(cls, path: Path, *, length: int, thinking: bool) -> ChatTokenizer:
        """Read `tokenizer/tokenizer.json` of a model's folder.

        Args:
            length: tokens that the family's pipeline fills prompts up to.
        Raises:
            CheckpointError: the files are missing, damaged, or of another kind of tokenizer.
        """
        folder = path / "tokenizer"
        try:
            config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
            tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            tokenizer.no_padding()
            tokenizer.no_truncation()
            named = config.get("pad_token", "<|endoftext|>")
            pad = tokenizer.token_to_id(str(named["content"] if isinstance(named, dict) else named))
            side = config.get("padding_side", "right")
        except Exception as error:  # tokenizers raises plain Exception for a damaged file
            raise CheckpointError(
                f"The tokenizer of “{path.name}” can't be read.",
                code="checkpoint_incomplete",
                hint="Download the model again, or verify it.",
            ) from error
        marks = [tokenizer.token_to_id(mark) for mark in ("<|im_start|>", "<|im_end|>")]
        if pad is None or None in marks or side != "right":
            raise CheckpointError(
                f"The tokenizer of “{path.name}” is not a Qwen tokenizer that fills prompts up on the right.",
                code="checkpoint_unsupported",
                hint="Choose the model as its makers publish it.",
            )
        return cls(tokenizer, pad=pad, length=length, thinking=thinking)
