"""Starting the daemon: only what the installer wrote, detached, in an environment that is not the editor's."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from s2edit_wire import launcher
from s2edit_wire.client import Client
from s2edit_wire.errors import Unreachable

from tests.fakes.until import LONG

STAND_IN = Path(__file__).with_name("stand_in.py")


def test_installers_command_runs_detached(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHOME", "/nonexistent")
    (state / "crashed").touch()  # the stand-in is to answer pings
    launcher.write_launcher_file(state, [sys.executable, str(STAND_IN)], "1")
    client = Client("other", "1", state)
    launcher.connect(client)
    try:
        pid = json.loads((state / "run" / "daemon.json").read_text())["pid"]
        assert os.getsid(pid) == pid, "the daemon has a session of its own"
        descriptors = {str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()}
        assert str(state / "logs" / "daemon-start.log") in descriptors and "/dev/null" in descriptors
        assert client.request("ping").op == "reply"
        again = Client("other", "1", state)
        launcher.connect(again, [sys.executable, "-c", "raise SystemExit('must not be started twice')"])
        again.close()
    finally:
        client.request("shutdown", {"when": "now"})
        client.close()
        _wait_for_end(pid)


OUTLIVED = """
import sys
from pathlib import Path
from s2edit_wire import launcher
state = Path(sys.argv[1])
# Until the test has deleted its folder.
wait = "import pathlib, sys, time\\nwhile pathlib.Path(sys.argv[1]).is_dir(): time.sleep(0.05)"
launcher._spawn([sys.executable, "-c", wait, str(state)], state, state / "logs" / "start.log")
"""


def test_a_program_that_ends_before_its_daemon_ends_in_silence(state: Path) -> None:
    """Popen would warn of a child that is still running; this one is meant to be."""
    command = [sys.executable, "-W", "error", "-c", OUTLIVED, str(state)]
    ran = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=True, timeout=60)
    assert not ran.stderr


def _wait_for_end(pid: int) -> None:
    child = next(one for one in launcher._children if one.pid == pid)
    child.wait(LONG)


def test_not_installed(state: Path) -> None:
    with pytest.raises(Unreachable) as caught:
        launcher.connect(Client("other", "1", state))
    assert caught.value.reason == "not_installed"
    assert "quickstart.py" in caught.value.hint


@pytest.mark.parametrize("text", ["", "{}", '{"command": [], "version": "1"}', '{"command": "rm -rf", "version": "1"}'])
def test_damaged_launcher_file(state: Path, text: str) -> None:
    path = launcher.launcher_path(state)
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(Unreachable):
        launcher.read_command(state)


def test_launcher_file_that_others_can_write(state: Path) -> None:
    path = launcher.write_launcher_file(state, ["true"], "1")
    assert launcher.read_command(state) == ["true"]
    path.chmod(0o622)
    with pytest.raises(Unreachable, match="open to other users") as caught:
        launcher.read_command(state)
    assert caught.value.reason == "not_ours"


def test_program_that_is_gone(state: Path) -> None:
    with pytest.raises(Unreachable, match="can't be started") as caught:
        launcher.Launch(state, ["/nonexistent/python"])
    assert "s2edit daemon start" in caught.value.hint


def test_program_that_fails(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "GRACE", 0.05)
    client = Client("other", "1", state)
    with pytest.raises(Unreachable, match=r"It said: The disk is full\."):
        launcher.connect(client, [sys.executable, "-c", "print('one'); raise SystemExit('The disk is full.')"])


def test_the_editors_own_python_and_libraries_stay_behind(state: Path) -> None:
    given = {"PATH": "/bin", "PYTHONHOME": "/x", "LD_LIBRARY_PATH": "/bundle", "HOME": "/home/me"}
    kept = launcher._environment({**given, "APPDIR": "/tmp/.mount"}, state)
    assert kept == {"PATH": "/bin", "HOME": "/home/me", "APPDIR": "/tmp/.mount", "S2EDIT_HOME": str(state)}
    if sys.platform == "linux":
        assert launcher._environment(given, state)["LD_LIBRARY_PATH"] == "/bundle"
