"""What the daemon and the wire tell in English sentences, in the user's language.

The sentence itself is the key, as gettext has it: `locale/daemon.LANGUAGE.json` maps English with `{}` for each value
to a translation with the same blanks. Whatever stands in no catalogue stays English, such as a newer daemon's words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from s2edit_wire.errors import WireError

from .text import catalogue, language

_NEXT_SENTENCE = re.compile(r"(?<=[.!?…)]) (?=[^a-z ])")


class _Template:
    """One English sentence with blanks, and its translation."""

    def __init__(self, english: str, translation: str) -> None:
        pieces = english.split("{}")
        self._pattern = re.compile("(.*?)".join(re.escape(piece) for piece in pieces), re.DOTALL)
        self._translation = translation
        # What stands in quotation marks was typed or named by people.
        self._quoted = [piece.endswith("“") for piece in pieces[:-1]]

    def fill(self, text: str, language: str) -> str | None:
        """The translation when `text` is this sentence; its values are translated too, unless they are quoted."""
        match = self._pattern.fullmatch(text)
        if match is None:
            return None
        values = zip(match.groups(), self._quoted, strict=True)
        return self._translation.format(*(value if quoted else _told(value, language) for value, quoted in values))


def told(text: str) -> str:
    """One or several sentences from the daemon in the user's language, as far as they are known."""
    return _told(text, language()) if catalogue(f"daemon.{language()}") else text


def error_told(error: WireError) -> WireError:
    """The same error with its sentence and hint in the user's language."""
    return WireError(error.code, told(error.message), told(error.hint), error.retry_after)


def header_told(header: Mapping[str, Any]) -> dict[str, Any]:
    """An answer's or event's header whose job or model records speak the user's language."""
    one = {name: _record_told(header[name]) for name in ("job", "model") if isinstance(header.get(name), dict)}
    many = {name: [_record_told(record) for record in header[name]] for name in ("jobs", "models") if name in header}
    return {**header, **one, **many}


def _record_told(record: Mapping[str, Any]) -> dict[str, Any]:
    fields = ("message", "hint", "title", "purpose", "licence")
    return {**record, **{name: told(record[name]) for name in fields if name in record}}


@cache
def _templates(language: str) -> list[_Template]:
    """Those with fewest blanks, and then the longest, first: they say most."""
    pairs = sorted(catalogue(f"daemon.{language}").items(), key=lambda pair: (pair[0].count("{}"), -len(pair[0])))
    return [_Template(*pair) for pair in pairs if "{}" in pair[0]]


@lru_cache(1_000)
def _told(text: str, language: str) -> str:
    exact = catalogue(f"daemon.{language}").get(text)
    if exact is not None or not text:
        return exact or ""
    # The longest part that is one entry, from the front; the rest in the same way.
    for end in [len(text), *(match.start() for match in reversed(list(_NEXT_SENTENCE.finditer(text))))]:
        part = _one(text[:end], language)
        if part is not None:
            return part + (" " + _told(text[end + 1 :], language) if end < len(text) else "")
    first = _NEXT_SENTENCE.search(text)
    return text if first is None else f"{text[: first.start()]} {_told(text[first.end() :], language)}"


def _one(text: str, language: str) -> str | None:
    exact = catalogue(f"daemon.{language}").get(text)
    if exact is not None:
        return exact
    filled = (template.fill(text, language) for template in _templates(language))
    return next((translation for translation in filled if translation is not None), None)
