"""The jobs page: dragging in the queue, pausing it, deleting with and without a question, thousands of jobs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import QItemSelectionModel, QPoint, Qt
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox, QPlainTextEdit
from s2edit_tray.connection import Daemon
from s2edit_tray.jobs_model import JOB_ROLE, JobsModel
from s2edit_tray.jobs_view import JobsView
from s2edit_tray.log_window import LogWindow
from s2edit_tray.reordering import Reordering, shifted
from s2edit_tray.thumbnails import Thumbnails
from s2edit_tray.window import Window
from s2edit_wire.errors import WireError

from tests.fakes.daemon import RunningDaemon, fake, finished, submit

from .test_jobs_model import job
from .test_window import select, state

Until = Callable[..., None]


def row_of(window: Window, job_id: str) -> int:
    order = window.jobs_view.order
    return next(row for row in range(order.rowCount()) if order.index(row, 0).data(JOB_ROLE)["job"] == job_id)


def drag(window: Window, job_id: str, onto: str, *, lower_half: bool) -> bool:
    """What Qt makes of a drag with the mouse, from its start; returns whether there was anything to drag."""
    jobs = window.jobs_view.list
    dragged = window.jobs_view.order.index(row_of(window, job_id), 0)
    if not dragged.flags() & Qt.ItemFlag.ItemIsDragEnabled:
        return False
    data = window.jobs_view.order.mimeData([dragged])
    card = jobs.visualRect(window.jobs_view.order.index(row_of(window, onto), 0))
    aim = QPoint(card.center().x(), card.center().y() + (20 if lower_half else -20))
    action, button, keys = Qt.DropAction.MoveAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    for event in (
        QDragEnterEvent(aim, action, data, button, keys),
        QDragMoveEvent(aim, action, data, button, keys),
        QDropEvent(aim, action, data, button, keys),
    ):
        assert QApplication.sendEvent(jobs.viewport(), event)
        assert event.isAccepted()
        jobs.viewport().repaint()
    return True


def test_a_waiting_job_is_dragged_to_another_place(window: Window, daemon_process: RunningDaemon, until: Until) -> None:
    with daemon_process.client("krita") as krita:
        slow = submit(krita, edit=fake(held=True))
        one, two, three = (submit(krita, edit={**fake(), "seed": seed}) for seed in range(3))
        until(lambda: window.jobs.waiting() == [one, two, three] and state(window, slow) == "running")
        assert drag(window, three, one, lower_half=False)
        until(lambda: window.jobs.waiting() == [three, one, two])
        assert drag(window, three, two, lower_half=True)
        until(lambda: window.jobs.waiting() == [one, two, three])
        assert drag(window, two, slow, lower_half=False)
        until(lambda: window.jobs.waiting() == [two, one, three])
        assert not drag(window, slow, two, lower_half=True)
        krita.request("cancel", {"job": slow})


def places(window: Window) -> dict[str, int]:
    jobs = [window.jobs.job(job) for job in window.jobs.waiting()]
    return {job["job"]: job["position"] for job in jobs if job}


def test_several_jobs_move_together(window: Window, daemon_process: RunningDaemon, until: Until) -> None:
    page = window.jobs_view.list
    with daemon_process.client("krita") as krita:
        krita.request("pause_queue", {})
        one, two, three = (submit(krita, edit={**fake(), "seed": seed}) for seed in range(3))
        # Places, not only the order: events tell of one job at a time, and the keys below need the last of them.
        until(lambda: places(window) == {one: 1, two: 2, three: 3})
        select(window, two)
        more = window.jobs_view.order.index(row_of(window, three), 0)
        page.selectionModel().select(more, QItemSelectionModel.SelectionFlag.Select)
        QTest.keyClick(page, Qt.Key.Key_Up, Qt.KeyboardModifier.ControlModifier)
        until(lambda: places(window) == {two: 1, three: 2, one: 3})
        QTest.keyClick(page, Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier)
        until(lambda: places(window) == {one: 1, two: 2, three: 3})
        # Keys pressed faster than the daemon answers: each counts from where the one before it leads.
        for key in (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Up):
            QTest.keyClick(page, key, Qt.KeyboardModifier.ControlModifier)
        until(lambda: places(window) == {two: 1, three: 2, one: 3} and not window.jobs_view._reordering._moving)


class SlowDaemon(Daemon):
    """Answers a request only when told to, refusing those about one job."""

    def __init__(self, refuses: str = "") -> None:
        super().__init__()
        self.asked: list[tuple[object, object]] = []
        self._refuses = refuses
        self._answers: list[Callable[[], None]] = []

    def ask(self, op: str, fields: Any = None, on_reply: Any = None, on_error: Any = None) -> None:
        self.asked.append((fields["job"], fields.get("before", "")))
        error = WireError("wrong_state", "It has begun.")
        refused = fields["job"] == self._refuses
        self._answers.append(lambda: on_error(error) if refused else on_reply({}, []))

    def answer(self) -> None:
        self._answers.pop(0)()


def test_a_move_is_sent_when_the_one_before_it_is_answered(app: QApplication) -> None:
    daemon, model = SlowDaemon(refuses="b"), JobsModel()
    said: list[str] = []
    daemon.failed.connect(lambda message, _hint: said.append(message))
    moves = Reordering(daemon, model)
    moves.put_before(["a", "b", "c"], "x")
    moves.put_before(["d"], "")
    assert daemon.asked == [("a", "x")]
    for count in (2, 3, 4):
        daemon.answer()
        assert len(daemon.asked) == count
    assert daemon.asked == [("a", "x"), ("b", "x"), ("c", "x"), ("d", "")]
    assert said == ["It has begun."]
    daemon.answer()
    moves.put_before(["e"], "x")
    assert daemon.asked[-1] == ("e", "x")


@pytest.mark.parametrize(
    ("jobs", "up", "after"),
    [
        *(("b", True, "bacd"), ("a", True, "abcd"), ("cd", True, "acdb"), ("bd", True, "bdac"), ("z", True, "abcd")),
        *(("b", False, "acbd"), ("d", False, "abcd"), ("ab", False, "cabd"), ("ac", False, "bdac")),
        ("abcd", False, "abcd"),
    ],
)
def test_one_place_up_or_down(jobs: str, up: bool, after: str) -> None:
    queue = list("abcd")
    for job_id, before in shifted(queue, jobs, up=up):
        queue.remove(job_id)
        queue.insert(queue.index(before) if before else len(queue), job_id)
    assert "".join(queue) == after


def test_the_queue_is_paused_and_resumed_from_the_window(
    window: Window, daemon_process: RunningDaemon, until: Until
) -> None:
    page = window.jobs_view
    banner = page._stopped
    with daemon_process.client("gimp") as gimp:
        assert page._pause.text() == "Pause the queue"
        page._pause.trigger()
        until(banner.isVisible)
        assert page._pause.text() == "Resume the queue"
        waiting = submit(gimp)
        until(lambda: state(window, waiting) == "queued")
        page._pause.trigger()
        until(lambda: state(window, waiting) == "done")
        assert not banner.isVisible()


def test_deleting_asks_and_says_so_when_a_result_would_be_lost(
    window: Window, daemon_process: RunningDaemon, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def answer(box: QMessageBox) -> QMessageBox.StandardButton:
        asked.append(box.text())
        return QMessageBox.StandardButton.Yes if len(asked) == 2 else QMessageBox.StandardButton.No

    monkeypatch.setattr(QMessageBox, "exec", answer)
    with daemon_process.client("gimp") as gimp:
        fetched, unfetched = submit(gimp), submit(gimp, edit={**fake(), "seed": 2})
        for one in (fetched, unfetched):
            finished(gimp, one)
        gimp.request("acknowledge", {"job": fetched})
        until(lambda: state(window, unfetched) == "done" and window.jobs.job(fetched)["acknowledged"])  # type: ignore[index]
        select(window, fetched)
        QTest.keyClick(window.jobs_view.list, Qt.Key.Key_Delete)
        assert len(asked) == 1 and "were not fetched" not in asked[0]
        gimp.request("show", {"job": fetched})
        QTest.keyClick(window.jobs_view.list, Qt.Key.Key_Delete)
        until(lambda: window.jobs.job(fetched) is None)
        select(window, unfetched)
        QTest.keyClick(window.jobs_view.list, Qt.Key.Key_Delete)
        assert len(asked) == 3 and "were not fetched" in asked[2]
        gimp.request("show", {"job": unfetched})


def test_log_and_recipe_of_a_job(window: Window, daemon_process: RunningDaemon, until: Until) -> None:
    with daemon_process.client("gimp") as gimp:
        done = submit(gimp)
        finished(gimp, done)
    until(lambda: state(window, done) == "done")
    select(window, done)
    QTest.keyClick(window.jobs_view.list, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert fake()["target"] in QGuiApplication.clipboard().text()
    QTest.keyClick(window.jobs_view.list, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    until(lambda: window.findChildren(LogWindow))
    (shown,) = window.findChildren(LogWindow)
    lines = shown.findChild(QPlainTextEdit)
    assert lines is not None
    assert lines.toPlainText()


def test_five_thousand_jobs_come_in_pages_and_only_those_in_sight_fetch_their_pictures(
    app: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = [job(number) for number in range(5_000)]
    pages: list[int] = []
    pictures: set[str] = set()

    def ask(_self: Daemon, op: str, fields: dict[str, Any], on_reply: Any, *_more: object) -> None:
        if op == "thumbnail":
            pictures.add(fields["job"])
            return
        start = fields.get("before", 0)
        pages.append(start)
        answer: dict[str, Any] = {"jobs": stored[start : start + fields["limit"]]}
        if start + fields["limit"] < len(stored):
            answer["cursor"] = start + fields["limit"]
        on_reply(answer, [])

    monkeypatch.setattr(Daemon, "ask", ask)
    daemon = Daemon()
    daemon.ready = True
    model = JobsModel()
    view = JobsView(daemon, model, Thumbnails(daemon))
    view.resize(600, 500)
    view.show()
    view.load_older()
    assert len(pages) == 50
    assert model.rowCount() == 5_000
    app.processEvents()
    view.list.scrollToBottom()
    app.processEvents()
    # Two screenfuls, at the top and at the bottom.
    assert 4 <= len(pictures) < 40
    view.close()
