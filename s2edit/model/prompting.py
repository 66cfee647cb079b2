"""The tokenizer of a model's folder, whatever its family. Torch-free: planners check words with it."""

from __future__ import annotations

from pathlib import Path

from ..method.chat import TOKENS, ChatTokenizer
from ..method.prompts import PromptTokenizer
from .families import family_of


def prompt_tokenizer(folder: Path) -> PromptTokenizer:
    """What prompts are read by; raises CheckpointError where its files are missing, damaged or of another kind."""
    family = family_of(folder)
    if family is None or family.thinking is None:
        return PromptTokenizer.from_folder(folder)
    return ChatTokenizer.of_folder(folder, length=TOKENS, thinking=family.thinking)
