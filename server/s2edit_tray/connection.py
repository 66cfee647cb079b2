"""The tray's line to the daemon: the wire's `Session` in Qt's event loop, and its news as Qt signals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QObject, QSocketNotifier, QTimer, Signal
from s2edit_wire import programs
from s2edit_wire.client import Client, Incoming
from s2edit_wire.errors import WireError
from s2edit_wire.session import Session

from .text import language

VERSION = "0.1.0"

OnReply = Callable[[dict[str, Any], Sequence[memoryview | bytearray]], None]


class QtLoop:
    """What `Session` needs of an event loop (its `LoopAdapter`), done with notifiers and single-shot timers."""

    def __init__(self, parent: QObject) -> None:
        self._parent = parent

    def add_reader(self, descriptor: int, callback: Callable[[], None]) -> object:
        """Call back whenever the descriptor can be read."""
        return self._notify(descriptor, QSocketNotifier.Type.Read, callback)

    def add_writer(self, descriptor: int, callback: Callable[[], None]) -> object:
        """Call back whenever the descriptor can be written."""
        return self._notify(descriptor, QSocketNotifier.Type.Write, callback)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> object:
        """Call back once."""
        timer = QTimer(self._parent)
        timer.setSingleShot(True)
        timer.timeout.connect(callback)
        timer.timeout.connect(timer.deleteLater)
        timer.start(round(seconds * 1000))
        return timer

    def remove(self, handle: object) -> None:
        """Forget what one of the three others returned."""
        if isinstance(handle, QSocketNotifier):
            handle.setEnabled(False)
            handle.deleteLater()
        elif isinstance(handle, QTimer):
            handle.stop()
            handle.deleteLater()

    def _notify(self, descriptor: int, kind: QSocketNotifier.Type, callback: Callable[[], None]) -> QSocketNotifier:
        notifier = QSocketNotifier(descriptor, kind, self._parent)
        notifier.activated.connect(lambda *_: callback())
        return notifier


class Daemon(QObject):
    """Requests to the daemon and its news.

    Signals:
        job_changed: a `job` record, and a small preview (H x W x 3 uint8 with its entry) or None.
        job_removed: a job id.
        model_changed: a `model` record.
        status_changed: a `status` record.
        settings_changed: the daemon's settings by name.
        line_changed: ("connecting" | "ready" | "lost", sentence).
        failed: an error's sentence and hint, for requests that brought no handler of their own.
    """

    job_changed = Signal(dict, object)
    job_removed = Signal(str)
    model_changed = Signal(dict)
    status_changed = Signal(dict)
    settings_changed = Signal(dict)
    line_changed = Signal(str, str)
    failed = Signal(str, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.ready = False
        self._status_events = 0
        self._session = Session(
            lambda: Client("tray", VERSION),
            QtLoop(self),
            # Its own: whether the installer has told editors how to start it is nothing to this program.
            command=programs.command("daemon"),
            on_event=self._event,
            on_state=self._state,
            language=language(),
        )

    def start(self) -> None:
        """Connect, starting the daemon when none runs; goes on trying until `stop`."""
        self._session.start()

    def stop(self) -> None:
        """Hang up; the daemon lives on."""
        self._session.close()

    def again(self) -> None:
        """Connect anew: another daemon is meant from now on."""
        self._session.close()
        self._session.start()

    def ask(
        self,
        op: str,
        fields: dict[str, object] | None = None,
        on_reply: OnReply | None = None,
        on_error: Callable[[WireError], None] | None = None,
    ) -> None:
        """Send a request; without `on_error`, an error becomes the `failed` signal.

        What comes back speaks the user's language.
        """
        refused = on_error or (lambda error: self.failed.emit(error.message, error.hint))
        self._session.request(
            op,
            fields or {},
            (),
            (lambda got: on_reply(got.header, got.frames)) if on_reply else None,
            refused,
        )

    def ask_status(self) -> None:
        """Ask for the daemon's state; it comes as `status_changed`."""
        told = self._status_events

        def take(header: dict[str, Any], _frames: object) -> None:
            # Adding up sizes takes the daemon a while: what it told of meanwhile is newer than this answer.
            if told == self._status_events:
                self.status_changed.emit(header["status"])

        self.ask("status", on_reply=take)

    def ask_settings(self) -> None:
        """Ask for the daemon's settings; they come as `settings_changed`."""
        self.ask("settings", on_reply=lambda header, _frames: self.settings_changed.emit(header["settings"]))

    def configure(self, changes: dict[str, object], on_error: Callable[[WireError], None]) -> None:
        """Change settings, all or none; then `settings_changed`."""
        self.ask(
            "configure",
            {"settings": changes},
            lambda header, _frames: self.settings_changed.emit(header["settings"]),
            on_error,
        )

    def _event(self, incoming: Incoming) -> None:
        header = incoming.header
        kind = header.get("kind")
        if kind == "job":
            preview = (header["frames"][0], bytes(incoming.frames[0])) if incoming.frames else None
            self.job_changed.emit(header["job"], preview)
        elif kind == "removed":
            self.job_removed.emit(header["removed"])
        elif kind == "model":
            self.model_changed.emit(header["model"])
        elif "status" in header:
            self._status_events += 1
            self.status_changed.emit(header["status"])

    def _state(self, state: str, message: str) -> None:
        self.ready = state == "ready"
        self.line_changed.emit(state, message)
