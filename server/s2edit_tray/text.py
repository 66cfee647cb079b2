"""The tray's words in the language of Qt's default locale, from the catalogues that it shares with the editors."""

from __future__ import annotations

from PySide6.QtCore import QDate, QDateTime, QLocale, Qt
from PySide6.QtWidgets import QLabel
from s2edit_editor import text as editor_text
from s2edit_editor import words
from s2edit_editor.text import catalogue, translated


def _(text: str, **values: object) -> str:
    """`text` in the language of Qt's default locale (else English), with `{names}` filled in."""
    return translated(text, language(), **values)


def language() -> str:
    """That of Qt's default locale, two letters such as `de`, if the tray speaks it, else `en`; in force from now on."""
    editor_text.speak([QLocale().name()])
    return editor_text.language()


def numbers() -> QLocale:
    """How numbers are written: as in the language that the words are in, which is English when none is there.

    In Arabic with the digits that the shared words have: those of the Emirates, whose dates are Arabic all the same.
    """
    if not catalogue(language()):
        return QLocale(QLocale.Language.English)
    return QLocale("ar_AE") if language() == "ar" else QLocale()


def size(count: int) -> str:
    """Bytes as people write them: `3.4 GB`."""
    return numbers().formattedDataSize(count, 1, QLocale.DataSizeFormat.DataSizeSIFormat)


def duration(seconds: float) -> str:
    """Seconds as people say them: `8 s`, `2 min`, `1 h 5 min`."""
    language()
    return words.duration(seconds)


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
