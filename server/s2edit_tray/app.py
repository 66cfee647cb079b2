"""The tray app as a whole: icon, menu, window, notifications."""

from __future__ import annotations

import time
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QMenu, QMessageBox, QSystemTrayIcon
from s2edit_wire import remote
from s2edit_wire.paths import state_folder
from s2edit_wire.records import ENDED

from . import foreground
from .connection import Daemon
from .job_words import progress, title
from .text import _
from .tray_icon import icon
from .window import Window

_STATUS_EVERY_MS = 5_000


class TrayApp:
    """Icon and window over one connection.

    Args:
        application: Qt's.
        hidden: start without showing the window (at login), where there is a tray to open it from.
    """

    def __init__(self, application: QApplication, *, hidden: bool) -> None:
        self._application = application
        self.daemon = Daemon()
        self.window = Window(self.daemon, stays=False)
        self.window.setWindowIcon(icon())
        self._paused = False
        self._reasons: dict[str, str] = {}
        """Why the icon asks for attention: topic -> sentence."""
        self._menu = QMenu()
        self._pause = QAction(_("Pause the queue"))
        self._pause.setCheckable(True)
        self._build_menu()
        self.icon = QSystemTrayIcon(icon())
        self.icon.setContextMenu(self._menu)
        self.icon.activated.connect(self._activated)
        self.icon.messageClicked.connect(self.window.raise_up)
        self._take_place()
        self.daemon.job_changed.connect(self._job_changed)
        self.daemon.status_changed.connect(self._status_changed)
        self.daemon.model_changed.connect(self._model_changed)
        self.daemon.line_changed.connect(self._line_changed)
        application.focusWindowChanged.connect(self._seen)
        self._poll = QTimer()
        self._poll.setInterval(_STATUS_EVERY_MS)
        self._poll.timeout.connect(self._ask_status)
        self._poll.timeout.connect(self._take_place)
        self._poll.start()
        if not (hidden and self.icon.isVisible()):
            self.window.show()

    def _take_place(self) -> None:
        """Show the icon if there is a tray; without one the app ends with its window, which nothing could bring back.

        A tray can come later: a panel that was started anew, an extension that was switched on.
        """
        has_tray = QSystemTrayIcon.isSystemTrayAvailable()
        if has_tray and not self.icon.isVisible():
            self.icon.show()
        self.window.stays = has_tray
        # A hidden window must not end the app either, when its panel is away for a moment.
        self._application.setQuitOnLastWindowClosed(not has_tray and self.window.isVisible())

    def _build_menu(self) -> None:
        for label, action in (
            (_("Open S²Edit"), self.window.raise_up),
            (None, None),
            (_("Free memory"), lambda: self.daemon.ask("free_memory")),
            (None, None),
            (_("Quit"), self.quit),
        ):
            if label is None:
                self._menu.addSeparator()
            else:
                self._menu.addAction(label).triggered.connect(action)
        self._menu.insertAction(self._menu.actions()[2], self._pause)
        self._pause.triggered.connect(
            lambda: self.daemon.ask("pause_queue" if self._pause.isChecked() else "resume_queue")
        )

    def quit(self) -> None:
        """Ask whether the daemon goes on without the tray, and leave."""
        box = QMessageBox(QMessageBox.Icon.Question, "S²Edit", _("Leave the daemon running, so that jobs go on?"))
        leave = box.addButton(_("Leave it running"), QMessageBox.ButtonRole.AcceptRole)
        stop = box.addButton(_("Stop it too"), QMessageBox.ButtonRole.DestructiveRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(leave)
        box.exec()
        if box.clickedButton() is stop and remote.hang_up(state_folder()):
            self._application.quit()
        elif box.clickedButton() is stop and self.daemon.ready:
            # Whatever comes of it: who wants to leave leaves.
            self.daemon.ask(
                "shutdown", {"when": "now"}, lambda _h, _f: self._application.quit(), lambda _: self._application.quit()
            )
        elif box.clickedButton() in (stop, leave):
            self._application.quit()

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason == QSystemTrayIcon.ActivationReason.Trigger:
            self.window.raise_up()

    def _seen(self, front: object) -> None:
        """A failed job needs no mark any more once the user has the window in front."""
        if front is not None:
            self._attend("jobs", "")

    def _attend(self, topic: str, sentence: str) -> None:
        """Ask for attention because of a topic, or ("") no longer."""
        if sentence == self._reasons.get(topic, ""):
            return
        if sentence:
            self._reasons[topic] = sentence
        else:
            self._reasons.pop(topic)
        self._show_idle()

    def _show_idle(self) -> None:
        self.icon.setIcon(icon(attention=bool(self._reasons)))
        self.icon.setToolTip("\n".join(["S²Edit", *self._reasons.values()]))

    def _line_changed(self, state: str, message: str) -> None:
        if state != "connecting":
            self._attend("daemon", message if state == "lost" else "")

    def _model_changed(self, model: dict[str, Any]) -> None:
        broken = model["state"] == "broken"
        self._attend(f"model {model['id']}", _("“{title}” is damaged.", title=model["title"]) if broken else "")

    def _ask_status(self) -> None:
        if self.daemon.ready:
            self.daemon.ask_status()

    def _status_changed(self, status: dict[str, Any]) -> None:
        self._pause.setChecked(status["queue_paused"])
        if status["worker"] != "busy":
            self._show_idle()

    def _job_changed(self, job: dict[str, Any], _preview: object) -> None:
        if job["state"] == "running":
            self.icon.setIcon(icon(progress(job, time.time()), attention=bool(self._reasons)))
            self.icon.setToolTip(f"S²Edit: {title(job)}")
        elif job["state"] in ENDED and not job["acknowledged"]:
            self._ended(job)

    def _ended(self, job: dict[str, Any]) -> None:
        """Tell of a job that ended while nobody was looking at the window or at its editor."""
        looked_at = self.window.isVisible() and self.window.isActiveWindow()
        if job["state"] == "failed" and not looked_at:
            self._attend("jobs", _("Edit failed") + f": {title(job)}")
        self._show_idle()
        if job["state"] == "cancelled" or looked_at or not self.icon.isVisible():
            return
        if foreground.is_editor(job["edit"].get("document", {}).get("host", "")):
            return
        if job["state"] == "done":
            self.icon.showMessage(_("Edit finished"), title(job), icon())
        else:
            self.icon.showMessage(_("Edit failed"), f"{title(job)}: {job.get('message', '')}", icon(attention=True))
