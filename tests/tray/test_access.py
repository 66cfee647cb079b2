"""Without a mouse and without eyes: names on all controls, everything reached by Tab, no shortcut twice; mirrored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QLocale, Qt
from PySide6.QtGui import QAction, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QSlider,
    QWidget,
)
from s2edit_tray.log_window import LogWindow
from s2edit_tray.model_card import ModelCard
from s2edit_tray.result_window import ResultWindow
from s2edit_tray.text import leading
from s2edit_tray.window import Window

Until = Callable[..., None]
CONTROLS = (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QSlider,
)


def nameless(window: QWidget) -> list[str]:
    """Controls for which a screen reader would have nothing to say."""
    found = []
    for widget in window.findChildren(QWidget):
        # What Qt makes inside its own controls (a combo box's list, a spin box's line) is described by the control.
        inside = any(isinstance(parent, (QComboBox, QAbstractSpinBox, QLineEdit)) for parent in parents(widget))
        internal = widget.objectName().startswith("qt_")
        if not isinstance(widget, CONTROLS) or inside or internal or "Scroll" in type(widget).__name__:
            continue
        text = widget.text() if isinstance(widget, QAbstractButton) else ""
        if not (widget.accessibleName() or text):
            found.append(f"{type(widget).__name__} in {type(widget.parentWidget()).__name__}")
    return found


def parents(widget: QWidget) -> Iterator[QWidget]:
    parent = widget.parentWidget()
    while parent is not None:
        yield parent
        parent = parent.parentWidget()


@pytest.fixture
def filled(window: Window, until: Until) -> Window:
    until(lambda: window.weights_view.findChildren(ModelCard) and window.memory_view._values)
    return window


def test_every_control_has_a_name(filled: Window) -> None:
    picture = QImage(8, 8, QImage.Format.Format_RGB888)
    for window in (filled, ResultWindow("a hat", picture, picture, filled), LogWindow("Log", ["line"], filled)):
        assert nameless(window) == []


@pytest.mark.parametrize("page", range(4))
def test_tab_reaches_every_enabled_control_of_a_page(filled: Window, page: int, app: QApplication) -> None:
    filled.tabs.setCurrentIndex(page)
    filled.activateWindow()
    filled.tabs.tabBar().setFocus()
    app.processEvents()
    wanted = {
        widget
        for widget in filled.tabs.currentWidget().findChildren(QWidget)
        if isinstance(widget, (QAbstractButton, QAbstractItemView, QAbstractSpinBox, QComboBox, QLineEdit))
        and widget.isVisible()
        and widget.isEnabled()
        and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and not widget.focusProxy()
        and not any(isinstance(parent, (QComboBox, QAbstractSpinBox)) for parent in parents(widget))
    }
    assert wanted
    reached = set()
    for _ in range(100):
        QTest.keyClick(QApplication.focusWidget() or filled, Qt.Key.Key_Tab)
        reached.add(QApplication.focusWidget())
    assert [widget.accessibleName() or type(widget).__name__ for widget in wanted - reached] == []


def test_no_button_is_left_out_of_the_tab_order(filled: Window) -> None:
    left_out = [
        button.text()
        for button in filled.findChildren(QAbstractButton)
        if button.text() and not button.focusPolicy() & Qt.FocusPolicy.TabFocus
    ]
    assert left_out == []


def test_no_shortcut_has_two_meanings(filled: Window) -> None:
    keys = Counter(action.shortcut().toString() for action in filled.findChildren(QAction))
    del keys[""]
    assert len(keys) >= 10
    assert {key: count for key, count in keys.items() if count > 1} == {}
    letters = [filled.tabs.tabText(tab).split("&")[1][0].casefold() for tab in range(filled.tabs.count())]
    assert len(set(letters)) == len(letters)


def test_the_window_is_mirrored_for_languages_written_from_the_right(
    app: QApplication, window: Window, until: Until
) -> None:
    """The list's pictures stand at the right then."""
    assert QLocale("ar").textDirection() == Qt.LayoutDirection.RightToLeft
    try:
        app.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        app.processEvents()
        search = next(line for line in window.jobs_view.findChildren(QLineEdit) if line.accessibleName() == "Search")
        states = window.jobs_view.findChildren(QComboBox)[0]
        assert search.x() < states.x()
        assert window.jobs_view.list.layoutDirection() == Qt.LayoutDirection.RightToLeft
        made = leading(QLabel("Words from the left"))
        assert made.alignment() & Qt.AlignmentFlag.AlignRight
    finally:
        app.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
