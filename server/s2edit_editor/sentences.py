"""What two sentences about one picture have to do with one another: the difference, and what objects are called after.

Everything here is words alone; what the model knows of them, only a plan says.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

_WORD = re.compile(r"\w+(?:[-'’]\w+)*")
_SMALL = frozenset(
    "a an the and with in on of at to by is are has have having wearing wears her his its their some without no".split()  # noqa: SIM905 - prose
)
"""Words that name nothing: a difference is not called after them alone."""


def words_of(sentence: str) -> list[str]:
    """The words of a sentence as they stand there."""
    return _WORD.findall(sentence)


def mentions(sentence: str, word: str) -> bool:
    """Whether the word (or words) stands in the sentence, in whatever case; of no word at all, False."""
    return bool(word.strip()) and _place(_lower(sentence), _lower(word)) >= 0


def difference(before: str, after: str) -> str:
    """What the second sentence changes, in a few words: `+ sunglasses`, `hat → crown`, `− beard`; "" when nothing."""
    old, new = words_of(before), words_of(after)
    low = [word.lower() for word in old], [word.lower() for word in new]
    parts = []
    for kind, start, end, first, last in SequenceMatcher(None, *low, autojunk=False).get_opcodes():
        gone, come = _named(old[start:end]), _named(new[first:last])
        if kind != "equal" and (gone or come):
            parts.append(f"{gone} → {come}" if gone and come else f"+ {come}" if come else f"− {gone}")
    return ", ".join(parts)


def title(before: str, after: str, longest: int = 60) -> str:
    """What an edit is called: its difference where there is a short one, else the wish, shortened."""
    wish = difference(before, after) if after and before.strip() else ""  # an instruction stands alone
    wish = wish or " ".join((after or before).split())
    return wish if len(wish) <= longest else wish[: longest - 1] + "…"


def words_now(words: Sequence[str], before: str, after: str) -> list[str]:
    """The objects' words in the newer of two sentences: those still there, and what took the place of the others."""
    old, new = _lower(before), _lower(after)
    places: dict[int, str] = {}
    for _kind, start, end, first, last in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if end - start == last - first:
            places |= dict(zip(range(start, end), new[first:last], strict=True))
    found = []
    for word in words:
        parts = _lower(word)
        place = _place(old, parts)
        if _place(new, parts) >= 0:
            found.append(word)
        elif place >= 0 and all(place + index in places for index in range(len(parts))):
            found.append(" ".join(places[place + index] for index in range(len(parts))))
    return found


def object_of(before: str, after: str, candidates: Sequence[str]) -> str:
    """The word of the first sentence that the edit is about, out of the words that can name an object.

    What is replaced or taken away is it; where something is only added, the first candidate, which is the subject.
    """
    now = {word.lower() for word in words_of(after)}
    gone = [word for word in candidates if not set(_lower(word)) <= now]
    changed = bool(after.strip()) and _lower(before) != _lower(after)
    return gone[-1] if changed and gone else candidates[0] if changed and candidates else ""


def _named(words: Sequence[str]) -> str:
    """The words without the small ones around them; "" when nothing else is left."""
    kept = list(words)
    while kept and kept[0].lower() in _SMALL:
        kept.pop(0)
    while kept and kept[-1].lower() in _SMALL:
        kept.pop()
    return " ".join(kept)


def _lower(sentence: str) -> list[str]:
    return [word.lower() for word in words_of(sentence)]


def _place(sentence: Sequence[str], parts: Sequence[str]) -> int:
    """Where the parts are in a sentence, one after the other; -1 where they are not."""
    starts = range(len(sentence) - len(parts) + 1 if parts else 0)
    return next((start for start in starts if list(sentence[start : start + len(parts)]) == list(parts)), -1)
