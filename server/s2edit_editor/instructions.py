"""One sentence is enough: “add sunglasses”, “make her hair red”, “remove the glasses” become the target sentence.

English only, as the models are. A description is a subject with what belongs to it, such as `a smiling woman with pink
hair and a hat`; an instruction changes a word of it. Where the description has no such word, nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

_THE = r"(?:the |a |an |some )?"
_HIS = r"(?:the |her |his |their |its |my )?"
_PERSON = frozenset({"her", "him", "them", "it"})
_COLOURS = frozenset(
    "amber auburn beige black blond blonde blue brown cyan dark ginger gold golden gray green grey light magenta "  # noqa: SIM905 - prose
    "orange pink purple red silver teal turquoise violet white yellow".split()
)
_DOING = {"smile": "smiling", "laugh": "laughing", "cry": "crying", "frown": "frowning", "blush": "blushing"}
_PLURAL = frozenset({"hair", "makeup", "eyes", "lipstick", "jewelry", "jewellery", "clothing"})
"""What takes no article besides words in s."""
_JOINING = re.compile(r"\s*,\s*(?:and\s+)?|\s+and\s+")
_BELONGS = re.compile(r"\s+(with|wearing|holding|in)\s+")


@dataclass(frozen=True)
class _Described:
    """A description taken apart: the subject, what joins the rest to it ("with"), and the things that it has."""

    subject: str
    joint: str = "with"
    things: tuple[str, ...] = ()

    @classmethod
    def of(cls, sentence: str) -> _Described:
        """Taken apart at the first joint."""
        parts = _BELONGS.split(sentence.strip().rstrip("."), maxsplit=1)
        if len(parts) < 3:
            return cls(parts[0])
        return cls(parts[0], parts[1], tuple(_JOINING.split(parts[2])))

    def __str__(self) -> str:
        """The sentence again."""
        *first, last = self.things or ("",)
        said = f"{', '.join(first)} and {last}" if first else last
        return f"{self.subject} {self.joint} {said}" if said else self.subject

    def place(self, noun: str) -> int:
        """Which of its things is called so (by its last words, in whatever number), -1 for none."""
        return next((index for index, thing in enumerate(self.things) if _ends(thing, noun)), -1)


def is_instruction(text: str) -> bool:
    """Whether a text tells to do something, rather than what a picture shows."""
    return any(pattern.fullmatch(_plain(text)) for pattern, _act in _RULES)


def target_of(description: str, text: str) -> str | None:
    """The sentence that an instruction makes of a description; any other text is that sentence itself.

    None where the description has no word that the instruction could be about.
    """
    plain = _plain(text)
    for pattern, act in _RULES:
        found = pattern.fullmatch(plain)
        if found:
            described = _Described.of(description)
            changed = act(described, *found.groups()) if described.subject else None
            return None if changed is None else str(changed)
    return text


def _add(to: _Described, thing: str) -> _Described | None:
    added = tuple(_with_article(one) for one in _JOINING.split(thing))
    new = tuple(one for one in added if one not in to.things)
    return replace(to, things=(*to.things, *new)) if new else None


def _remove(of: _Described, noun: str) -> _Described | None:
    place = of.place(noun)
    if place < 0:
        *before, last = of.subject.split()
        words = [word for word in before if word.lower() != noun.lower()]
        return replace(of, subject=_article(" ".join([*words, last]))) if len(words) < len(before) else None
    return replace(of, things=of.things[:place] + of.things[place + 1 :])


def _replace(of: _Described, noun: str, other: str) -> _Described | None:
    if other in _COLOURS:
        return _make(of, noun, other)
    place = of.place(noun)
    if place >= 0:
        return replace(of, things=(*of.things[:place], _with_article(other), *of.things[place + 1 :]))
    if not _ends(of.subject, noun):
        return None
    return replace(
        of, subject=_article(of.subject[: -len(noun.rsplit(maxsplit=1)[-1])] + re.sub(f"^{_THE}", "", other))
    )


def _make(of: _Described, noun: str, quality: str) -> _Described | None:
    """Her hair red, him older, her smile."""
    quality = _DOING.get(quality, quality)
    if noun in _PERSON or _ends(of.subject, noun):
        *before, last = of.subject.split()
        return replace(of, subject=_article(" ".join([*_free(before, quality), quality, last])))
    place = of.place(noun)
    if place < 0:
        return None
    *before, last = of.things[place].split()
    thing = _article(" ".join([*_free(before, quality), quality, last]))
    return replace(of, things=(*of.things[:place], thing, *of.things[place + 1 :]))


def _free(words: list[str], quality: str) -> list[str]:
    """The words without a colour that another colour takes the place of."""
    return [word for word in words if word != quality and not (quality in _COLOURS and word in _COLOURS)]


def _with_article(thing: str) -> str:
    """A single thing gets its article where it was left out."""
    first, last = thing.split(maxsplit=1)[0], thing.rsplit(maxsplit=1)[-1]
    if first in ("a", "an", "the", "some") or last in _PLURAL or last.endswith("s"):
        return re.sub(r"^(?:the|some) ", "", thing) if first == "some" else thing
    return _article(f"a {thing}")


def _article(thing: str) -> str:
    """`a` or `an`, as the word after it begins."""
    return re.sub(r"^an? (?=(\w))", lambda found: "an " if found[1] in "aeiou" else "a ", thing)


def _ends(thing: str, noun: str) -> bool:
    """Whether a thing is called by this noun: `a tall hat` by `hat`, `tall hat`, `hats`."""
    said, wanted = thing.lower().split(), noun.lower().split()
    return [_one(word) for word in said[-len(wanted) :]] == [_one(word) for word in wanted]


def _one(word: str) -> str:
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _plain(text: str) -> str:
    """In lower case, without a full stop and politeness."""
    return re.sub(r"^(?:please |can you |could you )", "", " ".join(text.lower().split()).rstrip(".!?"))


def _rule(
    pattern: str, act: Callable[..., _Described | None]
) -> tuple[re.Pattern[str], Callable[..., _Described | None]]:
    return re.compile(pattern), act


_RULES = (
    _rule(rf"(?:replace|swap|exchange) {_HIS}(.+?) (?:with|by|for) (.+)", _replace),
    _rule(rf"(?:change|turn) {_HIS}(.+?) (?:to|into) (.+)", _replace),
    _rule(
        r"(?:add|put on|give (?:her|him|them|it)|let (?:her|him|them) wear) (.+?)(?: to (?:her|him|them|it|the .+))?",
        _add,
    ),
    _rule(rf"(?:remove|take off|take away|delete|erase|get rid of|lose) {_HIS}(.+?)", _remove),
    _rule(r"(?:make|turn|dye|paint|colou?r) (her|him|them|it) ((?!hair|eyes)\w+)", _make),
    _rule(rf"(?:make|turn|dye|paint|colou?r) {_HIS}(.+) (\w+)", _make),
)
