"""Following a job: what is shown, Ctrl-C on a terminal, and a daemon that dies in between."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import pyvips
from s2edit_cli import follow

from tests.fakes.daemon import RunningDaemon, fake, show, submit

SIDE = 24


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningDaemon]:
    # A short path: a socket's may have at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="s2f") as folder, RunningDaemon(Path(folder) / "s") as running:
        monkeypatch.setenv("S2EDIT_HOME", str(running.folder))
        yield running


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "in.png"
    pyvips.Image.new_from_array(pixels()).pngsave(str(path))
    return path


def pixels() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)


def hand_in(daemon: RunningDaemon, **settings: object) -> str:
    with daemon.client("cli") as client:
        return submit(client, pixels(), fake(**settings))


def fetching(job: str, picture: Path) -> list[str]:
    command = [sys.executable, "-m", "s2edit_cli.main", "jobs", "result", job, str(picture)]
    return [*command, "-o", str(picture.with_name("out.png"))]


class Terminal:
    """The command on a terminal of its own."""

    def __init__(self, command: list[str]) -> None:
        self._here, there = pty.openpty()
        # `setsid --ctty` makes the terminal the command's own, so that Ctrl-C there reaches it as SIGINT.
        self.process = subprocess.Popen(
            ["setsid", "--ctty", "--wait", *command], stdin=there, stdout=there, stderr=there
        )
        os.close(there)
        self.text = ""

    def wait_for(self, words: str, timeout: float = 60) -> None:
        until = time.monotonic() + timeout
        while words not in self.text:
            assert time.monotonic() < until, self.text
            if select.select([self._here], [], [], 0.2)[0]:
                self.text += os.read(self._here, 4_096).decode(errors="replace")

    def type(self, keys: str) -> None:
        self.text = ""
        os.write(self._here, keys.encode())

    def end(self, timeout: float = 60) -> int:
        until = time.monotonic() + timeout
        while self.process.poll() is None and time.monotonic() < until:
            if select.select([self._here], [], [], 0.1)[0]:
                try:
                    self.text += os.read(self._here, 4_096).decode(errors="replace")
                except OSError:
                    break
        code = self.process.wait(10)
        os.close(self._here)
        return code


def test_ctrl_c_asks_and_each_answer_is_kept(daemon: RunningDaemon, picture: Path) -> None:
    job = hand_in(daemon, held=True)
    terminal = Terminal(fetching(job, picture))
    terminal.wait_for("editing")
    terminal.type("\x03")
    terminal.wait_for("ancel")
    terminal.type("w\n")
    terminal.wait_for("editing")
    terminal.type("\x03")
    terminal.wait_for("ancel")
    terminal.type("l\n")
    assert terminal.end() == 7
    assert f"s2edit jobs result {job}" in terminal.text.replace("\r\n", "")
    with daemon.client() as client:
        assert show(client, job)["state"] == "running"
    terminal = Terminal(fetching(job, picture))
    terminal.wait_for("editing")
    terminal.type("\x03")
    terminal.wait_for("ancel")
    terminal.type("c\n")
    assert terminal.end() == 6
    with daemon.client() as client:
        assert show(client, job)["state"] == "cancelled"
    assert not picture.with_name("out.png").exists()


def test_a_daemon_that_dies_and_comes_back(daemon: RunningDaemon, picture: Path) -> None:
    # However long the command takes to start: the job must not have ended before it looks.
    let_go = picture.with_name("let go")
    job = hand_in(daemon, held=str(let_go))
    with subprocess.Popen(
        fetching(job, picture),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        while "editing" not in process.stderr.readline():
            assert process.poll() is None
        # Held meanwhile, or the command would start a daemon itself, with the real worker.
        process.send_signal(signal.SIGSTOP)
        daemon.kill()
        daemon.start()
        process.send_signal(signal.SIGCONT)
        let_go.touch()
        out, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    assert "Wrote" in out
    assert picture.with_name("out.png").exists()


def test_a_missed_event_is_made_up_for(daemon: RunningDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "LOOK_AGAIN", 0.2)
    with daemon.client("cli") as client:
        job = submit(client, pixels(), fake(steps=5))
        monkeypatch.setattr(client, "pump", list)
        assert follow.Follower(client, show(client, job), quiet=True).run()["state"] == "done"


def test_files_whose_names_are_no_text(daemon: RunningDaemon, picture: Path) -> None:
    odd = os.fsdecode(b"caf\xe9\n\x01 \xe2\x80\xae.png")
    source, out = picture.rename(picture.with_name(odd)), picture.with_name("out" + odd)
    words = ["--source", "a man", "--target", "a man with a hat", "--object", "man"]
    command = [sys.executable, "-m", "s2edit_cli.main", "edit", str(source), "-o", str(out), *words]
    ran = subprocess.run([*command, "--json"], capture_output=True, check=False, timeout=120)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert Path(json.loads(ran.stdout.decode("utf-8"))["output"]).exists()
    with daemon.client() as client:
        title = client.request("list").header["jobs"][0]["edit"]["document"]["title"]
    assert title == "caf\ufffd\ufffd\ufffd \ufffd.png"
    out.unlink()
    ran = subprocess.run(command, capture_output=True, check=False, timeout=120)
    # What commands a terminal or turns its line around is not said; the bytes that are no text are.
    assert (ran.returncode, b"caf\xe9\n\xef\xbf\xbd \xef\xbf\xbd.png" in ran.stdout) == (0, True), ran.stdout
    assert out.exists()


def test_a_failed_job_says_why_and_what_to_do(daemon: RunningDaemon, picture: Path) -> None:
    job = hand_in(daemon, fault="oom")
    ran = subprocess.run(fetching(job, picture), capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 5
    assert ran.stderr.splitlines()[-2:] == [
        "The edit needs 9.1 GiB, 2.3 GiB are free.",
        "Choose a smaller area, or the profile “fast”.",
    ]
