"""Whatever a daemon left behind or has become: `start` gets one that works, `stop` leaves none, nothing is left."""

import json
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from s2edit_cli.main import main
from s2edit_wire import launcher, living, programs
from s2edit_wire.client import Client
from s2edit_wire.connection import connection_path, read_connection_file
from s2edit_wire.errors import Unreachable
from s2edit_wire.session import Session

from tests.fakes.daemon import ROOT, RunningDaemon
from tests.field.daemon.ground import another_program
from tests.protocol.loop import Loop

SOON = 30.0
IDLE = ["--idle-exit", "20", "--worker-module", "tests.fakes.worker"]


@pytest.fixture
def state() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="s2-") as name:
        folder = Path(name) / "s"
        (folder / "run").mkdir(mode=0o700, parents=True)
        folder.chmod(0o700)
        yield folder
        living.end(folder)


def left_behind(state: Path, port: int, pid: int) -> None:
    """The connection file of a daemon that was killed."""
    content = {
        "endpoint": f"tcp://127.0.0.1:{port}", "key": "0" * 64, "pid": pid,
        "protocol": [1, 1], "version": "0.1.0", "boot": "0" * 32,
    }  # fmt: skip
    path = connection_path(state)
    path.write_text(json.dumps(content))
    path.chmod(0o600)


@pytest.fixture
def stop(state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """`s2edit daemon stop`, and what it says."""
    monkeypatch.setenv("S2EDIT_HOME", str(state))

    def run() -> str:
        status, said = main(["daemon", "stop"]), capsys.readouterr()
        assert status == 0, said
        return said.out

    return run


def command() -> list[str]:
    return programs.command("daemon", *IDLE)


@pytest.fixture(autouse=True)
def _tests_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "_OWN_PYTHON", ())
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def test_a_session_starts_one_too(state: Path) -> None:
    with another_program(b"\xff" * 64) as port:
        left_behind(state, port, os.getpid())
        loop = Loop()
        session = Session(lambda: Client("other", "1", state), loop, command=command())
        session.start()
        answers: list[object] = []
        session.request("ping", {}, on_reply=answers.append)
        loop.run_until(lambda: answers, SOON)
        session.close()


def stopped(daemon: RunningDaemon) -> None:
    assert daemon.process is not None
    daemon.process.send_signal(signal.SIGSTOP)


def without_file(daemon: RunningDaemon) -> None:
    connection_path(daemon.folder).unlink()


def with_damaged_file(daemon: RunningDaemon) -> None:
    connection_path(daemon.folder).write_text("{")


def with_another_key(daemon: RunningDaemon) -> None:
    path = connection_path(daemon.folder)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"key": "0" * 64}))


def without_socket(daemon: RunningDaemon) -> None:
    (daemon.folder / "run" / "daemon.sock").unlink()


STATES: dict[str, Callable[[RunningDaemon], None]] = {
    "well": lambda _: None,
    "mute": stopped,
    "without its connection file": without_file,
    "with a damaged connection file": with_damaged_file,
    "with another key in the file": with_another_key,
    "without its socket": without_socket,
}


@pytest.mark.parametrize("kind", STATES)
def test_stop_ends_a_daemon_in_any_state(
    kind: str, state: Path, stop: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its end is seen by the lock, and by the process itself."""
    monkeypatch.setattr(living.end, "__defaults__", (0.5,))
    daemon = RunningDaemon(state)
    daemon.start()
    assert daemon.process is not None
    try:
        STATES[kind](daemon)
        assert living.runs(state)
        assert "ended" in stop()
        assert daemon.process.wait(5) is not None
        assert not living.runs(state)
    finally:
        daemon.kill()


def test_a_daemon_that_does_not_answer_is_told_how_to_end(state: Path) -> None:
    with RunningDaemon(state) as daemon:
        stopped(daemon)
        with pytest.raises(Unreachable) as told:
            launcher.connect(Client("other", "1", state), command())
        assert "s2edit daemon stop" in told.value.hint
        daemon.kill()


def test_the_lock_tells_who_lives(state: Path) -> None:
    assert not living.runs(state) and living.end(state)
    with RunningDaemon(state) as daemon:
        assert daemon.process is not None
        assert living.runs(state) and living.holder(state) == daemon.process.pid
        daemon.kill()
        assert not living.runs(state)
        assert read_connection_file(state).pid == daemon.process.pid, "what a killed one leaves behind"
        daemon.start()
