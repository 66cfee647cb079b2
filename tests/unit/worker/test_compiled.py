"""A worker that compiles the model, asked for by the daemon's setting: its edit is the one that it makes without."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from s2edit_server.weights.places import PORTRAITS_VARIABLE
from s2edit_wire.client import Client
from s2edit_wire.frames import describe
from s2edit_wire.session import new_job_id

from tests.fakes.daemon import RunningDaemon, finished
from tests.parity.tiny_checkpoint import WIDTH, build

SIDE = 64
EDIT: dict[str, Any] = {
    "kind": "edit",
    "model": "portraits",
    "profile": "balanced",
    "source": "a lady",
    "target": "a lady with a hat",
    "objects": [{"word": "lady", "masked": True}],
    "seed": 3,
    # Fine-tuning would have each block compiled a second time, with its gradients, which test_compilation compares;
    # injection to the end keeps the batch, and with it the number of versions, the same.
    "settings": {"identity.steps": 0, "inversion.steps": 4, "edit.cross_replace": 1},
}


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDaemon]:
    """With the tiny checkpoint, its U-Net cut down to one level: three blocks are compiled, not thirty."""
    import torch
    from diffusers import UNet2DConditionModel

    checkpoint = build(tmp_path_factory.mktemp("checkpoint"))
    shutil.rmtree(checkpoint / "unet")
    torch.manual_seed(0)
    UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(16,),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D",),
        up_block_types=("CrossAttnUpBlock2D",),
        cross_attention_dim=WIDTH,
        attention_head_dim=2,
        norm_num_groups=8,
    ).save_pretrained(checkpoint / "unet")
    with tempfile.TemporaryDirectory(prefix="s2c") as folder, pytest.MonkeyPatch.context() as patch:
        # Torch writes it into this process' own environment when it is asked for it; the worker has to do without.
        patch.delenv("TORCHINDUCTOR_CACHE_DIR", raising=False)
        environment = {PORTRAITS_VARIABLE: str(checkpoint), "OMP_NUM_THREADS": "1"}
        with RunningDaemon(Path(folder), worker=None, environment=environment) as running:
            yield running


def edited(client: Client) -> tuple[dict[str, Any], np.ndarray[Any, Any]]:
    """The record and the patch of the edit."""
    y, x = np.mgrid[:SIDE, :SIDE]
    image = np.stack([x * 3, y * 3, 255 - x - y], axis=-1).astype(np.uint8)
    mask = np.zeros((SIDE, SIDE, 1), np.uint8)
    mask[16:48, 16:48] = 255
    job = new_job_id()
    entries = [describe("image", image.shape), describe("object_mask", mask.shape, space="mask")]
    fields = {"job": job, "edit": EDIT, "frames": entries}
    client.request("submit", fields, [memoryview(image.tobytes()), memoryview(mask.tobytes())], timeout=60)
    ended = finished(client, job, timeout=1_800, every=0.2)
    assert ended["state"] == "done", ended
    reply = client.request("result", {"job": job}, timeout=60)
    roles = [entry["role"] for entry in reply.header["frames"]]
    patch = np.frombuffer(reply.frames[roles.index("patch")], np.uint8)
    return reply.header["record"], patch.reshape(image.shape).astype(int)


@pytest.mark.slow
@pytest.mark.timeout(3_600)  # half a minute's compiling, but on a machine that does much else it takes its time
def test_compiled_and_not(daemon: RunningDaemon) -> None:
    with daemon.client("cli") as client:
        eager, expected = edited(client)
        client.request("configure", {"settings": {"compiled": True}})
        client.request("clear_cache")
        record, patch = edited(client)
    assert not eager["compiled"] and not record["cached"]["inversion"]
    assert np.abs(patch - expected).max() <= 1, "rounding apart, the same picture"
    log = "".join(file.read_text(errors="replace") for file in (daemon.folder / "logs").glob("*.log"))
    # Without a compiler on the machine the edit is made all the same, and the log says what to install.
    assert record["compiled"] == bool(shutil.which("g++") or shutil.which("clang++"))
    assert record["compiled"] == any((daemon.folder / "compiled").rglob("*.so"))
    assert record["compiled"] != ("runs uncompiled" in log)
