"""The plug-in's catalogues are whole and compiled from what is written down; needs neither GIMP nor gettext's tools."""

from __future__ import annotations

import ast
import gettext
import re
import string
from pathlib import Path

import pytest

from ..lab import PROJECT

PLUGIN = PROJECT / "gimp_plugin" / "s2edit"
LANGUAGES = sorted(path.name for path in (PLUGIN / "locale").iterdir() if path.is_dir())


DIALOG = ("dialog", "form", "lost", "models", "reference_form")
"""Modules whose buttons and labels are in the one dialog."""
ELSEWHERE = {"_Accept and Download"}
"""What they put into windows of their own."""


def messages(pattern: str = "*") -> set[str]:
    """Every text that the plug-in, or those of its modules, hands to gettext."""
    found = set()
    for path in (PLUGIN / "s2edit_gimp").glob(f"{pattern}.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_":
                assert isinstance(node.args[0], ast.Constant), f"{path.name}:{node.lineno}"
                found.add(str(node.args[0].value))
    return found


def written(language: str) -> dict[str, str]:
    """What the language's `.po` file says."""
    text = (PLUGIN / "locale" / language / "LC_MESSAGES" / "s2edit.po").read_text(encoding="utf-8")
    pairs = re.findall(r'^msgid (".*")\nmsgstr (".*")$', text, re.MULTILINE)
    return {ast.literal_eval(one): ast.literal_eval(other) for one, other in pairs if one != '""'}


def fields(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated_and_nothing_else(language: str) -> None:
    assert set(written(language)) == messages()


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_keep_what_is_filled_in_and_the_keys(language: str) -> None:
    for message, translation in written(language).items():
        assert translation
        assert fields(translation) == fields(message), message
        assert ("_" in re.sub(r"\{.*?\}", "", translation)) == ("_" in re.sub(r"\{.*?\}", "", message)), message


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_no_two_things_in_the_dialog_have_the_same_key(language: str) -> None:
    translations = written(language) if language != "en" else {}
    texts = set().union(*(messages(module) for module in DIALOG)) - ELSEWHERE
    keys: dict[str, list[str]] = {}
    for text in texts:
        for key in re.findall(r"_(\w)", re.sub(r"\{.*?\}", "", translations.get(text, text))):
            keys.setdefault(key.lower(), []).append(text)
    assert len(keys) > 15
    assert {key: found for key, found in keys.items() if len(found) > 1} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_the_written_one(language: str) -> None:
    catalogue = gettext.translation("s2edit", PLUGIN / "locale", [language])
    for message, translation in written(language).items():
        assert catalogue.gettext(message) == translation
    assert catalogue.info()["language"] == language


def test_german_and_a_right_to_left_language_are_there() -> None:
    assert {"de", "he"} <= set(LANGUAGES)
    assert Path(PLUGIN / "locale").is_dir()
