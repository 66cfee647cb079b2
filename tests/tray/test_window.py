"""Real widgets, a real daemon, the fake worker: what a user does with jobs, models and settings."""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QDoubleSpinBox, QLabel, QLineEdit
from s2edit_tray.connection import VERSION
from s2edit_tray.jobs_model import JOB_ROLE
from s2edit_tray.result_window import ResultWindow
from s2edit_tray.window import Window

from tests.fakes.daemon import RunningDaemon, fake, submit

Until = Callable[..., None]


def select(window: Window, job: str) -> None:
    order = window.jobs_view.order
    for row in range(order.rowCount()):
        if order.index(row, 0).data(JOB_ROLE)["job"] == job:
            window.jobs_view.list.selectionModel().select(
                order.index(row, 0), QItemSelectionModel.SelectionFlag.ClearAndSelect
            )
            window.jobs_view.list.setFocus()
            return
    raise AssertionError("the job is not shown")


def state(window: Window, job: str) -> str:
    known = window.jobs.job(job)
    return str(known["state"]) if known else ""


def test_a_job_from_an_editor_appears_runs_and_its_result_opens(
    window: Window, daemon_process: RunningDaemon, until: Until
) -> None:
    with daemon_process.client("gimp") as gimp:
        job = submit(gimp, edit=fake(steps=20, step_ms=5))
        until(lambda: state(window, job) == "running")
        until(lambda: state(window, job) == "done")
    select(window, job)
    QTest.keyClick(window.jobs_view.list, Qt.Key.Key_Return)
    until(lambda: window.findChildren(ResultWindow))
    (result,) = window.findChildren(ResultWindow)
    assert result.windowTitle().endswith(fake()["target"])


def test_cancel_by_keyboard_frees_the_next_job(window: Window, daemon_process: RunningDaemon, until: Until) -> None:
    with daemon_process.client("krita") as krita:
        slow = submit(krita, edit=fake(held=True))
        after = submit(krita)
        until(lambda: state(window, slow) == "running" and state(window, after) == "queued")
        select(window, slow)
        QTest.keyClick(window.jobs_view.list, Qt.Key.Key_Period, Qt.KeyboardModifier.ControlModifier)
        until(lambda: state(window, slow) == "cancelled" and state(window, after) == "done")


def test_earlier_moves_a_job_up_the_queue(window: Window, daemon_process: RunningDaemon, until: Until) -> None:
    with daemon_process.client("krita") as krita:
        slow = submit(krita, edit=fake(held=True))
        first, second = submit(krita), submit(krita, edit={**fake(), "seed": 2})
        until(lambda: window.jobs.waiting() == [first, second])
        select(window, second)
        QTest.keyClick(window.jobs_view.list, Qt.Key.Key_Up, Qt.KeyboardModifier.ControlModifier)
        until(lambda: window.jobs.waiting() == [second, first])
        krita.request("cancel", {"job": slow})


def test_jobs_from_before_the_tray_was_started_are_listed(
    app: QApplication, daemon_process: RunningDaemon, until: Until, request: pytest.FixtureRequest
) -> None:
    with daemon_process.client("cli") as cli:
        jobs = [submit(cli, edit={**fake(), "seed": number}) for number in range(3)]
    window: Window = request.getfixturevalue("window")
    until(lambda: all(state(window, job) == "done" for job in jobs))


def test_a_refused_setting_says_why_and_changes_nothing(window: Window, until: Until) -> None:
    page = window.settings_view
    mirror = next(line for line in page.findChildren(QLineEdit) if line.accessibleName().startswith("Mirror"))
    mirror.setText("not an address")
    mirror.editingFinished.emit()
    until(lambda: any("must be an address" in label.text() for label in page.findChildren(QLabel)))
    until(lambda: mirror.text() == "")
    mirror.setText("https://mirror.example")
    mirror.editingFinished.emit()
    until(lambda: any(label.text() == "Saved." for label in page.findChildren(QLabel)))


def test_a_job_is_held_released_and_tried_again_by_keyboard(
    window: Window, daemon_process: RunningDaemon, until: Until
) -> None:
    page, ctrl, shift = window.jobs_view.list, Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
    with daemon_process.client("gimp") as gimp:
        gimp.request("pause_queue", {})
        job = submit(gimp, edit=fake(fault="fail"))
        until(lambda: state(window, job) == "queued")
        select(window, job)
        QTest.keyClick(page, Qt.Key.Key_H, ctrl)
        until(lambda: state(window, job) == "paused")
        QTest.keyClick(page, Qt.Key.Key_H, ctrl | shift)
        until(lambda: state(window, job) == "queued")
        gimp.request("resume_queue", {})
        until(lambda: state(window, job) == "failed")
        attempts = window.jobs.job(job)["attempt"]  # type: ignore[index]
        QTest.keyClick(page, Qt.Key.Key_R, ctrl)
        until(lambda: state(window, job) == "failed" and window.jobs.job(job)["attempt"] > attempts)  # type: ignore[index]


def test_settings_reach_the_daemon_as_they_are_changed(
    window: Window, daemon_process: RunningDaemon, until: Until
) -> None:
    fields = window.settings_view._fields

    def settings() -> dict[str, object]:
        with daemon_process.client() as client:
            found: dict[str, object] = client.request("settings", {}).header["settings"]
            return found

    until(lambda: window.settings_view._settings)
    for name, shown, kept in (("cache_quota", 2.5, 2_500_000_000), ("idle_unload_s", 5, 300), ("result_days", 3, 3)):
        spin = fields[name][1]
        assert isinstance(spin, QDoubleSpinBox)
        spin.setValue(shown)
        until(lambda name=name, kept=kept: settings()[name] == kept)
    for name, chosen in (("device", "cpu"), ("precision", "float32")):
        combo = fields[name][1]
        assert isinstance(combo, QComboBox) and combo.currentData() == "auto"
        combo.setCurrentIndex(combo.findData(chosen))
        combo.activated.emit(combo.currentIndex())
        until(lambda name=name, chosen=chosen: settings()[name] == chosen)
    offline = fields["offline"][1]
    QTest.keyClick(offline, Qt.Key.Key_Space)
    until(lambda: settings()["offline"] is True)
    shown_here = window.memory_view._values
    until(lambda: "Offline" in shown_here and shown_here["Offline"].text() == "yes")


def test_a_version_installed_meanwhile_is_told_of_without_a_network(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert metadata.version("s2edit") == VERSION
    assert not window._update.isVisible()
    monkeypatch.setattr(metadata, "version", lambda _name: "9.8.7")
    bar = window.tabs.tabBar()
    QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.tabRect(4).center())
    assert window._update.isVisible()
    assert "9.8.7" in window._update.text()
    assert window.windowTitle() == "About – S²Edit"
