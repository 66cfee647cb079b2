"""Texts in the desktop's language, and the user's own imports file says what it refuses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PySide6.QtCore import QDate, QDateTime, QLocale, QTime
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QCheckBox
from s2edit_tray import text
from s2edit_tray.imports import ImportsFile, ImportsFileError
from s2edit_tray.theme import Outlined, dark_palette, warning, warning_ground


def test_words_and_numbers_are_in_the_same_language() -> None:
    before = QLocale()
    try:
        for language, wanted in (("de", "3,4 GB · Abgebrochen"), ("fr", "3.4 GB · Cancelled")):
            QLocale.setDefault(QLocale(language))
            assert f"{text.size(3_400_000_000)} · {text._('Cancelled')}" == wanted
    finally:
        QLocale.setDefault(before)


def test_an_ended_jobs_time_has_its_date_unless_it_is_today() -> None:
    before = QLocale()
    try:
        QLocale.setDefault(QLocale("de_DE"))
        noon = QDateTime(QDate.currentDate(), QTime(12, 5))
        assert text.moment(noon.toSecsSinceEpoch()) == "12:05"
        earlier = text.moment(noon.addDays(-3).toSecsSinceEpoch())
        assert earlier.endswith(" 12:05")
        assert re.match(r"\d\d\.\d\d\.\d\d ", earlier)
    finally:
        QLocale.setDefault(before)


def contrast(front: QColor, back: QColor) -> float:
    """WCAG 2.2, 1.4.3: from 1 to 21."""
    dark, light = sorted((luminance(front), luminance(back)))
    return (light + 0.05) / (dark + 0.05)


def test_warnings_can_be_read_in_light_and_dark(app: QApplication) -> None:
    role = QPalette.ColorRole
    for palette in (Outlined("Fusion").standardPalette(), dark_palette()):
        for back in (role.Window, role.Base):
            assert contrast(warning(palette), palette.color(back)) >= 4.5
        assert contrast(palette.color(role.WindowText), warning_ground(palette)) >= 4.5


def luminance(colour: QColor) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (colour.redF(), colour.greenF(), colour.blueF())
    )
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


def test_dark_colours_can_be_read() -> None:
    palette, role = dark_palette(), QPalette.ColorRole
    for front, back in (
        (role.WindowText, role.Window),
        (role.Text, role.Base),
        (role.ButtonText, role.Button),
        (role.HighlightedText, role.Highlight),
        (role.Link, role.Window),
        (role.PlaceholderText, role.Base),
    ):
        assert contrast(palette.color(front), palette.color(back)) >= 4.5, (front, back)


def test_a_check_box_can_be_seen_in_the_dark(app: QApplication) -> None:
    box = QCheckBox()
    style = Outlined("Fusion")
    box.setStyle(style)
    box.setPalette(dark_palette())
    image = box.grab().toImage()
    window = luminance(dark_palette().color(QPalette.ColorRole.Window))
    brightest = max(luminance(image.pixelColor(x, y)) for x in range(image.width()) for y in range(image.height()))
    assert (brightest + 0.05) / (window + 0.05) >= 3


def test_imports_are_kept_once_and_foreign_formats_are_refused(tmp_path: Path) -> None:
    good, bad = tmp_path / "a.safetensors", tmp_path / "b.ckpt"
    good.write_bytes(b"x")
    bad.write_bytes(b"x")
    imports = ImportsFile(tmp_path / "state" / "imports.json")
    imports.add(str(good))
    imports.add(str(good))
    assert imports.paths() == [str(good)]
    for wrong in (bad, tmp_path, tmp_path / "gone.safetensors"):
        with pytest.raises(ImportsFileError, match=wrong.name):
            imports.add(str(wrong))
    assert imports.paths() == [str(good)]
