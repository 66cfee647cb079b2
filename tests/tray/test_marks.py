"""Files dropped on the window show their marks; what the tray saves carries one."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QLocale, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent, QImage
from PySide6.QtWidgets import QApplication, QWidget
from s2edit_marks import detection, terms
from s2edit_tray.connection import VERSION
from s2edit_tray.marks_window import MarksWindow
from s2edit_tray.result_window import save_marked
from s2edit_tray.window import Window

from .conftest import Until


def saved(path: Path) -> Path:
    """A result of half transparent red, as its window saves it."""
    image = QImage(70, 40, QImage.Format.Format_RGBA8888)
    image.fill(QColor(255, 0, 0, 128))
    assert save_marked(image, path)
    return path


def drop(where: QWidget, files: list[Path]) -> bool:
    """Drag files over a widget and let them fall; whether it takes them."""
    data, button, key = QMimeData(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    data.setUrls([QUrl.fromLocalFile(str(file)) for file in files])
    enter = QDragEnterEvent(QPoint(9, 9), Qt.DropAction.CopyAction, data, button, key)
    enter.ignore()
    QApplication.sendEvent(where, enter)
    if enter.isAccepted():
        QApplication.sendEvent(where, QDropEvent(QPointF(9, 9), Qt.DropAction.CopyAction, data, button, key))
    return enter.isAccepted()


def test_dropped_files_show_every_mark(window: Window, until: Until, tmp_path: Path) -> None:
    marked, plain, empty, pipe = saved(tmp_path / "edit.png"), tmp_path / "a.jpg", tmp_path / "b.jpg", tmp_path / "pipe"
    Image.new("RGB", (64, 64), "blue").save(plain)
    empty.touch()
    os.mkfifo(pipe)
    assert drop(window.jobs_view.list, [marked, plain, empty, pipe, tmp_path, tmp_path / "gone"])
    shown = window.findChildren(MarksWindow)[0]
    until(lambda: not shown.searching)
    said = shown.text.toPlainText()
    assert f"of {terms.PROGRAM} {VERSION}: compositeWithTrainedAlgorithmicMedia." in said
    assert said.count("Made or changed with the help of a model") == 1
    assert said.count("No mark says") == 2 and said.count("can't be read") == 3
    shown.close()


@pytest.mark.parametrize(("language", "wanted"), [("de", "Mit Hilfe eines Modells"), ("ar", "بمساعدة نموذج")])
def test_marks_are_told_in_the_painters_language(
    language: str, wanted: str, window: Window, until: Until, tmp_path: Path
) -> None:
    before = QLocale()
    QLocale.setDefault(QLocale(language))
    try:
        shown = MarksWindow([saved(tmp_path / "edit.png")], window)
        until(lambda: not shown.searching)
    finally:
        QLocale.setDefault(before)
    said = shown.text.toPlainText()
    assert wanted in said and "compositeWithTrainedAlgorithmicMedia" in said and "Metadata" not in said
    shown.close()


def test_the_models_page_takes_weights_alone(window: Window, tmp_path: Path) -> None:
    picture = saved(tmp_path / "edit.png")
    assert drop(window.weights_view, [picture]), "it falls through to the window"
    assert len(window.findChildren(MarksWindow)) == 1


def test_what_the_tray_saves_carries_the_mark(app: QApplication, tmp_path: Path) -> None:
    file = saved(tmp_path / "edit.png")
    assert detection.detect(file).says_model
    with Image.open(file) as picture:
        assert (picture.mode, picture.getpixel((1, 1))) == ("RGBA", (255, 0, 0, 128))
    if os.name == "posix":
        mask = os.umask(0)
        os.umask(mask)
        assert file.stat().st_mode & 0o777 == 0o666 & ~mask
    told = json.loads(subprocess.run(["exiftool", "-j", "-G1", file], capture_output=True, check=True).stdout)
    assert told[0]["XMP-iptcExt:DigitalSourceType"] == terms.SOURCE_TYPE
    assert not save_marked(QImage(2, 2, QImage.Format.Format_RGB32), tmp_path / "no folder" / "edit.png")
    assert [path.name for path in tmp_path.iterdir()] == ["edit.png"]
