"""Small parts: events' numbers, expected times, redacted logs, thumbnails, the state folder."""

import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from s2edit_server import instance, timings
from s2edit_server.blobs import Blobs, digest_of
from s2edit_server.events import Ledger
from s2edit_server.jobs import StoredFrame
from s2edit_server.logs import Redactor
from s2edit_server.thumbnails import SIDE, thumbnails
from s2edit_server.timings import Pace, Stopwatch
from s2edit_wire.frames import ITEM_SIZE, check_frames, describe


class Listener:
    """Remembers what was sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, dict[str, Any], int]] = []

    def __call__(self, identity: bytes, header: dict[str, Any], frames: Sequence[Any]) -> None:
        self.sent.append((identity, header, len(frames)))


def test_events_are_numbered_without_gaps_and_replayed_from_any_number() -> None:
    listener = Listener()
    events = Ledger(listener, ["old", "older"])
    events.subscribe(b"one", previews=True)
    events.subscribe(b"two", previews=False)
    assert events.since(0) == ["older", "old"]
    for job in ("a", "b", "a"):
        events.job({"job": job, "seq": events.touch(job)}, (describe("preview", (1, 1, 3)), b"rgb"))
    events.removed("b")
    events.state("status", status={})
    assert [header["seq"] for identity, header, _ in listener.sent if identity == b"one"] == [3, 4, 5, 6, 7]
    assert [frames for identity, _, frames in listener.sent if identity == b"one"][:3] == [1, 1, 1]
    assert [frames for identity, _, frames in listener.sent if identity == b"two"][:3] == [0, 0, 0]
    assert events.since(2) == ["a"]
    assert events.since(5) == []
    events.subscribe(b"back again", previews=False, after=5)
    events.subscribe(b"up to date", previews=False, after=6)
    events.subscribe(b"new", previews=False, after=0)
    caught_up = [(identity, header["seq"], header["removed"]) for identity, header, _ in listener.sent[-1:]]
    assert caught_up == [(b"back again", 6, "b")]
    assert list(events.subscribers) == [b"one", b"two", b"back again", b"up to date", b"new"]


def test_the_expected_time_uses_this_runs_pace_and_the_history_of_later_phases(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [time.monotonic()]
    monkeypatch.setattr(timings, "time", SimpleNamespace(monotonic=lambda: now[0]))
    watch = Stopwatch({"identity": Pace(10, 1), "editing": Pace(5, 0.5)})
    assert watch.eta() == 15
    watch.progress("identity", 0, 10)
    now[0] += 0.05
    watch.progress("identity", 5, 10)
    assert watch.eta() == pytest.approx(5 + 0.05)
    watch.progress("editing", 0, 10)
    assert watch.eta() == pytest.approx(5)
    assert watch.measured["identity"][0] == 5


@pytest.mark.parametrize("steps", [[(0, 1)], [(0, 0)], [(0, 4), (4, 4)], [(0, 4), (3, 4)]])
def test_a_phase_that_takes_longer_than_ever_is_not_always_about_to_end(
    steps: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fitting together 32,000 pixels said “1 s left” for minutes."""
    now = [time.monotonic()]
    monkeypatch.setattr(timings, "time", SimpleNamespace(monotonic=lambda: now[0]))
    watch = Stopwatch({"editing": Pace(5, 0.5), "compositing": Pace(1, 1)})
    for step, total in steps:
        watch.progress("compositing", step, total)
        now[0] += 0.2
    seen = []
    for _ in range(3):
        now[0] += 60
        left = watch.eta()
        assert left is not None
        seen.append(left)
    assert 55 < seen[0] < seen[1] < seen[2] < 181


def test_what_was_found_instead_of_made_is_no_measure_of_its_making() -> None:
    def ended(*, loaded: bool) -> Stopwatch:
        watch = Stopwatch({"loading": Pace(15, 15), "editing": Pace(5, 0.5)}, loaded=loaded)
        for phase in ("loading", "identity", "inversion", "editing"):
            watch.progress(phase, 1, 1)
        watch.close()
        return watch

    found = {"identity": True, "inversion": False}
    assert list(ended(loaded=False).worked({})) == ["loading", "identity", "inversion", "editing"]
    assert list(ended(loaded=False).worked(found)) == ["loading", "inversion", "editing"]
    assert list(ended(loaded=True).worked(found)) == ["inversion", "editing"]
    assert Stopwatch({"loading": Pace(15, 15), "editing": Pace(5, 0.5)}, loaded=True).eta() == 5


def test_nothing_is_expected_when_nothing_is_known() -> None:
    watch = Stopwatch({})
    assert watch.eta() is None
    watch.progress("identity", 5, 10)
    assert watch.eta() is None


def test_keys_and_tokens_are_blotted_out_of_logs() -> None:
    key, token = "0123456789abcdef" * 4, "hf_" + "A" * 30
    record = logging.LogRecord("x", logging.INFO, "f", 1, "key %s and %s, job %s", (key, token, "a" * 32), None)
    Redactor().filter(record)
    assert record.getMessage() == f"key [redacted] and [redacted], job {'a' * 32}"


@pytest.mark.parametrize("dtype", ITEM_SIZE)
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (700, 130)])
def test_thumbnails_of_every_kind_of_picture(tmp_path: Path, dtype: str, channels: int, size: tuple[int, int]) -> None:
    blobs = Blobs(tmp_path / "blobs")

    def frame(role: str, count: int, value: float) -> StoredFrame:
        pixels = np.full((*size, count), value * {"u1": 255, "u2": 65_535, "f4": 1}[dtype]).astype(f"<{dtype}")
        digest = digest_of(pixels.tobytes())
        blobs.put(pixels.tobytes(), digest)
        return StoredFrame(describe(role, (*size, count), dtype, "mask" if role == "alpha" else "srgb"), digest)

    colours = 3 if channels > 2 else 1
    results = [frame("patch", colours, 1.0), frame("alpha", 1, 0.5)]
    pictures = thumbnails(blobs, [frame("image", channels, 0.0)], results)
    assert [entry["role"] for entry, _ in pictures] == ["image", "preview"]
    check_frames([entry for entry, _ in pictures], [len(data) for _, data in pictures])
    for (entry, data), expected in zip(pictures, (0, 127.5), strict=True):
        assert max(entry["shape"]) <= SIDE
        assert np.abs(np.frombuffer(data, "u1") - expected).max() <= 1.0


def test_the_state_folder_is_made_private_and_a_foreign_one_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o755)
    assert instance.private_folder(folder).stat().st_mode & 0o777 == 0o700
    if os.getuid() == 0:
        os.chown(folder, 12345, 12345)
        with pytest.raises(PermissionError, match="another user"):
            instance.private_folder(folder)


def test_a_second_lock_is_refused_and_a_long_path_uses_loopback(tmp_path: Path) -> None:
    held = instance.lock(tmp_path)
    with pytest.raises(instance.AlreadyRunning):
        instance.lock(tmp_path)
    held.release()
    stale = tmp_path / "daemon.sock"
    stale.write_text("stale")
    short = Path("/tmp") / f"s2-{os.getpid()}"
    assert instance.socket_path(short) == short / "daemon.sock"
    deep = tmp_path / ("x" * 100)
    assert instance.socket_path(deep) is None
