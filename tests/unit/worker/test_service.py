"""The worker's main loop over a real line, with an engine that does what a test tells it to."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from s2edit_server import worker_link as link
from s2edit_server.worker import engines
from s2edit_server.worker.service import Service

import s2edit.instruct
from s2edit.errors import Cancelled, MaskError
from s2edit.requests import EditRequest, EditResult, Progress

from .test_pieces import EDIT, as_file


class FakeEngine:
    """Stands in for `s2edit.engine.Engine`; what it does is up to `behaviour`."""

    made: ClassVar[list[FakeEngine]] = []
    behaviour: Callable[[EditRequest, Callable[[Progress], None], Callable[[], bool]], None]

    def __init__(self, checkpoint: Path, **options: Any) -> None:
        self.checkpoint, self.options, self.loaded = checkpoint, options, True
        FakeEngine.made.append(self)

    def edit(
        self, request: EditRequest, progress: Callable[[Progress], None], cancelled: Callable[[], bool]
    ) -> EditResult:
        FakeEngine.behaviour(request, progress, cancelled)
        height, width = request.image.shape[:2]
        alpha = np.full((height, width), 255, np.uint8)
        patch = np.ascontiguousarray(request.image[..., :3])
        return EditResult(patch, alpha, alpha, (0, 0, width, height), {"model_hash": "x"})

    def work_for(self, user: str) -> None:
        self.user = user

    def memory(self) -> dict[str, int]:
        return {"used": 10, "free": 20}

    def unload(self) -> None:
        self.loaded = False


class Daemon:
    """The other end of the line."""

    def __init__(self, connection: socket.socket, folder: Path) -> None:
        self._socket, self._folder = connection, folder
        self._jobs = 0

    def order(self, order: link.Order) -> None:
        self._socket.sendall(link.encode(order))

    def run(self, **changes: Any) -> str:
        self._jobs += 1
        out = self._folder / f"out{self._jobs}"
        out.mkdir()
        image = as_file(self._folder, "image", np.zeros((8, 8, 3), np.uint8))
        image.sha256 = "f" * 64
        edit = {**EDIT, "objects": [{"word": "man", "masked": False}]}
        order = link.Run(f"job{self._jobs}", 1, edit, link.Model("m", str(self._folder / "model")), [image], str(out))
        for name, value in changes.items():
            setattr(order, name, value)
        self.order(order)
        return order.job

    def hear(self, *kinds: type) -> Any:
        """The next report of one of these kinds."""
        while True:
            report = link.decode_report(self._exactly(link.body_length(self._exactly(4))))
            if isinstance(report, kinds):
                return report

    def outcome(self) -> Any:
        return self.hear(link.Done, link.Failed, link.Cancelled)

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            data += self._socket.recv(count - len(data))
        return data


@pytest.fixture
def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    monkeypatch.setattr(s2edit.instruct, "Engine", FakeEngine)  # where `open_engine` looks for it
    monkeypatch.setattr(FakeEngine, "made", [])
    monkeypatch.setattr(FakeEngine, "behaviour", lambda *_: None, raising=False)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "w.safetensors").write_bytes(b"one")
    ours, theirs = socket.socketpair()
    ours.settimeout(20)
    line = link.WorkerLine(theirs)
    # A worker leaves its process when the line ends; here only the listening thread has to.
    monkeypatch.setattr(os, "_exit", sys.exit)

    def listen() -> None:
        with contextlib.suppress(SystemExit):
            line._listen()

    listening = threading.Thread(target=listen)
    listening.start()
    thread = threading.Thread(target=Service(line, tmp_path).serve)
    thread.start()
    peer = Daemon(ours, tmp_path)
    yield peer
    peer.order(link.Exit())
    thread.join(10)
    assert not thread.is_alive()
    ours.close()
    listening.join(10)
    theirs.close()


def test_a_job_from_order_to_files(daemon: Daemon) -> None:
    assert daemon.hear(link.Ready).device == ""
    job = daemon.run()
    assert daemon.hear(link.Progress).phase == "loading"
    assert daemon.hear(link.Ready).device != ""
    assert daemon.hear(link.Memory) == link.Memory(10, 20, "m")
    done = daemon.outcome()
    assert isinstance(done, link.Done) and done.job == job
    assert [frame.role for frame in done.frames] == ["patch", "alpha", "mask"]
    assert all(Path(frame.path).stat().st_size == frame.nbytes for frame in done.frames)
    assert done.record["inputs"] == {"image": "f" * 64} and done.record["box"] == [0, 0, 8, 8]
    assert {"torch", "s2edit"} <= set(done.record["versions"])


def test_bad_jobs_don_t_hurt_the_next(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    faults = {
        "bad_mask": MaskError("The mask marks nothing.", hint="Paint it."),
        "internal": ZeroDivisionError("oops"),
        "out_of_memory": MemoryError(),
    }
    for code, fault in faults.items():

        def behave(*_: object, fault: Exception = fault) -> None:
            raise fault

        monkeypatch.setattr(FakeEngine, "behaviour", behave)
        daemon.run()
        failed = daemon.outcome()
        assert isinstance(failed, link.Failed) and failed.code == code
    daemon.run(edit={"kind": "edit", "profile": "balanced"})
    assert daemon.outcome().code == "internal"
    daemon.run(frames=[])
    assert daemon.outcome().code == "bad_image"
    monkeypatch.setattr(FakeEngine, "behaviour", lambda *_: None)
    daemon.run()
    assert isinstance(daemon.outcome(), link.Done)


def test_cancel_is_seen_at_the_next_step(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = []

    def behave(_: EditRequest, progress: Callable[[Progress], None], cancelled: Callable[[], bool]) -> None:
        for step in range(1_000):
            steps.append(step)
            progress(Progress("identity", step, 1_000))
            if cancelled():
                raise Cancelled
            threading.Event().wait(0.01)

    monkeypatch.setattr(FakeEngine, "behaviour", behave)
    job = daemon.run()
    while daemon.hear(link.Progress).phase != "identity":
        pass
    daemon.order(link.Cancel(job))
    assert daemon.outcome() == link.Cancelled(job)
    assert len(steps) < 100


def test_one_model_is_kept_and_replaced(daemon: Daemon, tmp_path: Path) -> None:
    for _ in range(2):
        daemon.run()
        daemon.outcome()
    assert len(FakeEngine.made) == 1
    (tmp_path / "model" / "w.safetensors").write_bytes(b"other weights")
    daemon.run()
    daemon.outcome()
    assert [engine.loaded for engine in FakeEngine.made] == [False, True]
    daemon.order(link.Unload())
    while daemon.hear(link.Memory).model:
        pass
    assert not FakeEngine.made[1].loaded


def test_after_out_of_memory_the_model_is_dropped(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    def behave(*_: object) -> None:
        raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr(FakeEngine, "behaviour", behave)
    daemon.run()
    assert daemon.hear(link.Memory).model == ""
    assert daemon.outcome().code == "out_of_memory"
    assert not FakeEngine.made[0].loaded


def test_the_cache_is_in_the_state_folder_with_the_users_quota(daemon: Daemon, tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{"cache_quota": 12345}')
    daemon.run(threads=1)
    daemon.outcome()
    assert FakeEngine.made[0].options["cache_dir"] == tmp_path / "cache"
    assert FakeEngine.made[0].options["cache_quota"] == 12345


def test_an_engine_is_made_anew_when_compiling_is_turned_on(daemon: Daemon) -> None:
    for compiled in (False, True, True):
        daemon.run(compiled=compiled, threads=1)
        daemon.outcome()
    assert [made.options["compiled"] for made in FakeEngine.made] == [False, True]
    assert not FakeEngine.made[0].loaded and FakeEngine.made[0].options["threads"] == 1


def test_an_engine_is_made_anew_for_another_device_or_precision(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    for options in ({}, {"device": "cpu"}, {"device": "cpu"}, {"device": "cpu", "precision": "bfloat16"}):
        daemon.run(**options, threads=1)
        daemon.outcome()
    made = [(engine.options["device"], engine.options["dtype"]) for engine in FakeEngine.made]
    assert made == [("auto", "auto"), ("cpu", "auto"), ("cpu", "bfloat16")]
    assert [engine.loaded for engine in FakeEngine.made] == [False, False, True]


def test_a_device_that_is_not_here_is_told_and_the_worker_lives_on(daemon: Daemon) -> None:
    daemon.run(device="cuda:7")
    failed = daemon.outcome()
    assert (failed.code, failed.message) == ("bad_setting", "There is no device “cuda:7”.")
    assert not FakeEngine.made
    daemon.run(device="cpu")
    assert daemon.hear(link.Ready).device == "cpu"
    assert isinstance(daemon.outcome(), link.Done)


def test_weights_signature_follows_every_file(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(b"1")
    before = engines.signature(tmp_path)
    (tmp_path / "b.json").write_bytes(b"2")
    assert engines.signature(tmp_path) != before
    assert len(engines.signature(tmp_path / "a.safetensors")) == 1


def test_by_hand_it_says_how_it_is_started() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("S2EDIT_WORKER")}
    ended = subprocess.run(
        [sys.executable, "-m", "s2edit_server.worker"], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2 and "python -m s2edit_server" in ended.stderr and "Traceback" not in ended.stderr


def test_threads_that_wait_for_the_others_sleep() -> None:
    """OpenMP itself says so, which it reads once, when torch is loaded."""
    worker = """
import sys
from s2edit_server.worker import __main__ as worker, service

class Line:
    open = classmethod(lambda cls: cls())
    start = lambda self: None

class Service:
    def __init__(self, line, state):
        assert "torch" not in sys.modules
    def serve(self):
        import torch

worker.WorkerLine, service.Service = Line, Service
sys.exit(worker.main())
"""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OMP_")}
    ended = subprocess.run(
        [sys.executable, "-c", worker],
        env=environment | {"OMP_DISPLAY_ENV": "TRUE", link.STATE_VARIABLE: "."},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "OMP_WAIT_POLICY = 'PASSIVE'" in ended.stderr
