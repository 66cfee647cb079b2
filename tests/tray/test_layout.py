"""What the pages look like, as far as that can be told without eyes: nothing cut off, no page empty in silence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PySide6.QtCore import QLocale, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLabel,
    QProgressBar,
    QSlider,
    QSpinBox,
    QToolButton,
    QWidget,
)
from s2edit_tray.connection import Daemon
from s2edit_tray.model_card import ModelCard
from s2edit_tray.result_window import ResultWindow
from s2edit_tray.theme import warning
from s2edit_tray.thumbnails import Thumbnails
from s2edit_tray.window import Window

from .test_jobs_model import job

MODEL: dict[str, Any] = {
    "id": "m",
    "title": "Faces",
    "purpose": "For tests.",
    "role": "editor",
    "licence": "CreativeML OpenRAIL-M",
    "gated": True,
    "embedded": False,
    "state": "broken",
    "size": 4_300_000_000,
    "present": 1,
    "memory": 14_500_000_000,
}
STATUS: dict[str, Any] = {
    "device": "cuda:0 (NVIDIA GeForce RTX 4090 Laptop GPU)",
    "worker": "busy",
    "model": "stable-diffusion-v1-5",
    "offline": False,
    "version": "0.1.0",
    "queue_paused": True,
    "uptime": 90_000,
    **dict.fromkeys(("memory_used", "memory_free", "cache_bytes", "result_bytes", "weights_bytes"), 23_400_000_000),
}


@pytest.fixture(params=["en", "de", "ar"])
def alone(request: pytest.FixtureRequest, app: QApplication) -> Iterator[Window]:
    """The window in some language, of a daemon that is never there."""
    before = QLocale()
    QLocale.setDefault(QLocale(request.param))
    app.setLayoutDirection(QLocale().textDirection())
    try:
        made = Window(Daemon(), stays=False)
        made.show()
        app.processEvents()
        yield made
        made.close()
        made.deleteLater()
        app.processEvents()
    finally:
        QLocale.setDefault(before)
        app.setLayoutDirection(Qt.LayoutDirection.LeftToRight)


def cut_off(window: QWidget) -> list[str]:
    """Words of which a part can't be seen."""
    found = []
    for widget in window.findChildren(QWidget):
        if not widget.isVisible() or not isinstance(widget, (QLabel, QAbstractButton, QComboBox, QSpinBox)):
            continue
        if widget.objectName().startswith("qt_"):
            continue
        if isinstance(widget, QLabel) and widget.wordWrap():
            needed, there = widget.heightForWidth(widget.width()), widget.height()
        else:
            needed, there = widget.sizeHint().width(), widget.width()
        if there < needed:
            words = widget.currentText() if isinstance(widget, QComboBox) else getattr(widget, "text", str)()
            found.append(f"{words}: {there} of {needed}")
    return found


def test_nothing_is_cut_off_on_any_page(alone: Window, app: QApplication) -> None:
    alone._daemon.status_changed.emit(STATUS)
    for state in ("absent", "downloading", "paused", "broken", "ready"):
        alone._daemon.model_changed.emit({**MODEL, "id": state, "title": state, "state": state})
    alone._daemon.line_changed.emit("lost", "S²Edit's daemon does not start. " * 6)
    for page in range(alone.tabs.count()):
        alone.tabs.setCurrentIndex(page)
        app.processEvents()
        assert cut_off(alone.tabs.currentWidget()) == []
        assert cut_off(alone) == []


def test_the_settings_of_a_small_window_need_no_scrolling_to_the_side(alone: Window, app: QApplication) -> None:
    page = alone.settings_view
    page._models = [("m", "Stable Diffusion v1-4 with the face decoder")]
    alone._daemon.settings_changed.emit({"default_model": "m"})
    alone.resize(560, 420)
    alone.tabs.setCurrentWidget(page)
    app.processEvents()
    assert page.horizontalScrollBar().maximum() == 0
    assert cut_off(page) == []


def test_what_finds_no_room_in_the_bar_is_behind_a_button_that_can_be_seen(alone: Window, app: QApplication) -> None:
    alone.resize(560, 420)
    alone.tabs.setCurrentWidget(alone.jobs_view)
    app.processEvents()
    further = alone.jobs_view.findChild(QToolButton, "qt_toolbar_ext_button")
    assert further is not None
    assert further.isVisible()
    assert (further.toolButtonStyle(), further.text()) == (Qt.ToolButtonStyle.ToolButtonTextOnly, "»")


def test_a_tab_is_high_enough_for_its_words(alone: Window) -> None:
    bar = alone.tabs.tabBar()
    assert all(bar.tabRect(tab).height() >= bar.fontMetrics().height() + 10 for tab in range(bar.count()))


def test_a_lost_daemon_is_told_of_above_every_page_until_it_is_back(
    alone: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Daemon, "ask", lambda *_: None)
    alone._daemon.line_changed.emit("lost", "Nobody answers.")
    assert alone._trouble.isVisible()
    assert "Nobody answers." in alone._trouble.text()
    alone._daemon.line_changed.emit("connecting", "")
    assert alone._trouble.isVisible(), "one more attempt is no end of it"
    alone._daemon.line_changed.emit("ready", "")
    assert not alone._trouble.isVisible()


def test_an_empty_list_says_why(alone: Window) -> None:
    page = alone.jobs_view
    unknown = page._empty.text()
    page._listed = True
    page._refresh()
    none = page._empty.text()
    alone.jobs.extend([job(1)])
    assert page.list.isVisible()
    assert not page._empty.isVisible()
    page.order.show_only(text="nothing like it")
    page._refresh()
    assert page._empty.isVisible()
    assert len({unknown, none, page._empty.text()}) == 3
    page.order.show_only()
    page._refresh()
    assert page.list.isVisible()


def test_numbers_stand_at_the_leading_edge_and_are_written_as_the_words_are(alone: Window) -> None:
    alone._daemon.model_changed.emit({**MODEL, "state": "paused", "present": MODEL["size"] // 2})
    bar = alone.weights_view.findChildren(ModelCard)[0].findChild(QProgressBar)
    assert bar is not None
    assert bar.text().replace("\u200e", "") == "50%"
    fields = [widget for entry, widget in alone.settings_view._fields.values() if entry.kind == "number"]
    assert {field.width() for field in fields} == {fields[0].width()}


def test_what_went_wrong_with_a_model_is_in_the_colour_for_it(alone: Window) -> None:
    alone._daemon.model_changed.emit({**MODEL, "message": "The connection broke off."})
    (card,) = alone.weights_view.findChildren(ModelCard)
    card.show_error("This disk is full.")
    colours = {
        label.text(): label.palette().color(label.foregroundRole())
        for label in card.findChildren(QLabel)
        if label.isVisibleTo(card)
    }
    wrong = warning(alone.palette())
    assert [text for text, colour in colours.items() if colour == wrong] == [
        "The connection broke off.",
        "This disk is full.",
    ]


def test_the_edit_comes_from_the_same_side_in_every_language(app: QApplication) -> None:
    app.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    try:
        picture = QLabel().grab().toImage()
        window = ResultWindow("a hat", picture, picture)
        slider = window.findChild(QSlider)
        assert slider is not None
        assert slider.layoutDirection() == Qt.LayoutDirection.LeftToRight
    finally:
        app.setLayoutDirection(Qt.LayoutDirection.LeftToRight)


def test_pictures_are_asked_for_again_after_the_line_broke(app: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(Daemon, "ask", lambda _self, op, *_more: asked.append(op))
    daemon = Daemon()
    daemon.ready = True
    thumbnails = Thumbnails(daemon)
    for _ in range(2):
        thumbnails.of(job(1))
    assert asked == ["thumbnail"]
    daemon.line_changed.emit("ready", "")
    thumbnails.of(job(1))
    assert asked == ["thumbnail", "thumbnail"]


def test_pictures_that_came_are_not_asked_for_again_over_a_slow_line(
    app: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def ask(_self: Daemon, _op: str, fields: dict[str, str], came: Callable[..., None], *_more: object) -> None:
        asked.append(fields["job"])
        came({"frames": []}, [])

    monkeypatch.setattr(Daemon, "ask", ask)
    daemon = Daemon()
    daemon.ready = True
    thumbnails = Thumbnails(daemon)
    for state in ("queued", "running", "paused", "running", "done", "done"):
        thumbnails.of({**job(1), "state": state})
        daemon.line_changed.emit("ready", "")
    assert len(asked) == 2, "once before its end, once after"
