"""Several workers on one computer: which there are, what each is told, and real ones at work side by side."""

import contextlib
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from s2edit_server import pool
from s2edit_server.identities import digest
from s2edit_server.jobs import StoredFrame
from s2edit_server.pool import amd_cards, named_cards, present_cards, wanted_cards
from s2edit_server.settings import DaemonSettings
from s2edit_wire.frames import describe

from tests.crash.history import SIDE, History, settle
from tests.fakes.daemon import EDIT, RunningDaemon, code_of, fake, finished, picture, show, submit, wait_until
from tests.fakes.until import until

LISTING = """GPU 0: NVIDIA H200 (UUID: GPU-0aa)
GPU 1: NVIDIA A100 (UUID: GPU-1bb)
  MIG 1g.5gb      Device  0: (UUID: MIG-1b0)
  MIG 1g.5gb      Device  1: (UUID: MIG-1b1)
"""


def test_cards_are_named_as_the_driver_names_them_and_a_divided_one_by_its_parts() -> None:
    assert named_cards(LISTING) == ["GPU-0aa", "MIG-1b0", "MIG-1b1"]
    assert named_cards("No devices were found\n") == []


def test_amd_cards_are_the_nodes_with_simd_units(tmp_path: Path) -> None:
    for node, units in enumerate((0, 256, 256)):
        (tmp_path / str(node)).mkdir()
        (tmp_path / str(node) / "properties").write_text(f"cpu_cores_count 8\nsimd_count {units}\n")
    assert amd_cards(tmp_path) == 2
    assert amd_cards(tmp_path / "absent") == 0


def _driver(folder: Path, script: str) -> dict[str, str]:
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


@pytest.mark.parametrize(
    ("script", "environment", "cards"),
    [
        (f"cat <<'END'\n{LISTING}END", {}, ["GPU-0aa", "MIG-1b0", "MIG-1b1"]),
        (f"cat <<'END'\n{LISTING}END", {"CUDA_VISIBLE_DEVICES": "1, 0"}, ["1", "0"]),
        (f"cat <<'END'\n{LISTING}END", {"CUDA_VISIBLE_DEVICES": "-1"}, []),
        ("echo no driver >&2; exit 9", {}, []),
    ],
    ids=["all", "what the user left", "none left", "a broken driver"],
)
def test_present_cards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, environment: dict[str, str], cards: list[str]
) -> None:
    monkeypatch.setenv("PATH", _driver(tmp_path, script)["PATH"])
    assert present_cards(environment) == cards


@pytest.mark.parametrize(
    ("settings", "cards"),
    [
        (DaemonSettings(), [(0, "a"), (1, "b"), (2, "c")]),
        (DaemonSettings(cards="0,2"), [(0, "a"), (2, "c")]),
        (DaemonSettings(cards="7"), [(0, "a")]),
        (DaemonSettings(device="cpu"), []),
        (DaemonSettings(device="cuda:1"), [(0, "")]),
    ],
    ids=["all", "some", "one that is not there", "the processor", "one by its name"],
)
def test_wanted_cards(monkeypatch: pytest.MonkeyPatch, settings: DaemonSettings, cards: list[tuple[int, str]]) -> None:
    monkeypatch.setattr(pool, "present_cards", lambda _: ["a", "b", "c"])
    assert wanted_cards(settings) == cards


def test_jobs_share_an_identity_when_only_what_is_asked_for_differs() -> None:
    def of(image: str = "1", mask: str = "2", blend: str = "3", **changes: Any) -> str:
        named = [("image", image), ("object_mask", mask), ("edit_mask", blend)]
        frames = [StoredFrame(describe(role, (1, 1, 1)), name * 64) for role, name in named]
        return digest({**EDIT, **changes}, frames)

    assert of() == of(target="another", guidance=5.0, blend="9", settings={"blend.feather": 2})
    others: list[dict[str, Any]] = [
        {"image": "8"}, {"mask": "8"}, {"seed": 2}, {"source": "b"}, {"model": "other"}, {"profile": "faithful"},
        {"objects": []}, {"settings": {"identity.steps": 9}}, {"settings": {"inversion.mode": "npi"}},
    ]  # fmt: skip
    assert len({of(), *(of(**other) for other in others)}) == len(others) + 1
    assert of(kind="mask") == of(kind="caption") == ""


def test_three_workers_work_side_by_side_and_each_is_shown(tmp_path: Path) -> None:
    with RunningDaemon(tmp_path / "s", {"workers": 3}) as daemon, daemon.client() as client:
        jobs = [submit(client, picture(seed=seed), fake(held=True)) for seed in range(3)]
        told = [wait_until(client, job, "running") for job in jobs]
        assert {record["place"] for record in told} == {"worker 0", "worker 1", "worker 2"}
        until(lambda: all(show(client, job)["total"] for job in jobs))
        status = client.request("status").header["status"]
        places = {place["name"]: place for place in status["places"]}
        assert {place["job"] for place in places.values()} == set(jobs)
        assert len({place["worker_pid"] for place in places.values()}) == 3
        assert {place["worker"] for place in places.values()} == {"busy"}
        pid = places["worker 1"]["worker_pid"]
        variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        assert b"OMP_NUM_THREADS=1" in variables
        assert sorted(log.name for log in (tmp_path / "s" / "logs").glob("worker*")) == [
            f"worker-worker-{number}.log" for number in range(3)
        ]
        client.request("cancel", {"job": told[0]["job"]})
        assert finished(client, told[0]["job"])["state"] == "cancelled"
        assert {show(client, job)["state"] for job in jobs[1:]} == {"running"}, "a cancel reaches its own worker only"
        assert code_of(client, "free_memory", place="worker 9") == "bad_setting"
        free = told[0]["place"]
        client.request("free_memory", {"place": free})

        def here() -> dict[str, Any]:
            return {one["name"]: one for one in client.request("status").header["status"]["places"]}

        until(lambda: here()[free]["worker"] == "stopped")
        places = here()
        assert sum(place["worker"] == "busy" for place in places.values()) == 2
        for job in jobs[1:]:
            client.request("cancel", {"job": job})


def test_one_worker_is_told_of_as_ever(tmp_path: Path) -> None:
    with RunningDaemon(tmp_path / "s") as daemon, daemon.client() as client:
        record = finished(client, submit(client))
        assert "place" not in record
        assert "places" not in client.request("status").header["status"]
        assert (tmp_path / "s" / "logs" / "worker.log").exists()


def test_with_three_workers_that_are_killed_every_job_is_done_once(tmp_path: Path) -> None:
    dice, history, hurt = random.Random(0), History(), 0
    daemon = RunningDaemon(tmp_path / "s", {"workers": 3})
    with daemon, daemon.client() as client:
        for seed in range(24):
            job = submit(client, picture(SIDE, seed), fake(steps=20, step_ms=5))
            history.sent[job] = seed
            history.acknowledged.add(job)
        while hurt < 8 and any(client.request("list", {"states": ["queued"]}).header["jobs"]):
            time.sleep(dice.uniform(0, 0.1))
            busy = [one for one in client.request("status").header["status"]["places"] if one["worker"] == "busy"]
            if busy:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(dice.choice(busy)["worker_pid"], signal.SIGKILL)
                    hurt += 1
        daemon.kill()
    daemon.start()
    try:
        settle(daemon, history)
    finally:
        daemon.stop()
    assert hurt >= 4
    history.check(frozenset({"done", "worker_crashed"}))
