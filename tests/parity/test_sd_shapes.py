"""Section 7.2: Stable Diffusion v1-4's published shapes with random weights, through all stages, without a network.

Minutes and about 12 GB of memory, hence "slow".
"""

from __future__ import annotations

import gc
import shutil
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from s2edit.checkpoints import CONFIGS
from s2edit.engine import EditRequest, Engine, ObjectSpec
from s2edit.settings import Settings
from tests.parity.single_file import write

pytestmark = pytest.mark.slow
SD1 = CONFIGS / "sd1"


def random_networks() -> tuple[Any, Any, Any]:
    """The published architecture in float16 with weights of a trained network's size."""
    with torch.device("meta"):
        unet = UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(SD1 / "unet"))
        vae = AutoencoderKL.from_config(AutoencoderKL.load_config(SD1 / "vae"))
        text_encoder = CLIPTextModel(CLIPTextConfig.from_pretrained(SD1 / "text_encoder"))
    generator = torch.Generator().manual_seed(0)
    for module in (unet, vae, text_encoder):
        module.to(torch.float16).to_empty(device="cpu")
        for name, weight in module.named_parameters():
            if weight.ndim == 1:
                weight.data.fill_(1.0 if name.endswith("weight") else 0.0)
            else:
                scale = 0.5 / weight[0].numel() ** 0.5
                weight.data.copy_(torch.randn(weight.shape, generator=generator) * scale)
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


def run(model: Path, width: int, height: int, native: int, mode: str) -> None:
    """One edit of one training step and two sampling steps."""
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
    engine = Engine(model, device="cpu")
    result = engine.edit(EditRequest(picture, "a lady", "a lady with a hat", objects, settings=settings))
    assert result.record["model_size"] == [native, native * width // height]
    assert result.patch.shape == picture.shape
    assert np.array_equal(result.alpha > 0, mask > 0)
    assert result.patch[mask > 0].std() > 0
    assert result.record["unet_forwards"]["identity"] == 1
    del engine
    gc.collect()


@pytest.mark.parametrize(
    ("kind", "width", "mode"), [("folder", 512, "null_text"), ("file", 768, "direct")], ids=["512x512", "512x768"]
)
def test_all_stages(models: dict[str, Path], monkeypatch: pytest.MonkeyPatch, kind: str, width: int, mode: str) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a loader tried to reach the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    run(models[kind], width, 512, 512, mode)
