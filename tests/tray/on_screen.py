"""The tray on a lab's screen: its process with all that it asks for there, and a desktop's panel and notifications."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.hosts.lab import PROJECT, Lab, end_group

PANEL = ("xfce4-panel", "xfce4-notifyd")
"""A desktop that people use, of the few that show both kinds of icons (StatusNotifierItem and XEmbed): 3 MB."""

_PANEL_SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array">
    <value type="int" value="1"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=6;x=0;y=0"/>
      <property name="length" type="double" value="100"/>
      <property name="size" type="uint" value="48"/>
      <property name="plugin-ids" type="array"><value type="int" value="1"/></property>
    </property>
  </property>
  <property name="plugins" type="empty"><property name="plugin-1" type="string" value="systray"/></property>
</channel>
"""


def install(lab: Lab, *packages: str) -> None:
    """Debian's packages into the tree that the lab runs in, where they aren't there yet."""
    with (Path(tempfile.gettempdir()) / f"s2edit-packages-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        states = lab.run("dpkg-query", "--show", "--showformat", "${db:Status-Status}\n", *packages, check=False)
        if states.split().count(b"installed") == len(packages):
            return
        apt = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-y", "--no-install-recommends")
        lab.run(*apt, "update", timeout=300)
        lab.run(*apt, "install", *packages, timeout=600)


def start_panel(lab: Lab) -> None:
    """Xfce's panel along the top edge with nothing but the tray in it, and its notifications."""
    settings = lab.home / ".config/xfce4/xfconf/xfce-perchannel-xml/xfce4-panel.xml"
    settings.parent.mkdir(parents=True)
    settings.write_text(_PANEL_SETTINGS, encoding="utf-8")
    lab.start("notifyd", "/usr/lib/x86_64-linux-gnu/xfce4/notifyd/xfce4-notifyd")
    lab.start("panel", "xfce4-panel", "--disable-wm-check")


def tray_environment(lab: Lab) -> dict[str, str]:
    """What the tray's process is started with: the lab's home, daemon and screen, and `xprop`."""
    tools = lab.folder / "tools"
    if not tools.exists():
        tools.mkdir()
        if lab.root != Path("/"):
            # The tray asks `xprop` which window is in front; this system may have none and lends the lab's.
            program = f"{lab.root}/lib64/ld-linux-x86-64.so.2 --library-path {lab.root}/usr/lib/x86_64-linux-gnu"
            (tools / "xprop").write_text(f'#!/bin/sh\nexec {program} {lab.root}/usr/bin/xprop "$@"\n', encoding="utf-8")
            (tools / "xprop").chmod(0o755)
    return {
        **lab.env,
        "PATH": f"{tools}:{lab.env['PATH']}",
        "PYTHONPATH": str(PROJECT),
        "QT_QPA_PLATFORM": "xcb",
    }


@contextmanager
def process(lab: Lab, name: str, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """This Python with `command`, as a program on the lab's screen; what it says goes to NAME.out and NAME.log."""
    said, log = lab.folder / f"{name}.out", lab.folder / f"{name}.log"
    with said.open("wb") as out, log.open("wb") as errors:
        started = subprocess.Popen(
            [sys.executable, *command], env=tray_environment(lab), stdout=out, stderr=errors, start_new_session=True
        )
    try:
        yield started
    finally:
        end_group(started)
