"""A screen without a monitor: Xvfb, openbox and a D-Bus of its own, a scripted hand (xdotool) and a camera.

All positions are pixels of the screen. Keys and clicks are real X events: the editors can't tell them from a person's.
"""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from .lab import Lab, wait_for

Point = tuple[int, int]


class Screen:
    """The lab's screen; programs started by the lab after this appear on it."""

    def __init__(self, lab: Lab, width: int = 1400, height: int = 900) -> None:
        self._lab = lab
        self.width, self.height = width, height
        self._pictures = 0
        display = lab.folder / "display"
        script = f'exec Xvfb -displayfd 3 -screen 0 {width}x{height}x24 -nolisten tcp 3>"{display}"'
        lab.start("xvfb", "bash", "-c", script)
        number = wait_for(lambda: display.exists() and display.read_text().strip(), "Xvfb", 20)
        bus = f"unix:path={lab.folder}/bus"
        lab.env |= {"DISPLAY": f":{number}", "DBUS_SESSION_BUS_ADDRESS": bus, "GDK_BACKEND": "x11"}
        lab.start("dbus", "dbus-daemon", "--session", "--nofork", f"--address={bus}")
        lab.start("openbox", "openbox")
        wait_for((lab.folder / "bus").exists, "D-Bus", 10)

    def do(self, *command: str) -> str:
        """One xdotool command line; raises when it fails."""
        return self._lab.run("xdotool", *command, timeout=30).decode()

    def windows(self, title: str) -> list[str]:
        """Ids of the visible windows whose title matches the regular expression, newest last."""
        found = self._lab.run("xdotool", "search", "--onlyvisible", "--name", title, check=False)
        return found.decode().split()

    def titles(self) -> list[str]:
        """Titles of all visible windows."""
        return [self.do("getwindowname", window).strip() for window in self.windows(".+")]

    def wait_window(self, title: str, timeout: float = 30) -> str:
        """Id of the newest window with this title, once there is one."""
        try:
            return wait_for(lambda: self.windows(title), f"a window “{title}”", timeout)[-1]
        except AssertionError as error:
            self.photograph("missing-window")
            raise AssertionError(f"{error} There are: {self.titles()}") from None

    def wait_gone(self, title: str, timeout: float = 30) -> None:
        """Wait until no window has this title."""
        wait_for(lambda: not self.windows(title), f"the window “{title}” to close", timeout)

    def activate(self, window: str) -> None:
        """Bring a window to the front and give it the keyboard."""
        self.do("windowactivate", "--sync", window)

    def try_activate(self, window: str) -> bool:
        """The same for a window that may close by itself at any moment; False when it has."""
        try:
            self.activate(window)
        except AssertionError:
            if window in self.windows("."):
                raise
            return False
        return True

    def dismiss(self, title: str, timeout: float = 30) -> None:
        """Press Escape in the windows with this title until none is left; an editor at work may lose the first one."""

        def gone() -> bool:
            found = self.windows(title)
            if found and self.try_activate(found[-1]):
                self.key("Escape")
            return not found

        wait_for(gone, f"the window “{title}” to close", timeout, every=0.5)

    def place(self, window: str) -> tuple[int, int, int, int]:
        """x, y, width and height of a window on the screen."""
        text = self.do("getwindowgeometry", "--shell", window)
        values = dict(re.findall(r"(\w+)=(-?\d+)", text))
        return int(values["X"]), int(values["Y"]), int(values["WIDTH"]), int(values["HEIGHT"])

    def key(self, *names: str) -> None:
        """Press keys, such as `ctrl+z`, one after another."""
        self.do("key", "--delay", "40", *names)

    def type(self, text: str) -> None:
        """Type text into what has the keyboard."""
        self.do("type", "--delay", "15", text)

    def click(self, x: int, y: int, button: int = 1) -> None:
        """Click: 1 left, 3 right."""
        self.do("mousemove", str(x), str(y), "sleep", "0.1", "click", str(button))

    def stroke(self, points: Sequence[Point], steps: int = 12) -> None:
        """Draw with the left button held through all points, in straight pieces of `steps` movements."""
        words = ["mousemove", *map(str, points[0]), "sleep", "0.1", "mousedown", "1", "sleep", "0.05"]
        for (x0, y0), (x1, y1) in pairwise(points):
            for step in range(1, steps + 1):
                x, y = x0 + (x1 - x0) * step // steps, y0 + (y1 - y0) * step // steps
                words += ["mousemove", str(x), str(y), "sleep", "0.015"]
        self.do(*words, "sleep", "0.05", "mouseup", "1")

    def photograph(self, name: str) -> Path:
        """A picture of the whole screen among the artefacts, numbered in the order taken."""
        time.sleep(0.3)  # let the last repaint through
        self._pictures += 1
        path = self._lab.artifacts / f"{self._pictures:02d}-{name}.png"
        taken = self._lab.inside("import", "-window", "root", "png:-")
        path.write_bytes(subprocess.run(taken, env=self._lab.env, capture_output=True, timeout=30, check=True).stdout)
        return path
