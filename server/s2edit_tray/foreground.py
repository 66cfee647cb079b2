"""Which program's window is in front, where the system tells: on X11, Windows and macOS; Wayland keeps it to itself."""

from __future__ import annotations

import ctypes
import os
import re
import subprocess
import sys

_NAMES = {"gimp": "gimp", "krita": "krita"}
_PATIENCE = 1.0
"""Seconds that a system command may take."""


def is_editor(host: str) -> bool:
    """Whether the window in front is that editor's (a `HOSTS` name); False when that can't be known."""
    if host not in _NAMES:
        return False
    try:
        return _NAMES[host] in _front().casefold()
    except (OSError, subprocess.TimeoutExpired):
        return False


def _front() -> str:
    """Name of the program in front, "" for unknown. Raises OSError or TimeoutExpired."""
    if sys.platform == "win32":
        return _front_on_windows()
    if sys.platform == "darwin":
        return _said("/usr/bin/lsappinfo", "info", "-only", "name", _said("/usr/bin/lsappinfo", "front").strip())
    if os.environ.get("WAYLAND_DISPLAY") or not os.environ.get("DISPLAY"):
        return ""
    # By a program of its own: Xlib ends the whole process when a window closes while it is being asked about.
    active = re.search(r"0x[0-9a-f]+", _said("xprop", "-root", "_NET_ACTIVE_WINDOW"))
    return _said("xprop", "-id", active[0], "WM_CLASS") if active else ""


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=False).stdout  # noqa: S603 - fixed programs


if sys.platform == "win32":
    _QUERY_LIMITED_INFORMATION = 0x1000

    def _front_on_windows() -> str:
        kernel, user = ctypes.WinDLL("kernel32"), ctypes.WinDLL("user32")
        process = ctypes.c_ulong()
        user.GetForegroundWindow.restype = kernel.OpenProcess.restype = ctypes.c_void_p
        user.GetWindowThreadProcessId(ctypes.c_void_p(user.GetForegroundWindow()), ctypes.byref(process))
        handle = ctypes.c_void_p(kernel.OpenProcess(_QUERY_LIMITED_INFORMATION, 0, process))
        path, length = ctypes.create_unicode_buffer(1024), ctypes.c_ulong(1024)
        try:
            kernel.QueryFullProcessImageNameW(handle, 0, path, ctypes.byref(length))
        finally:
            kernel.CloseHandle(handle)
        return path.value.rpartition("\\")[2]
