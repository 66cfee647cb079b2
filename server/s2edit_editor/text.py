"""What is said to people, in their language: one catalogue a language for both editors and the tray.

`locale/LANGUAGE.json` maps English to its translation, with the same `{names}`; English itself is the key, as gettext
has it. In a text with an underscore, the letter after it is GTK's access key.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from functools import cache
from html import escape
from pathlib import Path

from s2edit_wire.translations import RIGHT_TO_LEFT

LOCALE = Path(__file__).parent / "locale"
_chosen = ""


@cache
def catalogue(language: str) -> dict[str, str]:
    """English to translation; empty when there is none for this language (two letters)."""
    file = LOCALE / f"{language}.json"
    if not language.isalpha() or not file.is_file():
        return {}
    loaded: dict[str, str] = json.loads(file.read_text("utf-8"))
    return loaded


def best(wanted: Iterable[str]) -> str:
    """The first of the wanted languages (`de_DE.UTF-8`, `de-AT`, `C`) that is spoken here; `en` when none is."""
    for name in wanted:
        short = name.replace("-", "_").split("_")[0].split(".")[0].lower()
        if short in {"en", "c", "posix"} or catalogue(short):
            return short if catalogue(short) else "en"
    return "en"


def of_environment() -> list[str]:
    """What the environment wants, best first, as gettext looks for it."""
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        if os.environ.get(name):
            return os.environ[name].split(":")
    return []


def speak(wanted: Iterable[str]) -> None:
    """From now on, `_` answers in the best of these languages."""
    global _chosen  # noqa: PLW0603 - one process has one painter
    _chosen = best(wanted)


def language() -> str:
    """The language in use, two letters; the environment's until `speak` was called."""
    if not _chosen:
        speak(of_environment())
    return _chosen


def is_right_to_left() -> bool:
    """Whether it is written from right to left."""
    return language() in RIGHT_TO_LEFT


def translated(text: str, language: str, /, **values: object) -> str:
    """The text in a language, English where it has none, with `{names}` filled in."""
    found = catalogue(language).get(text, text)
    return found.format(**values) if values else found


def hover(text: str) -> str:
    """A text as Qt shows it when the pointer rests, as it is: Qt takes whatever looks like HTML for that."""
    return f"<qt>{escape(text)}</qt>".replace("\n", "<br>") if "<" in text else text


def _(text: str, /, **values: object) -> str:
    """The text in the language in use, with `{names}` filled in."""
    return translated(text, language(), **values)
