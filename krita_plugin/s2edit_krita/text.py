"""What the plug-in says, in the painter's language: catalogues are JSON files in `locale/`, English is the key."""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path

from s2edit_wire.told import RIGHT_TO_LEFT

from .qt import QLocale

_FOLDER = Path(__file__).parent / "locale"


def wanted_languages() -> list[str]:
    """Language codes, best first: Krita's own choice (it sets LANGUAGE), then the system's."""
    chosen = os.environ.get("LANGUAGE", "").split(":")
    system = QLocale(QLocale.system()).uiLanguages()
    return [name.replace("_", "-").split("-")[0] for name in (*chosen, *system) if name]


def language() -> str:
    """The first wanted language that there is a catalogue for, else English."""
    for wanted in wanted_languages():
        if wanted in {"en", "C"} or (_FOLDER / f"{wanted}.json").is_file():
            return wanted
    return "en"


@functools.lru_cache(maxsize=1)
def _catalogue() -> dict[str, str]:
    path = _FOLDER / f"{language()}.json"
    if not path.is_file():
        return {}
    loaded: dict[str, str] = json.loads(path.read_text("utf-8"))
    return loaded


def tr(text: str, **values: object) -> str:
    """The text in the painter's language, with `{name}` replaced by `values[name]`."""
    translated = _catalogue().get(text, text)
    return translated.format(**values) if values else translated


def right_to_left() -> bool:
    """Whether the texts run from right to left; Krita itself may have no catalogue for the language, and then won't."""
    return bool(_catalogue()) and language() in RIGHT_TO_LEFT


def duration(seconds: float) -> str:
    """A time for people: “8 s”, “2 min”."""
    if seconds < 90:
        return tr("{n} s", n=max(1, round(seconds)))
    return tr("{n} min", n=round(seconds / 60))


def size(byte_count: float) -> str:
    """An amount of data for people, in the daemon's units: “38 MiB”, “4.0 GiB”."""
    if byte_count < 2**30:
        return tr("{n} MiB", n=max(1, round(byte_count / 2**20)))
    return tr("{n} GiB", n=f"{byte_count / 2**30:.1f}")
