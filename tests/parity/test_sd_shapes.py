"""Section 7.2: Stable Diffusion v1-4's published shapes with random weights, through all stages, without a network.

Minutes and about 8 GB of memory (the networks alone have 1.07 billion float32 numbers), hence "slow".
"""

from __future__ import annotations

import shutil
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors import safe_open
from transformers import CLIPTextConfig, CLIPTextModel

from s2edit.checkpoints import CONFIGS, load
from s2edit.engine import EditRequest, Engine, ObjectSpec
from s2edit.settings import Settings
from tests.parity.single_file import write

# Half an hour is for machines that do much else; on a core of its own an edit takes about two minutes.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
SD1 = CONFIGS / "sd1"


def random_networks() -> tuple[Any, Any, Any]:
    """The published architecture in float16 with weights of a trained network's size."""
    with torch.device("meta"):
        unet = UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(SD1 / "unet"))
        vae = AutoencoderKL.from_config(AutoencoderKL.load_config(SD1 / "vae"))
        text_encoder = CLIPTextModel(CLIPTextConfig.from_pretrained(SD1 / "text_encoder"))
    # A prime number of them, over and over: drawing a billion would take longer than the edits.
    drawn = torch.randn(1_000_003, generator=torch.Generator().manual_seed(0))
    for module in (unet, vae, text_encoder):
        module.to(torch.float16).to_empty(device="cpu")
        for name, weight in module.named_parameters():
            if weight.ndim == 1:
                weight.data.fill_(1.0 if name.endswith("weight") else 0.0)
            else:
                scaled = (drawn * (0.5 / weight[0].numel() ** 0.5)).half()
                weight.data.copy_(scaled.repeat(-(-weight.numel() // len(scaled)))[: weight.numel()].view_as(weight))
    # Counted up, not learned; `to_empty` leaves them undefined.
    for name, buffer in text_encoder.named_buffers():
        if name.endswith("position_ids"):
            buffer.copy_(torch.arange(buffer.shape[-1]))
    return unet, vae, text_encoder


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("sd")
    unet, vae, text_encoder = random_networks()
    write(root / "sd.safetensors", unet, vae, text_encoder)
    folder = root / "folder"
    for part, module in (("unet", unet), ("vae", vae), ("text_encoder", text_encoder)):
        module.save_pretrained(folder / part)
    for name in ("tokenizer", "scheduler"):
        shutil.copytree(SD1 / name, folder / name)
    shutil.copy(SD1 / "model_index.json", folder)
    return {"folder": folder, "file": root / "sd.safetensors"}


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a loader tried to reach the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_a_single_file_is_the_folder(models: dict[str, Path]) -> None:
    """Number for number, so that what the folder's networks do below holds for the file's."""
    checkpoint = load(models["file"])
    seen = 0
    for part in ("unet", "vae", "text_encoder"):
        (weights,) = (models["folder"] / part).glob("*.safetensors")
        loaded = getattr(checkpoint, part).state_dict()
        with safe_open(weights, "pt") as file:
            assert set(file.keys()) == set(loaded)
            for name in file.keys():  # noqa: SIM118 - no dictionary
                expected = file.get_tensor(name)
                # The text encoder's last rows are the identities', which no file has.
                assert torch.equal(loaded[name][: len(expected)], expected.float()), name
                seen += expected.numel()
    assert seen > 1_000_000_000


@pytest.fixture(scope="module")
def engine(models: dict[str, Path]) -> Engine:
    return Engine(models["folder"], device="cpu")


@pytest.mark.parametrize(("width", "mode"), [(512, "null_text"), (768, "direct")], ids=["512x512", "512x768"])
def test_all_stages(engine: Engine, width: int, mode: str) -> None:
    """One edit of one training step and two sampling steps."""
    height = native = 512
    picture = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    mask = np.zeros((height, width), np.uint8)
    mask[height // 4 : height // 2, width // 4 : width // 2] = 255
    # The largest trained part that leaves room on a machine of 16 GB.
    settings = Settings().replace_from(
        {
            "native_size": native,
            "identity.steps": 1,
            "identity.level": "kv",
            "inversion.steps": 2,
            "inversion.mode": mode,
            "inversion.inner_steps": 1,
        }
    )
    objects = (ObjectSpec("lady", mask),)
    result = engine.edit(EditRequest(picture, "a lady", "a lady with a hat", objects, settings=settings))
    assert result.record["model_size"] == [native, width]
    assert result.patch.shape == picture.shape
    assert np.array_equal(result.alpha > 0, mask > 0)
    assert result.patch[mask > 0].std() > 0
    assert result.record["unet_forwards"]["identity"] == 1
