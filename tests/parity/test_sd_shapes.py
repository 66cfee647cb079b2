"""Section 7.2: Stable Diffusion v1-4's published shapes with random weights, through all stages, without a network.

Its networks have 1.07 billion numbers, 4.3 GB in float32. The process has to do with less, 3.9 GB with torch and all:
files are compared in the float16 that they are in, and what no stage writes to lies in one place (`lay_together`).
"""

from __future__ import annotations

import gc
import math
import shutil
import zlib
from collections.abc import Iterator
from functools import partialmethod
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel

from s2edit import engine as engines
from s2edit.engine import EditRequest, Engine, ObjectSpec
from s2edit.model import checkpoints
from s2edit.model.checkpoints import CONFIGS, Checkpoint
from s2edit.model.levels import changed_weights
from s2edit.picture.esrgan import Enlarger, EsrganNetwork
from s2edit.settings import Level, Settings
from tests.fakes.tiny import loaded
from tests.parity.single_file import write

# Half an hour is for machines that do much else; on a core of its own an edit takes about a minute and a half.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800), pytest.mark.usefixtures("no_network")]
SD1 = CONFIGS / "sd1"
PARTS = ("unet", "vae", "text_encoder")
LEVEL: Level = "kv"


ADDED = 9 << 29
"""Bytes that may come on top of what the process had before, torch and other tests of the same process.

It is some 3.3 GB by itself; how much of what one step gave back the next one takes again is the allocator's to say.
"""


def memory(name: str) -> int:
    """A value of /proc/self/status in bytes (Linux; proc(5)): `VmRSS`, what is held now, or `VmHWM`, the most since."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(f"{name}:"))


@pytest.fixture(scope="module")
def before() -> int:
    """Bytes held as the first test of this file begins; from here on the most is counted anew."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    return memory("VmRSS")


class Numbers:
    """Random float16 numbers of a trained network's size for any weight, told by its name."""

    def __init__(self) -> None:
        # A prime number of them, over and over: drawing a billion would take longer than the edits.
        self._drawn = torch.randn(1_000_003, generator=torch.Generator().manual_seed(0)).mul(0.02).half()

    def __call__(self, name: str, shape: tuple[int, ...]) -> Tensor:
        if len(shape) == 1:
            return torch.full(shape, float(name.endswith("weight")), dtype=torch.float16)
        own = self._drawn.roll(zlib.crc32(name.encode()))
        return own.repeat(-(-math.prod(shape) // len(own)))[: math.prod(shape)].view(shape)


@pytest.fixture(scope="module")
def numbers() -> Numbers:
    return Numbers()


def published() -> dict[str, Any]:
    """The published architecture, without memory."""
    with torch.device("meta"):
        return {
            "unet": UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(SD1 / "unet")),
            "vae": AutoencoderKL.from_config(AutoencoderKL.load_config(SD1 / "vae")),
            "text_encoder": CLIPTextModel(CLIPTextConfig.from_pretrained(SD1 / "text_encoder")),
        }


@pytest.fixture(scope="module")
def models(before: int, tmp_path_factory: pytest.TempPathFactory, numbers: Numbers) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("sd")
    folder = root / "folder"
    networks = published()
    for part, module in networks.items():
        for name, weight in list(module.named_parameters()):
            owner, _, kind = name.rpartition(".")
            own = torch.nn.Parameter(numbers(f"{part}.{name}", weight.shape), requires_grad=False)
            setattr(module.get_submodule(owner), kind, own)
        module.save_pretrained(folder / part)
    write(root / "sd.safetensors", **networks)
    for name in ("tokenizer", "scheduler"):
        shutil.copytree(SD1 / name, folder / name)
    shutil.copy(SD1 / "model_index.json", folder)
    return {"folder": folder, "file": root / "sd.safetensors"}


def in_half(path: Path) -> Checkpoint:
    """A checkpoint with the numbers that its files have, as they lie there: not copied, and not made float32."""
    assigned = partialmethod(torch.nn.Module.load_state_dict, assign=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoints, "DTYPE", torch.float16)
        patch.setattr(torch.nn.Module, "load_state_dict", assigned)
        return loaded(path)


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_every_number_is_in_its_place(models: dict[str, Path], numbers: Numbers, kind: str) -> None:
    """So what the folder's networks do below holds for the file's."""
    checkpoint = in_half(models[kind])
    seen = 0
    for part, module in published().items():
        loaded = dict(getattr(checkpoint, part).named_parameters())
        assert loaded.keys() == dict(module.named_parameters()).keys()
        for name, like in module.named_parameters():
            # The text encoder's last rows are the identities', which no file has.
            assert torch.equal(loaded[name][: len(like)].half(), numbers(f"{part}.{name}", like.shape)), name
            seen += like.numel()
    assert seen > 1_000_000_000


def lay_together(checkpoint: Checkpoint, numbers: Numbers) -> None:
    """Make all weights float32, those that no stage writes to as views of the same few numbers.

    Their shapes, and so what is computed, stay the published ones.
    """
    trained = {id(weight) for weight in changed_weights(checkpoint, LEVEL)}
    modules = [getattr(checkpoint, part) for part in PARTS]
    frozen = [weight for module in modules for weight in module.parameters() if id(weight) not in trained]
    largest = max(weight.numel() for weight in frozen)
    few = numbers("all", (largest, 1)).float().flatten()
    for module in modules:
        for weight in module.parameters():
            if id(weight) in trained or weight.ndim == 1:
                weight.data = weight.data.float()
            elif weight.ndim == 4:  # channels last, as the CPU gets them: put into that order, they would be copied
                rows, columns, height, width = weight.shape
                weight.data = few[: weight.numel()].view(rows, height, width, columns).permute(0, 3, 1, 2)
            else:
                weight.data = few[: weight.numel()].view(weight.shape)


@pytest.fixture(scope="module")
def engine(models: dict[str, Path], numbers: Numbers) -> Engine:
    """On the folder as it was loaded, but for the memory of its numbers."""
    checkpoint = in_half(models["folder"])
    lay_together(checkpoint, numbers)
    found = Engine(models["folder"], device="cpu")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engines, "load", lambda *_: checkpoint)
        found._loaded()
    return found


@pytest.fixture
def upscaled(engine: Engine) -> Iterator[None]:
    """With an upscaler of Real-ESRGAN's widths, and two of its 23 blocks."""
    torch.manual_seed(0)
    checkpoint = engine._loaded().checkpoint
    assert isinstance(checkpoint, Checkpoint)
    checkpoint.upscaler = Enlarger(EsrganNetwork(64, 32, 2).eval(), "0" * 16)
    yield
    checkpoint.upscaler = None


ONE_OF_TWO = {"edit.steps": 1, "edit.cross_replace": 1.0, "edit.self_replace": 1.0}
"""One sampling step, with injection."""


@pytest.mark.parametrize(
    ("height", "width", "changes", "inverting"),
    [(512, 512, {"inversion.mode": "direct", **ONE_OF_TWO}, 2), (256, 384, {"inversion.mode": "null_text"}, 2 + 2 * 3)],
    ids=["512x512", "256x384"],
)
def test_all_stages(
    before: int, engine: Engine, height: int, width: int, changes: dict[str, Any], inverting: int
) -> None:
    """One training step and two of inversion: a square as large as the model knows, then null-text on a long picture.

    At 512 x 512 null-text would add ten rows of the U-Net, a backward pass counted as two, to eight.
    """
    picture = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    mask = np.zeros((height, width), np.uint8)
    mask[height // 4 : height // 2, width // 4 : width // 2] = 255
    settings = Settings().replace_from(
        {
            "native_size": height,
            "identity.steps": 1,
            "identity.level": LEVEL,
            "inversion.steps": 2,
            "inversion.inner_steps": 1,
            **changes,
        }
    )
    objects = (ObjectSpec("lady", mask),)
    result = engine.edit(EditRequest(picture, "a lady", "a lady with a hat", objects, settings=settings))
    assert result.record["model_size"] == [height, width]
    assert result.patch.shape == picture.shape
    assert np.array_equal(result.alpha > 0, mask > 0)
    assert result.patch[mask > 0].std() > 0
    assert result.record["unet_forwards"]["identity"] == 1
    assert result.record["unet_forwards"]["inversion"] == inverting
    most = memory("VmHWM") - before
    assert most < ADDED, f"{most / 2**30:.2f} GiB"


def test_a_larger_picture_goes_through_the_upscaler(engine: Engine, upscaled: None) -> None:
    """Twice the model's size: crop, edit, both pictures enlarged where they differ, and nothing beyond the mask."""
    height, width = 512, 640
    picture = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    mask = np.zeros((height, width), np.uint8)
    mask[200:280, 220:300] = 255
    changes = {"inversion.mode": "direct", "inversion.steps": 2, "identity.enabled": False, "blend.detail": True}
    settings = Settings().replace_from({"native_size": 256, **changes, **ONE_OF_TWO})
    objects = (ObjectSpec("lady", mask),)
    result = engine.edit(EditRequest(picture, "a lady", "a lady with a hat", objects, settings=settings))
    assert result.record["model_size"] == [256, 320]
    assert result.record["upscaler"] == "0" * 16
    assert result.patch.shape == picture.shape
    assert result.alpha.any()
    assert not result.alpha[mask == 0].any()
