"""The tray on a real desktop: Xfce's panel and its notifications, looked at and clicked as by a person."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from s2edit_tray import tray_icon
from s2edit_tray.instance import SOCKET_NAME
from s2edit_wire.client import Client
from s2edit_wire.paths import run_folder

from tests.fakes.daemon import fake, finished, submit
from tests.hosts.lab import Lab, wait_for
from tests.hosts.screen import Point, Screen

from .on_screen import PANEL, install, process, start_panel

pytestmark = pytest.mark.hosts

PANEL_HEIGHT = 48
STEP_MS = 100
WINDOW = "^Jobs – S²Edit$"
EDITOR = (
    'import sys; from PySide6.QtWidgets import QApplication, QLabel; app = QApplication(["gimp"]); '
    'label = QLabel("a picture"); label.setWindowTitle("picture.xcf"); label.resize(300, 200); label.show(); app.exec()'
)
"""A window that says of itself what GIMP's says."""


class Desktop:
    """What is to be seen and clicked."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.screen = Screen(lab, 1000, 700)
        lab.start("bus", "dbus-monitor", "--session", "interface='org.freedesktop.Notifications',member='Notify'")

    def look(self) -> NDArray[np.int64]:
        """The screen: height x width x 3, 0 to 255."""
        taken = self.lab.run("import", "-window", "root", "ppm:-")
        return np.asarray(Image.open(io.BytesIO(taken)).convert("RGB")).astype(np.int64)

    def places(self, colour: str) -> list[Point]:
        """Where in the panel there is this colour, or nearly so."""
        wanted = [int(colour[start : start + 2], 16) for start in (1, 3, 5)]
        rows, columns = np.nonzero(np.abs(self.look()[:PANEL_HEIGHT] - wanted).max(axis=2) < 14)
        return [(int(x), int(y)) for x, y in zip(columns, rows, strict=True)]

    def icon(self) -> Point:
        """The icon's middle, once it is there."""
        places = wait_for(lambda: self.places(tray_icon.BASE.name()), "the icon in the panel", 60)
        return sum(x for x, _ in places) // len(places), sum(y for _, y in places) // len(places)

    def told(self) -> list[str]:
        """Every notification so far: its title and text."""
        said = (self.lab.folder / "bus.log").read_text("utf-8", "replace")
        calls = said.split("member=Notify")[1:]
        # Program, number, icon, title, text: the third and fourth strings of the call (the number is none).
        return [" / ".join(re.findall(r'^   string "(.*)"$', call, re.MULTILINE)[2:4]) for call in calls]

    def menu(self) -> tuple[int, int, int, int]:
        """Place and size of the icon's menu, once it is open."""

        def probe() -> tuple[int, int, int, int] | None:
            found = self.lab.run("xdotool", "search", "--onlyvisible", "--class", ".", check=False).decode().split()
            places = [self.screen.place(window) for window in found]
            return next((place for place in places if place[1] < 100 and 60 < place[3] < 300 > place[2]), None)

        return wait_for(probe, "the icon's menu", 30)


@pytest.fixture(scope="module")
def desktop() -> Iterator[Desktop]:
    with Lab("tray-desktop") as lab:
        install(lab, *PANEL)
        lab.start_daemon(step_ms=STEP_MS)
        made = Desktop(lab)
        with process(lab, "tray", "-m", "s2edit_tray", "--hidden"):
            # As at login: it is up before there is a panel.
            wait_for((run_folder(lab.state) / SOCKET_NAME).exists, "the tray's process", 60)
            start_panel(lab)
            yield made


def test_it_waits_for_the_panel_and_its_icon_opens_window_and_menu(desktop: Desktop) -> None:
    screen, lab = desktop.screen, desktop.lab
    x, y = desktop.icon()
    assert y < PANEL_HEIGHT
    assert screen.windows(WINDOW) == [], "it was started hidden"
    screen.click(x, y)
    window = screen.wait_window(WINDOW)
    screen.activate(window)
    screen.photograph("opened")
    screen.key("alt+F4")
    screen.wait_gone(WINDOW)

    screen.click(x, y, 3)
    left, top, width, _height = desktop.menu()
    screen.photograph("menu")
    screen.click(left + width // 2, top + 16)
    screen.activate(screen.wait_window(WINDOW))
    screen.key("alt+F4")
    screen.wait_gone(WINDOW)

    with Client("other", "0", lab.state) as client:
        for paused in (True, False):
            screen.click(x, y, 3)
            desktop.menu()
            screen.key("Down", "Down", "Return")
            wait_for(partial(is_paused, client, paused), f"the queue to be paused: {paused}")


def is_paused(client: Client, paused: bool) -> bool:
    return bool(client.request("status").header["status"]["queue_paused"]) == paused


def test_the_ring_fills_and_the_end_is_told_of_unless_the_editor_is_in_front(desktop: Desktop) -> None:
    screen, lab = desktop.screen, desktop.lab
    desktop.icon()
    krita = {**fake(steps=150), "document": {"host": "krita", "title": "poster.kra"}}
    gimp = {**fake(), "target": "seen by its painter", "document": {"host": "gimp", "title": "picture.xcf"}}
    with Client("krita", "0", lab.state) as client:
        job = submit(client, edit=krita)
        little = wait_for(lambda: len(desktop.places(tray_icon.RING.name())), "a ring", 30)
        wait_for(lambda: len(desktop.places(tray_icon.RING.name())) > little + 8, f"more than {little} and 8", 30)
        screen.photograph("ring")
        finished(client, job)
        wait_for(lambda: f"Edit finished / {krita['target']}" in desktop.told(), "a notification", 30)
        # The desktop itself is black, and nothing else is open.
        wait_for(lambda: (desktop.look()[PANEL_HEIGHT + 4 :] > 40).sum() > 5_000, "it to be shown", 30)
        screen.photograph("notification")
        wait_for(lambda: not desktop.places(tray_icon.RING.name()), "the ring to go", 30)

        with process(lab, "editor", "-c", EDITOR):
            screen.activate(screen.wait_window("picture.xcf"))
            finished(client, submit(client, edit=gimp))
            failing = {**krita, "settings": fake(fault="fail")["settings"], "target": "never made"}
            finished(client, submit(client, edit=failing))
            wait_for(lambda: desktop.told()[-1].startswith("Edit failed / never made"), "the failure to be told", 30)
        assert len(desktop.told()) == 2, "not of what GIMP's painter saw"
        wait_for(lambda: desktop.places(tray_icon.ATTENTION.name()), "a mark on the icon", 30)
        screen.photograph("failed")
