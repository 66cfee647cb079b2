"""The plug-in's words in the painter's language: gettext from the `locale` folder beside this package."""

from __future__ import annotations

import gettext
import os
from pathlib import Path

from s2edit_wire.told import RIGHT_TO_LEFT

DOMAIN = "s2edit"

_catalogue = gettext.translation(DOMAIN, Path(__file__).parent.parent / "locale", fallback=True)


def _(message: str) -> str:
    """The message in the painter's language."""
    return _catalogue.gettext(message)


def language() -> str:
    """Two letters: the language of the catalogue in use, `en` when there is none."""
    return str(_catalogue.info().get("language", "en"))[:2]


def is_right_to_left() -> bool:
    """Whether the catalogue in use is of a language that is written from right to left."""
    language = _catalogue.info().get("language", os.environ.get("LANGUAGE", ""))
    return language[:2] in RIGHT_TO_LEFT


def duration(seconds: float) -> str:
    """A time as people say it: `8 s`, `3 min`."""
    if seconds < 90:
        return _("{seconds} s").format(seconds=max(1, round(seconds)))
    return _("{minutes} min").format(minutes=round(seconds / 60))


def amount(size: float) -> str:
    """A number of bytes as people say it: `0.4 GB`."""
    return _("{size:.1f} GB").format(size=size / 1e9) if size >= 1e8 else _("{size:.0f} MB").format(size=size / 1e6)
