"""The session's event loop inside Krita: the socket's descriptor in Qt's loop, one-shot timers, no threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .qt import QObject, QSocketNotifier, QTimer


class QtLoop:
    """The wire's `LoopAdapter` on Qt.

    Args:
        parent: owns the notifiers and timers, so that they end with it.
    """

    def __init__(self, parent: QObject) -> None:
        self._parent = parent

    def add_reader(self, fd: int, callback: Callable[[], None]) -> Any:
        """Call back whenever the descriptor can be read."""
        return self._notifier(fd, QSocketNotifier.Type.Read, callback)

    def add_writer(self, fd: int, callback: Callable[[], None]) -> Any:
        """Call back whenever the descriptor can be written."""
        return self._notifier(fd, QSocketNotifier.Type.Write, callback)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Any:
        """Call back once, after so many seconds."""
        timer = QTimer(self._parent)
        timer.setSingleShot(True)
        timer.timeout.connect(timer.deleteLater)
        timer.timeout.connect(lambda *_: callback())
        timer.start(max(0, round(seconds * 1_000)))
        return timer

    def remove(self, handle: Any) -> None:
        """Forget a reader, writer or call; harmless when it is over."""
        try:
            if isinstance(handle, QSocketNotifier):
                handle.setEnabled(False)
            else:
                handle.stop()
            handle.deleteLater()
        except RuntimeError:
            # Qt has deleted the timer after it fired.
            return

    def _notifier(self, fd: int, kind: Any, callback: Callable[[], None]) -> Any:
        notifier = QSocketNotifier(fd, kind, self._parent)
        notifier.activated.connect(lambda *_: callback())
        return notifier
