"""Real widgets, a real daemon, the fake worker: what a user does with jobs, models and settings."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit
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
        slow = submit(krita, edit=fake(steps=10_000, step_ms=5))
        after = submit(krita)
        until(lambda: state(window, slow) == "running" and state(window, after) == "queued")
        select(window, slow)
        QTest.keyClick(window.jobs_view.list, Qt.Key.Key_Period, Qt.KeyboardModifier.ControlModifier)
        until(lambda: state(window, slow) == "cancelled" and state(window, after) == "done")


def test_earlier_moves_a_job_up_the_queue(window: Window, daemon_process: RunningDaemon, until: Until) -> None:
    with daemon_process.client("krita") as krita:
        slow = submit(krita, edit=fake(steps=10_000, step_ms=5))
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
    until(lambda: any("setting can't be used" in label.text() for label in page.findChildren(QLabel)))
    until(lambda: mirror.text() == "")
    mirror.setText("https://mirror.example")
    mirror.editingFinished.emit()
    until(lambda: any(label.text() == "Saved." for label in page.findChildren(QLabel)))
