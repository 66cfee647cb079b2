"""Settings, “Edits are computed on”: another computer, through a real sshd, and back again."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLineEdit, QPushButton
from s2edit_tray.computer_field import ComputerField
from s2edit_tray.window import Window
from s2edit_wire import living, remote
from s2edit_wire.connection import read_connection_file

from tests.fakes.daemon import RunningDaemon, finished, submit
from tests.fakes.ssh import OtherComputer

Until = Callable[..., None]


def test_another_computer_is_named_used_and_left_again(
    window: Window, daemon_process: RunningDaemon, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = daemon_process.folder
    field = window.findChild(ComputerField)
    assert field is not None
    line, button = field.findChild(QLineEdit), field.findChild(QPushButton)
    assert isinstance(line, QLineEdit) and isinstance(button, QPushButton)
    said: list[str] = []
    field.said.connect(said.append)

    def apply(text: str) -> str:
        said.clear()
        line.setText(text)
        button.click()
        assert not button.isEnabled() and line.isReadOnly()
        until(lambda: len(said) == 2)
        assert button.isEnabled() and not line.isReadOnly()
        return said[1]

    # A short path: the sockets' names have to fit into 107 bytes.
    with tempfile.TemporaryDirectory(prefix="s2t") as name:
        folder = Path(name)
        with OtherComputer(folder / "ssh", folder / "far") as there, RunningDaemon(folder / "far") as far:
            monkeypatch.setenv("PATH", there.environment["PATH"])
            try:
                for target in ("-oProxyCommand=touch x@y", "--help", "nobody"):
                    assert apply(target).startswith("That names no other computer.")
                there.know("other_host")
                assert "another host key" in apply(there.target)
                assert remote.computer(here) == remote.HERE and daemon_process.process is not None
                assert daemon_process.process.poll() is None, "nothing has changed so far"
                there.know("host")
                assert apply(there.target) == "Saved."
                boot = read_connection_file(far.folder).boot
                until(lambda: _boot(here) == boot)
                with far.client() as own:
                    job = submit(own)
                    finished(own, job)
                until(lambda: window.jobs.job(job) is not None)
                assert apply("") == "Saved."
                assert remote.computer(here) == remote.HERE and far.process is not None and far.process.poll() is None
            finally:
                living.end(here)


def _boot(state: Path) -> str:
    try:
        return read_connection_file(state).boot
    except Exception:  # noqa: BLE001 - there is none for a moment
        return ""
