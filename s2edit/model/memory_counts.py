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
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from torch._subclasses.fake_tensor import FakeTensorMode

from ..method.chat import TOKENS, ChatTokenizer
from ..method.prompts import RARE_WORD, PromptTokenizer
from ..picture.region import LATENT_STRIDE
from ..settings import Level
from . import transformer_memory
from .backbone import Backbone
from .checkpoints import FLOW_KINDS, KINDS, tokenizer_of
from .families import FAMILIES, NOTHING_LEARNED, SD1, Family
from .flow import FlowCheckpoint
from .levels import memory_plan
from .sd1 import Checkpoint, add_identity_rows
from .unet_memory import PeakMemory, unet_inputs

_ROWS = 3
"""Of the U-Net in a step of an edit: source, target, and the target without its words."""
_PARTS = ("weights", "gradients", "optimizer", "activations", "total")


def published(family: Family) -> Backbone:
    """A family's published networks on the meta device."""
    return _flow(family) if family.key in FLOW_KINDS else _unet(family)


def _flow(family: Family) -> FlowCheckpoint:
    import diffusers
    import transformers

    folder, kind = family.config, FLOW_KINDS[family.key]
    encoder = transformers.AutoConfig.from_pretrained(folder / "text_encoder")
    word = Tokenizer(WordLevel({RARE_WORD: 0}, unk_token=RARE_WORD))
    with torch.device("meta"):
        return kind(
            **{
                name: getattr(diffusers, network).from_config(getattr(diffusers, network).load_config(folder / name))
                for name, network in family.networks.items()
            },
            text_encoder=transformers.Qwen3Model(encoder),
            tokenizer=ChatTokenizer(word, pad=0, length=TOKENS, thinking=bool(family.thinking)),
            scheduler={},
            native_size=family.native,
            model_hash="",
        )


def _unet(family: Family) -> Checkpoint:
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
        if level in family.learns:
            plan = memory_plan(checkpoint, size, level).as_dict()
            found[level] = {part: plan[part] for part in _PARTS}
    weights = next(iter(found.values()))["weights"]
    if isinstance(checkpoint, FlowCheckpoint):
        passing = transformer_memory.passing(checkpoint, size, _ROWS)
    else:
        passing = _passing(family)
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
