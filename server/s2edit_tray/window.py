"""The main window: jobs, models, this machine, settings, about; a line at the bottom says how the daemon is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QMargins, QSize, Qt
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QImage
from PySide6.QtWidgets import QLabel, QMainWindow, QMessageBox, QTabBar, QTabWidget, QVBoxLayout, QWidget

from .connection import VERSION, Daemon
from .imports import ImportsFile
from .job_words import title
from .jobs_model import JobsModel
from .jobs_view import JobsView
from .log_window import LogWindow
from .marks_window import MarksWindow, dropped_files
from .memory_view import MemoryView
from .page import Banner
from .result_window import ResultWindow, result_image
from .settings_view import SettingsView
from .text import _, leading
from .thumbnails import Thumbnails
from .updates import installed_meanwhile
from .weights_view import WeightsView


def about_text() -> str:
    """What this is, and under which licences its parts come."""
    return _(
        "<h3>S²Edit {version}</h3><p>Text-guided editing with semantic and spatial control, after the S²Edit paper "
        "(Liu et al.).</p><p>MIT licence. Built on PyTorch (BSD), diffusers and transformers (Apache 2.0), ZeroMQ "
        "(MPL 2.0), Qt for Python (LGPL 3). Models have licences of their own, shown on the models' page.</p>"
        "<p>Updates: <code>git pull</code> in the folder you installed from, then run its quickstart again.</p>",
        version=VERSION,
    )


class _Tabs(QTabBar):
    """Fusion leaves a tab that is not in front too little height for the dots of an “Ü” and the tail of a “g”."""

    def tabSizeHint(self, index: int) -> QSize:
        size = super().tabSizeHint(index)
        return size.grownBy(QMargins(0, 2, 0, 2))


_FRAME = QMargins(4, 32, 4, 8)
"""Room for what the window manager puts around a window, which nobody knows before it is shown; px of the desktop."""


class Window(QMainWindow):
    """All pages.

    Args:
        daemon: the line to the daemon.
        stays: whether closing the window only hides it, because there is a tray icon to bring it back.
    """

    def __init__(self, daemon: Daemon, *, stays: bool) -> None:
        super().__init__()
        # At two dots to the pixel, a small screen has less room than that.
        self.resize(QSize(920, 640).boundedTo(self.screen().availableSize().shrunkBy(_FRAME)))
        self.setAcceptDrops(True)
        self._daemon = daemon
        self.stays = stays
        self.jobs = JobsModel(self)
        self._thumbnails = Thumbnails(daemon, self)
        self.jobs_view = JobsView(daemon, self.jobs, self._thumbnails)
        self.weights_view = WeightsView(daemon, ImportsFile())
        self.memory_view = MemoryView(daemon, self.jobs)
        self.settings_view = SettingsView(daemon)
        about = leading(QLabel(about_text()))
        about.setWordWrap(True)
        about.setMargin(16)
        about.setAlignment((about.alignment() & Qt.AlignmentFlag.AlignHorizontal_Mask) | Qt.AlignmentFlag.AlignTop)
        self.tabs = QTabWidget()
        self.tabs.setTabBar(_Tabs())
        self.tabs.setDocumentMode(True)
        for page, label in (
            (self.jobs_view, _("&Jobs")),
            (self.weights_view, _("&Models")),
            (self.memory_view, _("This &computer")),
            (self.settings_view, _("&Settings")),
            (about, _("&About")),
        ):
            self.tabs.addTab(page, label)
        self.tabs.currentChanged.connect(self._name)
        self._name()
        self._update = QLabel()
        self._trouble = Banner()
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._trouble)
        column.addWidget(self.tabs)
        self.setCentralWidget(middle)
        self._line = leading(QLabel())
        self.statusBar().setContentsMargins(8, 0, 8, 0)
        self.statusBar().addWidget(self._line, 1)
        self.statusBar().addPermanentWidget(self._update)
        # Whoever opens "About" wants to know; who upgrades restarts the daemon, so that the line comes up anew.
        self.tabs.tabBarClicked.connect(self._look_for_update)
        self.jobs_view.open_result.connect(self.open_result)
        self.jobs_view.open_log.connect(self._open_log)
        daemon.job_changed.connect(lambda job, _preview: self.jobs.upsert(job))
        daemon.job_removed.connect(self.jobs.remove)
        daemon.line_changed.connect(self._line_changed)
        daemon.failed.connect(self._failed)

    def _name(self) -> None:
        """Be called after the page in front; the editors' own windows are called "S²Edit" too."""
        self.setWindowTitle(f"{self.tabs.tabText(self.tabs.currentIndex()).replace('&', '')} – S²Edit")

    def raise_up(self) -> None:
        """Show the window in front."""
        self.show()
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.raise_()
        self.activateWindow()

    def closeEvent(self, event: QCloseEvent) -> None:
        """With a tray icon, closing only hides."""
        if self.stays:
            event.ignore()
            self.hide()
        else:
            event.accept()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files may be dropped anywhere; the models' page takes weights for itself."""
        if dropped_files(event.mimeData()):
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()

    def dropEvent(self, event: QDropEvent) -> None:
        """Show which marks the dropped files carry."""
        MarksWindow(dropped_files(event.mimeData()), self).show()

    def open_result(self, job_id: str) -> None:
        """Fetch a result and show it."""
        job = self.jobs.job(job_id)
        if job is None or job["state"] != "done":
            return
        pixmap = self._thumbnails.of(job).get("image")

        def show(header: dict[str, Any], frames: Sequence[memoryview | bytearray]) -> None:
            before = pixmap.toImage() if pixmap else QImage()
            entries = header.get("frames", [])
            if any(entry["role"] == "patch" for entry in entries):
                ResultWindow(title(job), before, result_image(entries, frames), self).show()
            else:
                QMessageBox.information(
                    self, "S²Edit", str(header["record"].get("caption", _("This job made no picture.")))
                )

        self._daemon.ask("result", {"job": job_id}, show)

    def _open_log(self, job_id: str) -> None:
        def show(header: dict[str, Any], _frames: object) -> None:
            LogWindow(_("Log"), header["lines"], self).show()

        self._daemon.ask("log", {"job": job_id}, show)

    def _line_changed(self, state: str, message: str) -> None:
        words = {"connecting": _("Looking for the daemon…"), "ready": _("Connected"), "lost": _("Connection lost")}
        whole = ": ".join(part for part in (words[state], message) if part)
        self._line.setText(words[state])
        # Told of all over again at every attempt; between two of them nothing is better.
        if state != "connecting":
            self._trouble.say(whole if state == "lost" else "")
        if state == "ready":
            self._look_for_update()
            self.jobs.doubt()
            self.jobs_view.load_older()
            for page in (self.weights_view, self.memory_view, self.settings_view):
                page.load()

    def _look_for_update(self) -> None:
        version = installed_meanwhile()
        self._update.setVisible(bool(version))
        if version:
            self._update.setText(
                _("Version {version} is installed now: quit S²Edit and start it again", version=version)
            )

    def _failed(self, message: str, hint: str) -> None:
        self.statusBar().showMessage(f"{message} {hint}".strip(), 10_000)
