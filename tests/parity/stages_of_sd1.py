"""What each stage of the Stable Diffusion 1 path gives on the tiny checkpoint: `python -m tests.parity.stages_of_sd1`.

The command records it anew, with the processor it was computed on. It was recorded before backbones were told apart
(commit dc0ab0b), so that what came after is held to it: to the bit on that processor, and elsewhere to rounding.
"""

from __future__ import annotations

import hashlib
import platform
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from s2edit.engine import ComposeRequest, EditRequest, Engine, ObjectSpec
from s2edit.method.prompts import Prompt
from s2edit.model.backbone import Backbone
from s2edit.picture.imaging import model_input
from s2edit.settings import Settings
from tests.parity.tiny_checkpoint import build

RECORDED = Path(__file__).with_suffix(".safetensors")
DIGEST = ".sha256"
"""Ends the name of what only the same processor gives again."""
_FEW = {"identity.steps": 2, "identity.learning_rate": 1e-3, "identity.level": "full", "inversion.steps": 4}


def processor() -> str:
    """What decides the last bit: the processor's name and instructions, and torch's version."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if sys.platform == "linux" else []
    name = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    return f"{name}, {torch.backends.cpu.get_cpu_capability()}, torch {torch.__version__}"


def picture(seed: int) -> np.ndarray:
    """64×64 px of noise in large cells."""
    cells = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
    return np.ascontiguousarray(cells.repeat(8, axis=0).repeat(8, axis=1))


def painted() -> np.ndarray:
    """A mask of a part of it."""
    mask = np.zeros((64, 64), np.uint8)
    mask[12:40, 16:56] = 255
    return mask


def computed(folder: Path) -> dict[str, Tensor]:
    """By stage and quantity; a tiny checkpoint's folder in."""
    found: dict[str, Tensor] = {}
    for name, changes in (
        ("direct", {"inversion.mode": "direct"}),
        ("null_text", {"inversion.mode": "null_text", "inversion.inner_steps": 2, "identity.null_weight": 0.5}),
        ("npi", {"inversion.mode": "npi", "identity.steps": 0}),
        ("compose", {"inversion.mode": "direct"}),
    ):
        settings = Settings().replace_from(_FEW | changes)
        with tempfile.TemporaryDirectory() as cache:
            engine = Engine(folder, device="cpu", cache_dir=Path(cache))
            if name == "compose":
                result = engine.compose(
                    ComposeRequest(
                        picture(0),
                        picture(1),
                        "a lady",
                        "a model with makeup",
                        "a lady with makeup",
                        word="lady",
                        attribute="makeup",
                        mask=painted(),
                        reference_mask=painted(),
                        settings=settings,
                        seed=5,
                    )
                )
            else:
                objects = (ObjectSpec("lady", painted() if name != "npi" else None),)
                result = engine.edit(
                    EditRequest(picture(0), "a lady", "a lady with a hat", objects, settings=settings, seed=5)
                )
            entries = [load_file(entry) for entry in Path(cache).glob("*.safetensors")]
            kept = {key: tensor for entry in entries for key, tensor in entry.items()}
            found |= _learned({key: tensor for key, tensor in kept.items() if "." in key}, name)
            found |= {f"{name}/{key}": tensor for key, tensor in kept.items() if "." not in key}
        found[f"{name}/patch"] = torch.from_numpy(result.patch)
        found[f"{name}/alpha"] = torch.from_numpy(result.alpha)
    stages = engine._loaded()
    stages.restore()
    mean, std = stages.moments(model_input(picture(0), (64, 64)))
    found |= {"vae/mean": mean, "vae/std": std, "vae/pixels": stages.checkpoint.decode(mean)}
    prompt = stages.checkpoint.tokenizer.encode("a lady, smiling")
    found["encode/states"] = states_of(stages.checkpoint, stages.checkpoint.tokenizer.with_identity(prompt, [2]))
    return {name: tensor.detach().clone().contiguous() for name, tensor in found.items()}


def states_of(checkpoint: Backbone, prompt: Prompt) -> Tensor:
    """What the U-Net attends to of a prompt, 1×L×D."""
    return checkpoint.encode([prompt]).encoding.states


def _learned(tensors: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    """Of what stage 1 left: each tensor's sum of sizes, in the order of their names, and a SHA-256 over all."""
    whole = hashlib.sha256()
    for key in sorted(tensors):
        whole.update(f"{key}\0".encode() + tensors[key].numpy().tobytes())
    sums = [float(tensors[key].double().abs().sum()) for key in sorted(tensors)]
    digest = torch.frombuffer(bytearray(whole.digest()), dtype=torch.uint8)
    return {f"{name}/learned": torch.tensor(sums), f"{name}/learned{DIGEST}": digest}


if __name__ == "__main__":
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as made:
        stages = computed(build(Path(made) / "tiny"))
    save_file(stages, RECORDED, metadata={"processor": processor()})
    print(f"{len(stages)} quantities, computed on {processor()}")
