"""Whatever a daemon left behind or has become: `start` gets one that works, `stop` leaves none, nothing is left."""

import json
import os
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from s2edit_cli.main import main
from s2edit_wire import launcher, living, programs
from s2edit_wire.client import Client
from s2edit_wire.connection import connection_path, read_connection_file
from s2edit_wire.errors import Unreachable
from s2edit_wire.session import Session

from tests.fakes.daemon import ROOT, RunningDaemon
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


@contextmanager
def another_program(answer: bytes | None) -> Iterator[int]:
    """A program on the dead daemon's port, which says this to whoever connects (None: hangs up; b"": nothing)."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held = []

        def serve() -> None:
            with suppress(OSError):
                while True:
                    peer, _ = server.accept()
                    held.append(peer)
                    if answer is None:
                        peer.close()
                    elif answer:
                        peer.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
        for peer in held:
            peer.close()


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


ANSWERS = {"silent": b"", "hangs up": None, "a web server": b"HTTP/1.1 400 Bad Request\r\n\r\n"}


@pytest.mark.parametrize("kind", ANSWERS)
def test_the_dead_daemons_port_is_another_programs(kind: str, state: Path, stop: Callable[[], str]) -> None:
    """A command line stops nothing, and starts a daemon; the number in the file is a living process's, too."""
    with another_program(ANSWERS[kind]) as port:
        left_behind(state, port, os.getpid())
        if kind != "silent":  # five seconds' wait, once
            assert "was not running" in stop()
        client = Client("other", "1", state)
        launcher.connect(client, command(), SOON)
        client.request("ping")
        client.close()


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


def test_no_folder_is_left_where_temporary_files_are(tmp_path: Path) -> None:
    """Neither by a daemon that was killed nor by its successor, also where the path is too long for a socket."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    folder = tmp_path / ("long" * 30) / "s"
    folder.parent.mkdir()
    daemon = RunningDaemon(folder, environment={"TMPDIR": str(temporary)})
    for _ in range(2):
        daemon.start()
        daemon.kill()
    assert not list(temporary.iterdir())


def test_the_lock_tells_who_lives(state: Path) -> None:
    assert not living.runs(state) and living.end(state)
    with RunningDaemon(state) as daemon:
        assert daemon.process is not None
        assert living.runs(state) and living.holder(state) == daemon.process.pid
        daemon.kill()
        assert not living.runs(state)
        assert read_connection_file(state).pid == daemon.process.pid, "what a killed one leaves behind"
        daemon.start()
