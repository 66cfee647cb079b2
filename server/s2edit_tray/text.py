"""The tray's words in the user's language: catalogues are JSON files, English text -> translation, in `locale/`."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources

from PySide6.QtCore import QDate, QDateTime, QLocale, Qt
from PySide6.QtWidgets import QLabel


@cache
def catalogue(name: str) -> dict[str, str]:
    """`locale/NAME.json`; empty when there is none."""
    file = resources.files("s2edit_tray").joinpath("locale", f"{name}.json")
    if not file.is_file():
        return {}
    loaded: dict[str, str] = json.loads(file.read_text("utf-8"))
    return loaded


def _(text: str, **values: object) -> str:
    """`text` in the language of Qt's default locale (else English), with `{names}` filled in."""
    translated = catalogue(language()).get(text, text)
    return translated.format(**values) if values else translated


def language() -> str:
    """That of Qt's default locale, two letters such as `de`, if the tray speaks it, else `en`."""
    wanted = QLocale().name().split("_")[0]
    return wanted if catalogue(wanted) else "en"


def numbers() -> QLocale:
    """How numbers are written: as in the language that the words are in, which is English when none is there."""
    return QLocale() if catalogue(language()) else QLocale(QLocale.Language.English)


def size(count: int) -> str:
    """Bytes as people write them: `3.4 GB`."""
    return numbers().formattedDataSize(count, 1, QLocale.DataSizeFormat.DataSizeSIFormat)


def duration(seconds: float) -> str:
    """Seconds as people say them: `8 s`, `2 min`, `1 h 5 min`."""
    whole = max(0, round(seconds))
    if whole < 90:
        return _("{count} s", count=whole)
    minutes = round(whole / 60)
    if minutes < 90:
        return _("{count} min", count=minutes)
    return _("{hours} h {minutes} min", hours=minutes // 60, minutes=minutes % 60)


def moment(seconds: float) -> str:
    """A time of day (seconds since 1970), with its date unless it is today."""
    then = QDateTime.fromSecsSinceEpoch(round(seconds))
    short = QLocale.FormatType.ShortFormat
    clock = numbers().toString(then.time(), short)
    return clock if then.date() == QDate.currentDate() else f"{numbers().toString(then.date(), short)} {clock}"


def isolated(text: str) -> str:
    """Words with a direction of their own, such as an English prompt in an Arabic window (UAX #9: FSI and PDI)."""
    return f"\u2068{text}\u2069"


def leading(label: QLabel) -> QLabel:
    """The label, at the window's leading edge whichever way its words run."""
    if label.layoutDirection() == Qt.LayoutDirection.RightToLeft:
        flag = Qt.AlignmentFlag
        label.setAlignment(flag.AlignRight | flag.AlignVCenter | flag.AlignAbsolute)
    return label
