"""What the plug-in says, in the painter's language: catalogues are JSON files in `locale/`, English is the key.

Krita itself sets the direction of its windows; a right-to-left catalogue needs nothing more.
"""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path

from .qt import QGuiApplication, QLocale

_FOLDER = Path(__file__).parent / "locale"


def wanted_languages() -> list[str]:
    """Language codes, best first: Krita's own choice (it sets LANGUAGE), then the system's."""
    chosen = os.environ.get("LANGUAGE", "").split(":")
    system = QLocale(QLocale.system()).uiLanguages()
    return [name.replace("_", "-").split("-")[0] for name in (*chosen, *system) if name]


@functools.lru_cache(maxsize=1)
def _catalogue() -> dict[str, str]:
    for language in wanted_languages():
        if language in {"en", "C"}:
            break
        path = _FOLDER / f"{language}.json"
        if path.is_file():
            loaded: dict[str, str] = json.loads(path.read_text("utf-8"))
            return loaded
    return {}


def tr(text: str, **values: object) -> str:
    """The text in the painter's language, with `{name}` replaced by `values[name]`."""
    translated = _catalogue().get(text, text)
    return translated.format(**values) if values else translated


def mirrored() -> bool:
    """Whether windows run from right to left."""
    direction: object = QGuiApplication.layoutDirection()
    return int(getattr(direction, "value", direction)) == 1  # type: ignore[call-overload, no-any-return]


def duration(seconds: float) -> str:
    """A time for people: “8 s”, “2 min”."""
    if seconds < 90:
        return tr("{n} s", n=max(1, round(seconds)))
    return tr("{n} min", n=round(seconds / 60))


def size(byte_count: float) -> str:
    """An amount of data for people: “38 MB”, “4.3 GB”."""
    if byte_count < 1e9:
        return tr("{n} MB", n=max(1, round(byte_count / 1e6)))
    return tr("{n} GB", n=f"{byte_count / 1e9:.1f}")
