"""What a prompt may hold that the model takes for something else: words it never learned, other programs' notations.

Warnings, all of them: a job is made all the same. Torch-free; `plan` tells them, and every client shows what it tells.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from s2edit.errors import SettingError
from s2edit.method.prompts import FUNCTION_WORDS, foreign_syntax, unknown_words
from s2edit.profiles import recommended_by

from .problems import Problem

_FIELDS = {"source": "source", "target": "target", "reference_prompt": "source"}
"""The prompts of a request, and what field a problem with each is of."""
NAMED = 5
"""Words that a message names; more are told by the next one, once these are other words."""


def wording_problems(request: Mapping[str, Any], title: str, path: Path | None) -> Iterator[Problem]:
    """Doubts about the words, one for each prompt and kind.

    Args:
        request: `plan`'s, or an `EDIT`; what is not given is not looked at.
        title: the model's name for people. path: its folder or file, None when it isn't here.
    """
    known, example = _learned(path)
    for name, field in _FIELDS.items():
        prompt = str(request.get(name, ""))
        foreign = foreign_syntax(prompt)
        if foreign:
            yield _notation(field, foreign)
        # What is inside of a notation was told of with it.
        for part in foreign:
            prompt = prompt.replace(part, " ")
        unknown = unknown_words(prompt, known) if known else []
        if unknown:
            yield _unknown(field, unknown, title, known, example)


def _notation(field: str, foreign: list[str]) -> Problem:
    named = ", ".join(f"“{part[:60]}”" for part in foreign[:NAMED])
    message = f"{named} is another program's notation and is read letter by letter here."
    hint = "Write plain words; a word's weight is a setting of its own, and networks are not loaded by a prompt."
    return Problem(field, "bad_prompt", message, foreign[0], blocking=False, hint=hint)


def _unknown(field: str, unknown: list[str], title: str, known: list[str], example: str) -> Problem:
    named = ", ".join(f"“{word[:60]}”" for word in unknown[:NAMED])
    message = f"“{title}” never learned {named}, and can't draw that."
    near = difflib.get_close_matches(unknown[0], [word for word in known if word not in FUNCTION_WORDS], 1, 0.8)
    hint = f"Did you mean “{near[0]}”?" if near else f"It knows {len(known)} words. Word it like: “{example}”."
    return Problem(field, "bad_prompt", message, unknown[0], blocking=False, hint=hint)


def _learned(path: Path | None) -> tuple[list[str], str]:
    """All words that a checkpoint says it has learned, and an example of them; none when it says nothing of that."""
    try:
        told = recommended_by(path) if path is not None else {}
    except SettingError:
        return [], ""  # told with the settings
    words, examples = told.get("words"), told.get("prompt_examples")
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        return [], ""
    return words, str(examples[0]) if isinstance(examples, list) and examples else " ".join(words[:5])
