"""What the icon says: idle, working, needs attention; and when a notification is worth the interruption."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QAbstractButton, QApplication, QMessageBox, QSystemTrayIcon
from s2edit_tray import foreground
from s2edit_tray.app import TrayApp
from s2edit_tray.job_words import LITTLE
from s2edit_tray.tray_icon import icon

from .test_jobs_model import job


@pytest.fixture
def tray(app: QApplication, monkeypatch: pytest.MonkeyPatch) -> Iterator[TrayApp]:
    """A tray that never connects."""
    made = TrayApp(app, hidden=False)
    made.window.hide()
    app.processEvents()
    yield made
    made.window.deleteLater()
    app.setQuitOnLastWindowClosed(False)


def seen(tray: TrayApp) -> bytes:
    return bytes(tray.icon.icon().pixmap(32, 32).toImage().constBits())


def picture(made: QIcon) -> bytes:
    return bytes(made.pixmap(32, 32).toImage().constBits())


def test_ring_while_working_dot_after_a_failure_nothing_once_seen(tray: TrayApp) -> None:
    assert seen(tray) == picture(icon())
    # Far from now, so that the moment between makes no difference.
    tray.daemon.job_changed.emit(job(1, "running", started=time.time() - 1e6, eta=1e6), None)
    assert seen(tray) == picture(icon(0.5))
    tray.daemon.job_changed.emit(job(1, "running", step=1, total=1), None)
    assert seen(tray) == picture(icon(LITTLE)), "a phase at its end is not the job at its end"
    tray.daemon.job_changed.emit(job(1, "failed", message="Too big."), None)
    assert seen(tray) == picture(icon(attention=True))
    assert "a man with hat 1" in tray.icon.toolTip()
    tray.daemon.job_changed.emit(job(2, "done"), None)
    assert seen(tray) == picture(icon(attention=True)), "a later success does not hide an earlier failure"
    tray._seen(tray.window)
    assert seen(tray) == picture(icon())
    assert picture(icon()) != picture(icon(0.5)) != picture(icon(attention=True))


def test_a_lost_daemon_and_damaged_weights_need_attention(tray: TrayApp) -> None:
    model: dict[str, Any] = {
        "id": "m",
        "title": "Faces",
        "purpose": "",
        "role": "editor",
        "licence": "MIT",
        "gated": False,
        "embedded": False,
        "state": "broken",
        "size": 1,
        "present": 1,
        "memory": 1,
    }
    tray.daemon.line_changed.emit("lost", "S²Edit's daemon doesn't answer.")
    tray.daemon.model_changed.emit(model)
    assert "doesn't answer" in tray.icon.toolTip()
    assert "“Faces” is damaged" in tray.icon.toolTip()
    tray._seen(tray.window)
    assert seen(tray) == picture(icon(attention=True)), "looking at it mends neither"
    tray.daemon.line_changed.emit("ready", "")
    tray.daemon.model_changed.emit({**model, "state": "ready"})
    assert tray.icon.toolTip() == "S²Edit"
    assert seen(tray) == picture(icon())


@pytest.mark.parametrize(
    ("in_front", "state", "told"),
    [("gimp", "done", 0), ("krita", "done", 1), ("", "failed", 1), ("", "cancelled", 0)],
)
def test_a_notification_unless_its_editor_is_in_front(
    tray: TrayApp, monkeypatch: pytest.MonkeyPatch, in_front: str, state: str, told: int
) -> None:
    messages: list[str] = []
    monkeypatch.setattr(QSystemTrayIcon, "isVisible", lambda _self: True)
    monkeypatch.setattr(QSystemTrayIcon, "showMessage", lambda _self, title, *_more: messages.append(title))
    monkeypatch.setattr(foreground, "_front", lambda: f'WM_CLASS(STRING) = "{in_front}-3.0", "{in_front.title()}"')
    tray.daemon.job_changed.emit(job(2, state), None)
    assert len(messages) == told


@pytest.mark.parametrize("connected", [True, False])
@pytest.mark.parametrize(("answer", "asked"), [("Leave it running", []), ("Stop it too", ["shutdown"]), ("Cancel", [])])
def test_leaving_with_or_without_the_daemon(
    tray: TrayApp, monkeypatch: pytest.MonkeyPatch, answer: str, asked: list[str], connected: bool
) -> None:
    requests: list[str] = []
    left: list[None] = []

    def ask(op: str, _fields: object, _on_reply: object, on_error: Callable[[object], None]) -> None:
        requests.append(op)
        on_error(None)  # Even when the daemon is gone before it answers.

    def chosen(box: QMessageBox) -> QAbstractButton:
        return next(button for button in box.buttons() if button.text().replace("&", "") == answer)

    monkeypatch.setattr(QMessageBox, "exec", lambda _box: 0)
    monkeypatch.setattr(QMessageBox, "clickedButton", chosen)
    monkeypatch.setattr(QApplication, "quit", lambda *_: left.append(None))
    monkeypatch.setattr(tray.daemon, "ask", ask)
    tray.daemon.ready = connected
    tray.quit()
    assert requests == (asked if connected else [])
    assert len(left) == (answer != "Cancel")


def test_a_panel_may_come_and_go(tray: TrayApp, app: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing the window ends the app only where nothing could bring it back."""
    there = False
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", staticmethod(lambda: there))
    tray.window.show()
    seen: list[tuple[bool, bool, bool]] = []
    for available, hidden in ((False, False), (True, False), (True, True), (False, True), (False, False)):
        there = available
        tray.window.setVisible(not hidden)
        tray._take_place()
        seen.append((tray.icon.isVisible(), tray.window.stays, app.quitOnLastWindowClosed()))
    assert seen == [
        (False, False, True),
        (True, True, False),
        (True, True, False),
        (True, False, False),
        (True, False, True),
    ]
    tray.icon.hide()
    tray.window.hide()
