"""What the daemon and the wire tell in English sentences, in the painter's language.

The sentence itself is the key, as gettext has it: `locale/LANGUAGE.json` maps English with `{}` for each value to a
translation with the same blanks. Whatever stands in no catalogue stays English, such as a newer daemon's words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache, lru_cache
from itertools import product
from pathlib import Path
from typing import Any

from .errors import WireError
from .incoming import Incoming

LOCALE = Path(__file__).parent / "locale"
RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur", "yi"})
"""Languages whose windows are mirrored, and whose values keep their own direction (UAX #9: FSI and PDI)."""
_NEXT_SENTENCE = re.compile(r"(?<=[.!?…)]) (?=[^a-z ])")
_QUOTED_LIST = re.compile(r"“[^“”]*”(?:, “[^“”]*”)*")
_MARKS = {"ar": "«»", "de": "„“", "he": "„”"}
"""Quotation marks where they are not the English ones."""
_RECORDS = ("job", "model", "status")
_LISTS = ("jobs", "models", "problems")
_FIELDS = ("message", "hint", "title", "purpose", "licence")


@cache
def catalogue(language: str) -> dict[str, str]:
    """English to translation; empty when there is none for this language (two letters)."""
    file = LOCALE / f"{language}.json"
    if not file.is_file():
        return {}
    loaded: dict[str, str] = json.loads(file.read_text("utf-8"))
    return loaded


def told(text: str, language: str) -> str:
    """One or several sentences from the daemon in this language, as far as they are known."""
    return _told(text, language) if catalogue(language) else text


def error_told(error: WireError, language: str) -> WireError:
    """The same error with its sentence and hint in this language."""
    return WireError(error.code, told(error.message, language), told(error.hint, language), error.retry_after)


def incoming_told(incoming: Incoming, language: str) -> Incoming:
    """The same answer, error or event with whatever a painter reads in this language."""
    if not catalogue(language):
        return incoming
    header = incoming.header
    one = {name: _record_told(header[name], language) for name in _RECORDS if isinstance(header.get(name), dict)}
    many = {name: [_record_told(record, language) for record in header[name]] for name in _LISTS if name in header}
    error = incoming.error and error_told(incoming.error, language)
    return replace(incoming, header={**header, **one, **many}, error=error)


def _record_told(record: Mapping[str, Any], language: str) -> dict[str, Any]:
    said: dict[str, Any] = {name: told(record[name], language) for name in _FIELDS if name in record}
    if "notices" in record:
        said["notices"] = [told(notice, language) for notice in record["notices"]]
    return {**record, **said}


class _Template:
    """One English sentence with blanks, and its translation."""

    def __init__(self, english: str, translation: str) -> None:
        pieces = english.split("{}")
        self._pattern = re.compile("(.*?)".join(re.escape(piece) for piece in pieces), re.DOTALL)
        self._translation = translation
        self._quoted = [piece.endswith("“") for piece in pieces[:-1]]

    def fill(self, text: str, language: str, *, whole_sentences: bool) -> str | None:
        """The translation when `text` is this sentence; its values are translated too, unless they are a person's.

        With `whole_sentences`, no value may go on into a next sentence.
        """
        match = self._pattern.fullmatch(text)
        if match is None or (whole_sentences and any(map(_NEXT_SENTENCE.search, match.groups()))):
            return None
        pairs = zip(match.groups(), self._quoted, strict=True)
        values = [_quotation(value, language) if quoted else _value(value, language) for value, quoted in pairs]
        if language in RIGHT_TO_LEFT:
            values = [f"\u2068{value}\u2069" if value else "" for value in values]
        return self._translation.format(*values)


def _value(value: str, language: str) -> str:
    """A sentence or a word, or several quotations, of which only the marks are anybody's but a person's."""
    if _QUOTED_LIST.fullmatch(value):
        return value.translate(dict(zip(map(ord, "“”"), _MARKS.get(language, "“”"), strict=True)))
    return _told(value, language)


def _quotation(value: str, language: str) -> str:
    """What stands in quotation marks: a person's words, which stay as they are, or a model's title."""
    return catalogue(language).get(value, value) if " " in value else value


@cache
def _templates(language: str) -> list[_Template]:
    """Those with fewest blanks, and then the longest, first: they say most."""
    pairs = sorted(catalogue(language).items(), key=lambda pair: (pair[0].count("{}"), -len(pair[0])))
    return [_Template(*pair) for pair in pairs if "{}" in pair[0]]


@lru_cache(1_000)
def _told(text: str, language: str) -> str:
    exact = catalogue(language).get(text)
    if exact is not None or not text:
        return exact or ""
    # The longest part that is one entry, from the front; the rest in the same way. Values of several sentences, such as
    # prompts, are looked for last: a blank at an entry's end fits whatever follows.
    ends = [len(text), *(match.start() for match in reversed(list(_NEXT_SENTENCE.finditer(text))))]
    for whole_sentences, end in product((True, False), ends):
        part = _one(text[:end], language, whole_sentences=whole_sentences)
        if part is not None:
            return part + (" " + _told(text[end + 1 :], language) if end < len(text) else "")
    first = _NEXT_SENTENCE.search(text)
    return text if first is None else f"{text[: first.start()]} {_told(text[first.end() :], language)}"


def _one(text: str, language: str, *, whole_sentences: bool) -> str | None:
    exact = catalogue(language).get(text)
    if exact is not None:
        return exact
    filled = (template.fill(text, language, whole_sentences=whole_sentences) for template in _templates(language))
    return next((translation for translation in filled if translation is not None), None)
