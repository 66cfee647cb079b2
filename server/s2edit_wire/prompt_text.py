"""Prompts cleaned before they travel, so that every program sends the same for what looks the same.

The method cleans what it reads by the same rule (`s2edit.method.prompts.cleaned`), which no client may import; a test
compares the two over all of Unicode.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

PROMPTS = ("source", "target", "reference_prompt")
EMPHASIS = "edit.emphasize."
_PLAIN = str.maketrans({**dict.fromkeys("‘’‚‛ʼ′＇", "'"), **dict.fromkeys("“”„‟″＂", '"'), **dict.fromkeys("‐‑‒", "-")})
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def cleaned(text: str) -> str:
    """NFC, plain quotes and hyphens, nothing that can't be seen, single spaces.

    Left out are control characters and what is Default_Ignorable_Code_Point (Unicode Character Database,
    DerivedCoreProperties.txt): it comes along when text is pasted.
    """
    # Line ends and tabs are control characters, too, and part words.
    spaced = "".join(" " if character.isspace() else character for character in text)
    return " ".join(_UNSEEN.sub("", unicodedata.normalize("NFC", spaced).translate(_PLAIN)).split())


def cleaned_request(op: str, fields: Mapping[str, object]) -> Mapping[str, object]:
    """The fields of a request with its prompts cleaned, and with them the words that have to be found in them."""
    if op == "plan":
        return _cleaned_edit(fields)
    edit = fields.get("edit")
    return {**fields, "edit": _cleaned_edit(edit)} if op == "submit" and isinstance(edit, Mapping) else fields


def _cleaned_edit(edit: Mapping[str, object]) -> Mapping[str, object]:
    made = dict(edit)
    for name in PROMPTS:
        text = edit.get(name)
        if isinstance(text, str):
            made[name] = cleaned(text)
    objects, settings = edit.get("objects"), edit.get("settings")
    if isinstance(objects, list):
        made["objects"] = [_cleaned_object(one) for one in objects]
    if isinstance(settings, Mapping):
        made["settings"] = {
            EMPHASIS + cleaned(name.removeprefix(EMPHASIS)) if str(name).startswith(EMPHASIS) else name: value
            for name, value in settings.items()
        }
    return made


def _cleaned_object(one: object) -> object:
    if isinstance(one, Mapping) and isinstance(word := one.get("word"), str):
        return {**one, "word": cleaned(word)}
    return one
