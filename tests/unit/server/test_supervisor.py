"""The supervisor and a real worker process: answers, cancels, deadlines, and every way in which a worker can die."""

import asyncio
import os
import subprocess
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from s2edit_server import spawn, supervisor
from s2edit_server import worker_link as link
from s2edit_server.supervisor import WATCH_INTERVAL, Deadlines, ProcessRunner, WorkerDied

ROOT = Path(__file__).parents[3]
JOB = "a" * 32
CANCEL_S = 1.0
NEVER = 1e6
"""Seconds of a deadline that a test can't reach: whatever ends the worker is the other one."""


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def order(folder: Path, **settings: object) -> link.Run:
    image = folder / "image"
    if not image.exists():
        np.zeros((8, 8, 3), "u1").tofile(image)
    out = folder / "out"
    out.mkdir(exist_ok=True)
    for leftover in out.iterdir():
        leftover.unlink()
    edit = {"kind": "edit", "seed": 1, "settings": {f"fake.{name}": value for name, value in settings.items()}}
    frame = link.FrameFile("image", (8, 8, 3), "u1", "srgb", 192, str(image))
    return link.Run(JOB, 1, edit, link.Model("portraits", ""), [frame], str(out))


def with_runner(
    folder: Path,
    body: Callable[[ProcessRunner], Awaitable[Any]],
    deadlines: Deadlines = Deadlines(10, 30, 60),  # noqa: B008 - frozen
    module: str = "tests.fakes.worker",
) -> Any:
    async def run() -> Any:
        runner = ProcessRunner(module, folder, folder / "worker.log", lambda: deadlines)
        try:
            return await asyncio.wait_for(body(runner), 20)
        finally:
            await runner.stop()
            assert runner.health().state == "stopped"

    return asyncio.run(run())


def ignore(_: link.Progress) -> None:
    pass


def test_a_job_runs_and_the_worker_stays_for_the_next_one(tmp_path: Path) -> None:
    async def body(runner: ProcessRunner) -> None:
        phases: list[str] = []
        done = await runner.run(order(tmp_path), lambda report: phases.append(report.phase))
        assert isinstance(done, link.Done)
        assert [frame.role for frame in done.frames] == ["patch", "alpha", "mask"]
        assert list(dict.fromkeys(phases)) == ["loading", "identity", "inversion", "editing", "compositing"]
        health = runner.health()
        assert (health.state, health.device, health.model) == ("idle", "cpu (fake)", "portraits")
        assert isinstance(await runner.run(order(tmp_path), ignore), link.Done)
        assert runner.health().pid == health.pid

    with_runner(tmp_path, body)


@pytest.mark.parametrize(
    ("fault", "words"),
    [("exit", "exit status 7"), ("kill", "SIGKILL"), ("segv", "SIGSEGV"), ("garbage", "not a report")],
)
def test_a_dying_worker_is_told_and_the_next_job_gets_a_new_one(tmp_path: Path, fault: str, words: str) -> None:
    async def body(runner: ProcessRunner) -> None:
        with pytest.raises(WorkerDied, match=words):
            await runner.run(order(tmp_path, fault=fault), ignore)
        assert runner.health().pid == 0
        assert isinstance(await runner.run(order(tmp_path), ignore), link.Done)

    with_runner(tmp_path, body)


def test_a_stopped_worker_is_killed_for_want_of_a_pulse(tmp_path: Path) -> None:
    async def body(runner: ProcessRunner) -> float:
        start = time.monotonic()
        with pytest.raises(WorkerDied, match="SIGKILL"):
            await runner.run(order(tmp_path, fault="stop"), ignore)
        return time.monotonic() - start

    assert with_runner(tmp_path, body, Deadlines(10, 2, NEVER)) >= 2


def test_a_slow_start_is_no_want_of_a_pulse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2EDIT_FAKE_START_S", "2.5")

    async def body(runner: ProcessRunner) -> None:
        assert isinstance(await runner.run(order(tmp_path), ignore), link.Done)

    with_runner(tmp_path, body, Deadlines(10, 2, 60))


def test_a_worker_that_never_says_a_word_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2EDIT_FAKE_START_S", "60")
    monkeypatch.setattr(supervisor, "START_S", 0.5)

    async def body(runner: ProcessRunner) -> None:
        with pytest.raises(WorkerDied, match="SIGKILL"):
            await runner.run(order(tmp_path), ignore)

    with_runner(tmp_path, body, Deadlines(10, 0.2, 60))


def test_a_worker_without_progress_is_killed(tmp_path: Path) -> None:
    async def body(runner: ProcessRunner) -> None:
        with pytest.raises(WorkerDied, match="SIGKILL"):
            await runner.run(order(tmp_path, fault="hang"), ignore)

    with_runner(tmp_path, body, Deadlines(10, 30, 0.5))


def test_cancel_is_seen_at_the_next_step(tmp_path: Path) -> None:
    """How soon that is, `tests.crash.cancels` measures beside the same steps without a cancel."""

    async def body(runner: ProcessRunner) -> int:
        reached, steps = asyncio.Event(), []

        def progress(report: link.Progress) -> None:
            steps.append(report.step)
            reached.set()

        running = asyncio.create_task(runner.run(order(tmp_path, held=True), progress))
        await reached.wait()
        runner.cancel("b" * 32)
        runner.cancel(JOB)
        assert isinstance(await running, link.Cancelled)
        return max(steps)

    assert with_runner(tmp_path, body) < 10


def test_cancel_while_the_worker_is_starting_is_not_lost(tmp_path: Path) -> None:
    async def body(runner: ProcessRunner) -> None:
        running = asyncio.create_task(runner.run(order(tmp_path, held=True), ignore))
        await asyncio.sleep(0)
        runner.cancel(JOB)
        assert isinstance(await running, link.Cancelled)

    with_runner(tmp_path, body)


def test_a_hung_step_is_killed_at_its_deadline(tmp_path: Path) -> None:
    async def body(runner: ProcessRunner) -> float:
        hung = asyncio.Event()

        def progress(report: link.Progress) -> None:
            if report.phase == "editing" and report.step == 5:
                hung.set()

        running = asyncio.create_task(runner.run(order(tmp_path, fault="hang"), progress))
        await hung.wait()
        start = time.monotonic()
        runner.cancel(JOB)
        with pytest.raises(WorkerDied):
            await running
        return time.monotonic() - start

    assert with_runner(tmp_path, body, Deadlines(0.5, NEVER, NEVER)) >= 0.5


def test_a_worker_that_obeyed_a_cancel_stays_with_its_model(tmp_path: Path) -> None:
    async def body(runner: ProcessRunner) -> None:
        reached = asyncio.Event()
        running = asyncio.create_task(runner.run(order(tmp_path, held=True), lambda report: reached.set()))
        await reached.wait()
        runner.cancel(JOB)
        assert isinstance(await running, link.Cancelled)
        pid = runner.health().pid
        watched_until = time.monotonic() + 2 * CANCEL_S
        while time.monotonic() < watched_until:
            assert runner.health().pid == pid, "the deadline of a job that has ended counts no more"
            await asyncio.sleep(WATCH_INTERVAL)

    with_runner(tmp_path, body, Deadlines(CANCEL_S, 30, 60))


class Lingering:
    """A process whose end is noticed only once `noticed` is set."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process, self.noticed = process, False

    def poll(self) -> int | None:
        return self._process.poll() if self.noticed else None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._process, name)


def test_a_worker_buried_twice_leaves_its_successor_alone(tmp_path: Path) -> None:
    async def body(runner: ProcessRunner) -> None:
        await runner.run(order(tmp_path), ignore)
        process = runner._process
        assert process is not None
        lingering = Lingering(process)
        runner._process = cast("subprocess.Popen[bytes]", lingering)
        slower = asyncio.create_task(runner._bury("gone"))
        await asyncio.sleep(0)
        runner._process = process
        await runner.stop()
        started = asyncio.Event()
        running = asyncio.create_task(runner.run(order(tmp_path), lambda _: started.set()))
        await started.wait()
        lingering.noticed = True
        await slower
        assert isinstance(await running, link.Done)
        assert runner.health().pid not in {0, process.pid}

    with_runner(tmp_path, body)


def test_a_worker_that_cannot_start_is_told(tmp_path: Path) -> None:
    async def body(runner: ProcessRunner) -> None:
        with pytest.raises(WorkerDied, match="exit status 1"):
            await runner.run(order(tmp_path), ignore)

    with_runner(tmp_path, body, module="tests.fakes.nothing_there")
    assert "nothing_there" in (tmp_path / "worker.log").read_text()


def test_a_chatty_worker_fills_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spawn, "MAX_LOG", 1_000)
    log = tmp_path / "worker.log"

    async def body(runner: ProcessRunner) -> None:
        await runner.run(order(tmp_path, chatter=500), ignore)
        while log.stat().st_size:
            await asyncio.sleep(0.01)
        await runner.run(order(tmp_path, chatter=3), ignore)
        assert log.read_text() == "chatter\n" * 3, "it goes on in the same file"

    with_runner(tmp_path, body)
    assert (tmp_path / "worker.1.log").read_text() == "chatter\n" * 500


def test_unload_gives_the_memory_back(tmp_path: Path) -> None:
    async def body(runner: ProcessRunner) -> None:
        await runner.run(order(tmp_path), ignore)
        assert runner.health().memory_used > 0
        runner.unload()
        while runner.health().model:
            await asyncio.sleep(0.01)
        assert runner.health().memory_used == 0

    with_runner(tmp_path, body)


def test_the_worker_leaves_when_the_daemon_is_gone(tmp_path: Path) -> None:
    async def body(runner: ProcessRunner) -> int:
        await runner.run(order(tmp_path), ignore)
        assert runner._writer is not None
        process = runner._process
        assert process is not None
        runner._writer.close()
        while process.poll() is None:
            await asyncio.sleep(0.01)
        return process.returncode

    assert with_runner(tmp_path, body) in {3, -9}


def test_the_worker_has_its_own_process_group_and_no_descriptor_of_ours(tmp_path: Path) -> None:
    async def body(runner: ProcessRunner) -> None:
        with (tmp_path / "held").open("w") as held:
            os.set_inheritable(held.fileno(), True)
            await runner.run(order(tmp_path), ignore)
            pid = runner.health().pid
            assert os.getpgid(pid) == pid
            names = {link.readlink() for link in Path(f"/proc/{pid}/fd").iterdir()}
            assert tmp_path / "held" not in names

    with_runner(tmp_path, body)
