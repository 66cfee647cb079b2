"""What the objects of a sentence are called in the one that came after it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher


def words_now(words: Sequence[str], before: str, after: str) -> list[str]:
    """The objects' words in the newer of two sentences: those still there, and what took the place of the others."""
    old, new = _parts(before), _parts(after)
    places: dict[int, str] = {}
    for _kind, start, end, first, last in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if end - start == last - first:
            places |= dict(zip(range(start, end), new[first:last], strict=True))
    found = []
    for word in words:
        parts = _parts(word)
        place = _place(old, parts)
        if _place(new, parts) >= 0:
            found.append(word)
        elif place >= 0 and all(place + index in places for index in range(len(parts))):
            found.append(" ".join(places[place + index] for index in range(len(parts))))
    return found


def _parts(sentence: str) -> list[str]:
    return re.findall(r"\w+(?:[-'’]\w+)*", sentence.lower())


def _place(sentence: list[str], parts: list[str]) -> int:
    """Where the parts are in a sentence, one after the other; -1 where they are not."""
    starts = range(len(sentence) - len(parts) + 1 if parts else 0)
    return next((start for start in starts if sentence[start : start + len(parts)] == parts), -1)
