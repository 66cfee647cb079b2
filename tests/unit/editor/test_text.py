"""One catalogue a language for GIMP, Krita and the tray: whole, without a leftover, with the same blanks and keys."""

from __future__ import annotations

import ast
import re
import string
import unicodedata
from pathlib import Path

import pytest
from s2edit_editor import text
from s2edit_wire.knobs import offered
from s2edit_wire.translations import RIGHT_TO_LEFT
from s2edit_wire.translations import catalogue as daemon_words

ROOT = Path(__file__).parents[3]
PLACES = ("gimp_plugin", "krita_plugin", "server/s2edit_tray", "server/s2edit_editor")
LANGUAGES = sorted(path.stem for path in text.LOCALE.iterdir())
PROMPTS = re.compile(r"^(a .*|makeup|S²Edit)$")
"""Examples of prompts stay English: the models know no other language. And what the product is called."""
CHOSEN = {"Unfinished", "Failed or cancelled", "All jobs"}
"""Names of the tray's filters, which are looked up as they are chosen."""
DIALOG = ("dialog", "form", "lost", "models", "reference_form")
"""Modules of the GIMP plug-in whose buttons and labels are in the one dialog."""


def messages(*places: str) -> set[str]:
    """Every text that is handed to `_` (or `tr`) below these folders, or in these files."""
    found = set()
    for place in places:
        path = ROOT / place
        for file in [path] if path.is_file() else path.rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("_", "tr"):
                    if isinstance(node.args[0], ast.Constant):
                        found.add(str(node.args[0].value))
                    else:
                        assert "s2edit_tray" in str(file), f"{file}:{node.lineno}: a text that is no literal"
    return {message for message in found if not PROMPTS.match(message)}


def everything() -> set[str]:
    knobs = [*offered("basic"), *offered("advanced")]
    return messages(*PLACES) | CHOSEN | {said for knob in knobs for said in (knob.title, knob.hint)}


def fields(message: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(message) if name)


def keys(message: str) -> list[str]:
    return re.findall(r"[_&](\w)", re.sub(r"\{.*?\}|<.*>", "", message))


def test_there_are_all_languages() -> None:
    assert LANGUAGES == ["ar", "de", "he"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated_and_nothing_else(language: str) -> None:
    """A failure names texts to be added to s2edit_editor/locale/LANGUAGE.json, or to be taken out there."""
    assert len(everything()) > 300
    assert sorted(everything() ^ set(text.catalogue(language))) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_keep_what_is_filled_in_and_the_keys(language: str) -> None:
    for message, translation in text.catalogue(language).items():
        assert translation
        assert fields(translation) == fields(message), message
        assert len(keys(translation)) == len(keys(message)), message


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_no_two_things_in_gimps_dialog_have_the_same_key(language: str) -> None:
    used: dict[str, list[str]] = {}
    for message in messages(*(f"gimp_plugin/s2edit/s2edit_gimp/{module}.py" for module in DIALOG)):
        for key in keys(text.translated(message, language)):
            used.setdefault(key.lower(), []).append(message)
    assert len(used) > 13
    assert {key: found for key, found in used.items() if len(found) > 1} == {}


@pytest.mark.parametrize("language", sorted(RIGHT_TO_LEFT & set(LANGUAGES)))
def test_a_translation_is_in_its_language(language: str) -> None:
    """No sentence was left in English: it has letters from right to left, unless it is made of names and numbers."""
    for message, translation in text.catalogue(language).items():
        letters = {unicodedata.bidirectional(letter) for letter in translation}
        assert letters & {"R", "AL"} or len(re.sub(r"\{.*?\}|\W|S²_?Edit", "", message)) <= 2, message


def test_the_daemons_words_and_the_editors_are_in_the_same_languages() -> None:
    assert all(daemon_words(language) for language in LANGUAGES)


@pytest.mark.parametrize(
    ("wanted", "spoken"),
    [
        (["de_AT.UTF-8"], "de"),
        (["fr", "he-IL", "de"], "he"),
        (["en_GB", "de"], "en"),
        (["C.UTF-8", "de"], "en"),
        (["POSIX"], "en"),
        (["fr", ""], "en"),
        (["../de"], "en"),
        ([], "en"),
    ],
)
def test_the_best_language_is_spoken(wanted: list[str], spoken: str) -> None:
    assert text.best(wanted) == spoken
    text.speak(wanted)
    assert (text.language(), text.is_right_to_left()) == (spoken, spoken == "he")
    assert text._("Cancelled") == {"en": "Cancelled", "de": "Abgebrochen", "he": "בוטל"}[spoken]
    text.speak(["en"])


def test_the_environment_is_asked_as_gettext_asks_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    assert text.of_environment() == []
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    monkeypatch.setenv("LC_ALL", "ar_EG")
    assert text.of_environment() == ["ar_EG"]
    monkeypatch.setenv("LANGUAGE", "fr:he")
    assert text.best(text.of_environment()) == "he"


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("a hat & a bag", "a hat & a bag"),
        ("a <b>hat</b> & a bag\nand more", "<qt>a &lt;b&gt;hat&lt;/b&gt; &amp; a bag<br>and more</qt>"),
        ("<img src='file:///etc/passwd'>", "<qt>&lt;img src=&#x27;file:///etc/passwd&#x27;&gt;</qt>"),
        ("1 < 2", "<qt>1 &lt; 2</qt>"),
        ("", ""),
    ],
)
def test_what_looks_like_html_is_no_html_for_qt(typed: str, shown: str) -> None:
    assert text.hover(typed) == shown
