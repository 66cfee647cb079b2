"""The page about this computer: figures, freeing, the log, and diagnostics that can't give anything away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPlainTextEdit, QPushButton
from s2edit_tray.diagnostics import diagnostics
from s2edit_tray.log_window import LogWindow
from s2edit_tray.window import Window

from tests.fakes.daemon import RunningDaemon, fake, finished, submit

Until = Callable[..., None]


def press(window: Window, text: str) -> None:
    button = next(one for one in window.memory_view.findChildren(QPushButton) if one.text() == text)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def value(window: Window, name: str) -> str:
    return next((one.text() for one in window.memory_view.findChildren(QLabel) if one.accessibleName() == name), "")


def test_diagnostics_hold_nothing_of_the_users_own(window: Window, daemon_process: RunningDaemon, until: Until) -> None:
    secret = "Annegret"
    document = {"host": "gimp", "title": f"{secret}.xcf", "layer": f"{secret}s hat"}
    edit = {**fake(fault="fail"), "source": f"{secret} with a hat", "target": f"{secret} with a crown"}
    with daemon_process.client("gimp") as gimp:
        failed = submit(gimp, edit={**edit, "document": document})
        finished(gimp, failed)
        gimp.request(
            "configure", {"settings": {"proxy": f"http://{secret}:word@proxy.example:80", "model_gimp": secret}}
        )
    until(lambda: (window.jobs.job(failed) or {}).get("state") == "failed")
    window.settings_view.load()
    until(lambda: window.memory_view._settings.get("model_gimp") == secret)
    press(window, "Copy diagnostics")
    text = QGuiApplication.clipboard().text()
    assert "failed with" in text
    assert "setting proxy: set" in text
    for forbidden in (secret, "crown", "hat", "example", "word", str(daemon_process.folder), "/tmp", failed):
        assert forbidden not in text


def test_whatever_the_daemon_may_tell_one_day_stays_out_until_named(app: object) -> None:
    status: dict[str, Any] = {"version": "1", "home": "/home/anna", "key": "ab" * 32, "model": "import-anna-mueller"}
    text = diagnostics(status, {"token": "hf_secret"}, [{"id": "import-anna-mueller", "state": "ready"}], {})
    assert "anna" not in text
    assert "hf_secret" not in text
    assert "ab" * 32 not in text
    assert "an imported one: ready" in text


def test_idle_time_quota_and_freeing(window: Window, daemon_process: RunningDaemon, until: Until) -> None:
    until(lambda: value(window, "Freed without a job after") == "10 min")
    assert " of " in value(window, "Learned identities on disk")
    with daemon_process.client("gimp") as gimp:
        finished(gimp, submit(gimp))
        window.memory_view.load()
        until(lambda: value(window, "Worker") in ("idle", "busy"))
        press(window, "Free memory now")
        until(lambda: gimp.request("status", {}).header["status"]["model"] == "")
    cache = daemon_process.folder / "cache"
    cache.mkdir(exist_ok=True)
    (cache / "identity").write_bytes(b"x" * 5_000)
    press(window, "Forget learned identities")
    until(lambda: not (cache / "identity").exists())


def test_the_daemons_log_is_shown(window: Window, daemon_process: RunningDaemon, until: Until) -> None:
    press(window, "Show the daemon's log")
    (log,) = window.findChildren(LogWindow)
    shown = log.findChild(QPlainTextEdit)
    assert isinstance(shown, QPlainTextEdit)
    last = (daemon_process.folder / "logs" / "daemon.log").read_text("utf-8").splitlines()[-1]
    assert last in shown.toPlainText()


def test_each_of_several_places_is_shown_with_its_job_and_freed_alone(window: Window) -> None:
    asked: list[tuple[str, dict[str, Any]]] = []
    view = window.memory_view._places
    view._daemon = type("Line", (), {"ask": lambda _self, op, fields, on_reply: asked.append((op, fields))})()
    place = {"worker": "busy", "worker_pid": 7, "model": "portraits", "memory_used": 3 * 10**9, "memory_free": 10**9}
    places = [{**place, "name": f"card {number}", "device": f"cuda:0 (H{number})"} for number in range(2)]
    view.take(places)
    assert not view.isHidden()
    assert all(part in value(window, "card 1") for part in ("cuda:0 (H1)", "busy", "portraits"))
    buttons = [one for one in view.findChildren(QPushButton) if one.accessibleDescription() == "card 1"]
    buttons[0].click()
    assert asked == [("free_memory", {"place": "card 1"})]
    view.take([])
    assert view.isHidden() and not view.findChildren(QPushButton), "one place is shown as ever"
