"""Waiting for the desktop's tray at login, where this app may be up before the panel is.

Qt looks for a StatusNotifierWatcher when the first icon is made, and never again in that process: an icon made too
early has no place to go for as long as the user stays logged in.
"""

from __future__ import annotations

import sys

from PySide6.QtCore import QEventLoop, QTimer, SignalInstance

PATIENCE_MS = 20_000
"""How long a panel may take to come up. After it, this is a desktop without one, or one with XEmbed's older tray."""
_WATCHER = "org.kde.StatusNotifierWatcher"
_EVERY_MS = 250


def announced() -> bool:
    """Whether a StatusNotifierItem has a place to go, as the session bus tells."""
    # Not at the top: only a start at login on Linux needs it.
    from PySide6.QtDBus import QDBusConnection

    bus = QDBusConnection.sessionBus()
    return bus.isConnected() and bool(bus.interface().isServiceRegistered(_WATCHER).value())


def wait_for_tray(called: SignalInstance, patience_ms: int = PATIENCE_MS) -> bool:
    """Run Qt's events until a tray is announced or patience ends.

    Args:
        called: a signal that ends the waiting, because the user wants to see the window.

    Returns:
        Whether the window may stay hidden, which it may not once it was called.
    """
    if sys.platform != "linux" or announced():
        return True
    loop = QEventLoop()
    wanted: list[bool] = []

    def call() -> None:
        wanted.append(True)
        loop.quit()

    def look() -> None:
        if announced():
            loop.quit()

    ask = QTimer()
    ask.timeout.connect(look)
    ask.start(_EVERY_MS)
    QTimer.singleShot(patience_ms, loop, loop.quit)
    connection = called.connect(call)
    loop.exec()
    called.disconnect(connection)
    return not wanted
