"""What the published models need at their native size, counted by shapes alone: no weights, no device, not measured.

    python -m s2edit.model.memory_counts > s2edit/model/memory.json    (read by `families`: catalogue, forecasts, tray)
    python -m s2edit.model.memory_counts --table                 (the table in README.md)

In float32, one picture in a step. `tests/parity/test_levels.py` holds the count against the tensors of real steps.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any, get_args

import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from ..method.prompts import PromptTokenizer
from ..picture.region import LATENT_STRIDE
from ..settings import Level
from .checkpoints import KINDS, tokenizer_of
from .families import FAMILIES, NOTHING_LEARNED, SD1, Family
from .levels import memory_plan
from .sd1 import Checkpoint, add_identity_rows
from .unet_memory import PeakMemory, unet_inputs

_ROWS = 3
"""Of the U-Net in a step of an edit: source, target, and the target without its words."""
_PARTS = ("weights", "gradients", "optimizer", "activations", "total")


def published(family: Family) -> Checkpoint:
    """A family's published networks on the meta device."""
    import transformers
    from diffusers import AutoencoderKL, UNet2DConditionModel

    folder = family.config
    tokenizer = PromptTokenizer.from_folder(SD1.config, vocabulary=SD1.config)
    with torch.device("meta"):
        parts: dict[str, Any] = {
            "unet": UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(folder / "unet")),
            "vae": AutoencoderKL.from_config(AutoencoderKL.load_config(folder / "vae")),
            "alphas": torch.empty(0),
        }
        for name, kind in family.text_encoders.items():
            config = transformers.CLIPTextConfig.from_pretrained(folder / name)
            parts |= {name: getattr(transformers, kind)(config), tokenizer_of(name): tokenizer}
            add_identity_rows(parts[name], tokenizer)
    return KINDS[family.key](**parts, native_size=family.native, size_multiple=LATENT_STRIDE, model_hash="")


def counts(family: Family) -> dict[str, dict[str, int]]:
    """Bytes by level, and for an edit that learns nothing (`NOTHING_LEARNED`): `levels.MemoryPlan` as a dictionary."""
    checkpoint, size = published(family), (family.native, family.native)
    found: dict[str, dict[str, int]] = {}
    for level in get_args(Level):
        if level != "auto":
            plan = memory_plan(checkpoint, size, level).as_dict()
            found[level] = {part: plan[part] for part in _PARTS}
    weights, passing = found["full"]["weights"], _passing(family)
    zero = {"gradients": 0, "optimizer": 0}
    return found | {NOTHING_LEARNED: {"weights": weights, **zero, "activations": passing, "total": weights + passing}}


def _passing(family: Family) -> int:
    """Bytes that the largest forward pass of an edit takes beyond weights: U-Net, encoder or decoder."""
    from diffusers import AutoencoderKL, UNet2DConditionModel

    peaks: list[int] = []
    with FakeTensorMode(), torch.no_grad():
        unet = UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(family.config / "unet"))
        vae = AutoencoderKL.from_config(AutoencoderKL.load_config(family.config / "vae"))
        given = unet_inputs(unet, 77, (family.native, family.native), _ROWS)
        latent, pixels = given["sample"][:1], torch.empty(1, 3, family.native, family.native)
        passes: list[Callable[[], object]] = [
            lambda: unet(**given),
            lambda: vae.decode(latent),
            lambda: vae.encode(pixels),
        ]
        for step in passes:
            with PeakMemory() as memory:
                step()
            peaks.append(memory.peak)
    return max(peaks)


def table(found: Mapping[str, Mapping[str, Mapping[str, int]]]) -> str:
    """In GiB, as README.md has it."""
    lines = ["| GiB, counted | " + " | ".join(_PARTS) + " |", "|---|" + "---|" * len(_PARTS)]
    for key, levels in found.items():
        title = f"{FAMILIES[key].title}, {FAMILIES[key].native} px"
        for level, parts in levels.items():
            figures = " | ".join(f"{parts[part] / 2**30:.2f}" for part in _PARTS)
            lines.append(f"| {title}: {level} | {figures} |")
    return "\n".join(lines)


def main() -> None:
    """Print the counts."""
    parser = argparse.ArgumentParser(
        prog="python -m s2edit.model.memory_counts", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--table", action="store_true", help="as a table in GiB")
    found: dict[str, dict[str, dict[str, int]]] = {family.key: counts(family) for family in FAMILIES.values()}
    text = table(found) if parser.parse_args().table else json.dumps(found, indent=1)
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    main()
