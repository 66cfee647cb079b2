"""What published instruction models need at their native size, counted by shapes alone: no weights, nothing measured.

    python -m s2edit.model.instructed_counts > s2edit/model/instructed_memory.json    (read by `instructed`)
    python -m s2edit.model.instructed_counts --table                                  (the table in README.md)

Transformer and text encoder in bfloat16, the autoencoder in float32. Where both don't fit, one half of the model is on
the device at a time: `total` is what the larger half takes then, with what its passes need for the moment.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

from .instructed import INSTRUCTED, Instructed
from .unet_memory import PeakMemory

_TOKENS, _LAYERS = 512, 3
"""Tokens of a sentence, and how many of the text encoder's states each has."""
_CELL = 16
"""Px of a token's side in the picture."""
_PARTS = ("text encoder", "transformer", "autoencoder", "passing", "total")


def counts(kind: Instructed) -> dict[str, int]:
    """Bytes of `_PARTS`, and "operations" of one step."""
    import diffusers
    import transformers

    with FakeTensorMode(), torch.no_grad():
        with _default(torch.bfloat16):
            encoder = transformers.Qwen3ForCausalLM(
                transformers.AutoConfig.from_pretrained(kind.config / "text_encoder")
            )
            transformer = _of(diffusers.Flux2Transformer2DModel, kind, "transformer")
        vae = _of(diffusers.AutoencoderKLFlux2, kind, "vae")
        given = _given(transformer, kind.native)
        pixels = torch.empty(1, 3, kind.native, kind.native)
        latents = torch.empty(1, vae.config.latent_channels, kind.native // 8, kind.native // 8)
        ids = torch.zeros(1, _TOKENS, dtype=torch.int64)
        mask = torch.zeros(
            1, 1, _TOKENS, _TOKENS, dtype=torch.bfloat16
        )  # whole, since the encoder would look at a shorter one's numbers
        drawing = max(_peak(lambda: transformer(**given)), _peak(lambda: vae.encode(pixels)))
        drawing = max(drawing, _peak(lambda: vae.decode(latents)))
        reading = _peak(lambda: encoder(input_ids=ids, attention_mask=mask, output_hidden_states=True, use_cache=False))
    sizes = [sum(weight.nbytes for weight in each.parameters()) for each in (encoder, transformer, vae)]
    total = max(sizes[0] + reading, sizes[1] + sizes[2] + drawing)
    figures = dict(zip(_PARTS, (*sizes, drawing, total), strict=True))
    return figures | {"operations": _operations(kind)}


def _operations(kind: Instructed) -> int:
    """Of one step. On the meta device, since the counter passes over the attention that fake tensors are given to."""
    import diffusers

    with torch.device("meta"), torch.no_grad(), _default(torch.bfloat16), FlopCounterMode(display=False) as counter:
        transformer = _of(diffusers.Flux2Transformer2DModel, kind, "transformer")
        transformer(**_given(transformer, kind.native))
    return int(counter.get_total_flops())


@contextmanager
def _default(dtype: torch.dtype) -> Iterator[None]:
    """New weights get this dtype; fake ones can't be turned into another later."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _of(network: Any, kind: Instructed, part: str) -> Any:
    return network.from_config(network.load_config(kind.config / part))


def _given(transformer: Any, native: int) -> dict[str, Any]:
    """What the transformer takes in a step: the answer's tokens, the picture's and the sentence's."""
    tokens, half = 2 * (native // _CELL) ** 2, torch.bfloat16
    return {
        "hidden_states": torch.empty(1, tokens, transformer.config.in_channels, dtype=half),
        "timestep": torch.empty(1, dtype=half),
        "guidance": None,
        "encoder_hidden_states": torch.empty(1, _TOKENS, transformer.config.joint_attention_dim, dtype=half),
        "txt_ids": torch.zeros(1, _TOKENS, 4),
        "img_ids": torch.zeros(1, tokens, 4),
    }


def _peak(step: Callable[[], object]) -> int:
    with PeakMemory() as memory:
        step()
    peak: int = memory.peak
    return peak


def table(found: Mapping[str, Mapping[str, int]]) -> str:
    """In GiB, as README.md has it."""
    lines = ["| GiB, counted | " + " | ".join(_PARTS) + " |", "|---|" + "---|" * len(_PARTS)]
    for key, figures in found.items():
        row = " | ".join(f"{figures[part] / 2**30:.2f}" for part in _PARTS)
        lines.append(f"| {INSTRUCTED[key].title}, {INSTRUCTED[key].native} px | {row} |")
    return "\n".join(lines)


def main() -> None:
    """Print the counts."""
    parser = argparse.ArgumentParser(
        prog="python -m s2edit.model.instructed_counts", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--table", action="store_true", help="as a table in GiB")
    found: dict[str, dict[str, int]] = {kind.key: counts(kind) for kind in INSTRUCTED.values()}
    sys.stdout.write((table(found) if parser.parse_args().table else json.dumps(found, indent=1)) + "\n")


if __name__ == "__main__":
    main()
