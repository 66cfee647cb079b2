"""Everything real but the weights: client, daemon, worker, engine, and an untrained checkpoint of the embedded kind."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from s2edit_server.weights.places import PORTRAITS_VARIABLE
from s2edit_wire.client import Client
from s2edit_wire.errors import WireError
from s2edit_wire.frames import describe
from s2edit_wire.session import new_job_id

from tests.fakes.checkpoints import untrained_checkpoint
from tests.fakes.daemon import RunningDaemon, finished, show, wait_until
from tests.fakes.until import until

SIZE = 96
STEPS = {"identity.steps": 3, "inversion.steps": 4}
LONG = {"identity.steps": 400, "inversion.steps": 4}
EDIT: dict[str, Any] = {
    "kind": "edit",
    "model": "portraits",
    "profile": "balanced",
    "source": "a man with a beard",
    "target": "a man with a moustache",
    "objects": [{"word": "man", "masked": True}],
    "seed": 3,
    "settings": STEPS,
}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return untrained_checkpoint(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture(scope="module")
def daemon(checkpoint: Path) -> Iterator[RunningDaemon]:
    # A short path: a socket's may have at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="s2e") as folder:
        environment = {PORTRAITS_VARIABLE: str(checkpoint)}
        with RunningDaemon(Path(folder), worker=None, environment=environment) as running:
            yield running


@pytest.fixture
def client(daemon: RunningDaemon) -> Iterator[Client]:
    with daemon.client("cli") as connected:
        yield connected


def picture(dtype: str = "u1") -> np.ndarray[Any, Any]:
    """A 16 x 16 colour raster, enlarged."""
    small = np.random.default_rng(5).integers(0, 256, (SIZE // 6, SIZE // 6, 3))
    large = small.repeat(6, axis=0).repeat(6, axis=1)
    return (large * {"u1": 1, "u2": 257, "f4": 1 / 255}[dtype]).astype(dtype)


def painted() -> np.ndarray[Any, Any]:
    mask = np.zeros((SIZE, SIZE, 1), np.uint8)
    mask[30:60, 20:70] = 255
    return mask


def submit(client: Client, image: np.ndarray[Any, Any], **changes: Any) -> str:
    job, mask = new_job_id(), painted()
    edit = EDIT | changes
    entries = [describe("image", image.shape, image.dtype.str[1:])]
    data = [memoryview(image.tobytes())]
    if any(entry["masked"] for entry in edit["objects"]):
        entries.append(describe("object_mask", mask.shape, space="mask"))
        data.append(memoryview(mask.tobytes()))
    client.request("submit", {"job": job, "edit": edit, "frames": entries}, data, timeout=30)
    return job


def result(client: Client, job: str) -> tuple[dict[str, Any], dict[str, np.ndarray[Any, Any]]]:
    record = finished(client, job, timeout=120)
    assert record["state"] == "done", record
    reply = client.request("result", {"job": job}, timeout=30)
    entries = reply.header["frames"]
    frames = {
        entry["role"]: np.frombuffer(data, f"<{entry['dtype']}").reshape(entry["shape"])
        for entry, data in zip(entries, reply.frames, strict=True)
    }
    return reply.header["record"], frames


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
def test_an_edit_at_every_depth_and_the_next_one_is_cheap(client: Client, dtype: str) -> None:
    image = picture(dtype)
    record, frames = result(client, submit(client, image))
    assert frames["patch"].shape == image.shape and frames["patch"].dtype == image.dtype
    alpha = frames["alpha"][..., 0]
    assert alpha.dtype == image.dtype and alpha.max() > 0
    outside = painted()[..., 0] == 0
    assert not alpha[outside].any()
    assert record["cached"] == {"identity": False, "inversion": False}
    assert record["unet_forwards"]["identity"] > 0 and record["unet_forwards"]["inversion"] > 0
    assert {"seed", "model_hash", "masks", "phases", "box", "inputs", "versions", "settings"} <= set(record)

    again, _ = result(client, submit(client, image, target="a man with glasses"))
    assert again["cached"] == {"identity": True, "inversion": True}
    assert again["unet_forwards"]["identity"] == again["unet_forwards"]["inversion"] == 0
    assert again["model_hash"] == record["model_hash"]


def reached(client: Client, job: str, step: int) -> bool:
    """Whether it is that far in learning the identity."""
    now = show(client, job)
    return bool(now["phase"] == "identity" and now["step"] >= step)


def test_a_worker_killed_in_mid_edit(client: Client, daemon: RunningDaemon) -> None:
    """The job is tried again and ends done; the daemon is the same process all along."""
    settings = STEPS | {"identity.steps": 12}
    job = submit(client, picture(), seed=77, settings=settings)
    until(lambda: reached(client, job, 1))
    worker = client.request("status", {}).header["status"]["worker_pid"]
    os.kill(worker, signal.SIGKILL)
    record, _ = result(client, job)
    assert show(client, job)["attempt"] == 2 and record["attempt"] == 2
    status = client.request("status", {}).header["status"]
    assert status["worker_pid"] != worker
    assert daemon.process is not None and status["pid"] == daemon.process.pid and daemon.process.poll() is None


def test_cancel_frees_the_worker_within_a_step(client: Client) -> None:
    job = submit(client, picture(), seed=78, settings=LONG)
    until(lambda: reached(client, job, 3))
    worker = client.request("status", {}).header["status"]["worker_pid"]
    client.request("cancel", {"job": job})
    record = wait_until(client, job, "cancelled")
    assert record["step"] < LONG["identity.steps"]
    result(client, submit(client, picture(), settings=STEPS))
    assert client.request("status", {}).header["status"]["worker_pid"] == worker


def test_the_automatic_mask(client: Client) -> None:
    unmasked = [{"word": "man", "masked": False}]
    _, frames = result(client, submit(client, picture(), kind="mask", objects=unmasked))
    assert frames["mask"].shape == (SIZE, SIZE, 1) and set(np.unique(frames["mask"])) <= {0, 255}


def test_a_caption_of_a_drawn_portrait(client: Client) -> None:
    from s2edit.research.starter import sample_portrait

    image, attributes = sample_portrait(seed=3)
    job = submit(client, image, kind="caption", source="", objects=[])
    assert finished(client, job, timeout=120)["state"] == "done"
    record = client.request("result", {"job": job}).header["record"]
    assert attributes.person in record["caption"].split()


def test_a_composition(client: Client) -> None:
    """The attribute's word is found in the prompts; the reference may have another size."""
    edit = EDIT | {
        "kind": "compose",
        "source": "a man",
        "reference_prompt": "a woman with glasses",
        "target": "a man with glasses",
        "objects": [{"word": "man", "masked": False}],
    }
    job, image, reference = new_job_id(), picture(), picture()[:64, :80]
    entries = [describe("image", image.shape), describe("reference", reference.shape)]
    data = [memoryview(image.tobytes()), memoryview(reference.tobytes())]
    client.request("submit", {"job": job, "edit": edit, "frames": entries}, data, timeout=30)
    record, frames = result(client, job)
    assert frames["patch"].shape == image.shape and record["kind"] == "compose"
    assert set(record["inputs"]) == {"image", "reference"}


def test_device_and_precision_are_the_settings(client: Client) -> None:
    def ended(**settings: object) -> dict[str, Any]:
        client.request("configure", {"settings": settings})
        return finished(client, submit(client, picture(), seed=79), timeout=120)

    refused = ended(device="cuda:7")
    assert (refused["state"], refused["error"]) == ("failed", "bad_setting"), refused
    assert "cuda:7" in refused["message"] and "cpu" in refused["hint"]
    patches = []
    for precision in ("float32", "bfloat16"):
        done = ended(device="cpu", precision=precision)
        record, frames = result(client, done["job"])
        assert record["device"] == "cpu" and client.request("status").header["status"]["device"] == "cpu"
        assert not record["cached"]["identity"], "learned in another precision"
        patches.append(frames["patch"].astype(int))
    assert np.abs(patches[0] - patches[1]).max() > 0
    client.request("configure", {"settings": {"device": "auto", "precision": "auto"}})


def test_bad_input_makes_no_job(client: Client) -> None:
    before = len(client.request("list", {}).header["jobs"])
    bad: list[tuple[str, dict[str, Any]]] = [
        ("bad_prompt", {"source": ""}),
        ("bad_prompt", {"objects": [{"word": "dragon", "masked": False}]}),
        ("bad_prompt", {"target": "a man with a beard " * 12}),
        ("unknown_model", {"model": "no-such-model"}),
        ("bad_setting", {"settings": {"edit.nothing": 1}}),
    ]
    for code, change in bad:
        with pytest.raises(WireError) as failure:
            submit(client, picture(), **change)
        assert failure.value.code == code
    assert len(client.request("list", {}).header["jobs"]) == before


def test_a_plan_for_this_picture(client: Client) -> None:
    request = {
        "kind": "edit",
        "model": "portraits",
        "profile": "balanced",
        "canvas": [400, 300],
        "mask_box": [20, 30, 50, 30],
        "source": EDIT["source"],
        "target": EDIT["target"],
        "objects": EDIT["objects"],
    }
    reply = client.request("plan", request).header
    assert reply["problems"] == [] and reply["words"][0] == "man"
    assert min(reply["model_size"]) == 64 and reply["crop"][2] >= 64
