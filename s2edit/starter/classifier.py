"""A small attribute classifier for portraits: scores edits in the benchmark, and proposes a source prompt."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from s2edit.starter.attributes import VALUES, Portrait, visible
from s2edit.starter.captions import caption

if TYPE_CHECKING:
    from numpy.typing import NDArray

WEIGHTS = Path(__file__).resolve().parent / "classifier.safetensors"
SIDE = 64


def new_network() -> Any:
    """An untrained network: (N, 3, 64, 64) float32 in 0 to 1, to (N, 71) scores, all values side by side."""
    from torch import nn

    def block(inputs: int, outputs: int) -> list[nn.Module]:
        return [
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.MaxPool2d(2),
        ]

    outputs = sum(len(values) for values in VALUES.values())
    # The last grid stays 4 x 4 and goes in unpooled: where a colour is says whether it is hair, hat or clothes.
    return nn.Sequential(
        *block(3, 24),
        *block(24, 48),
        *block(48, 72),
        *block(72, 96),
        nn.Flatten(),
        nn.Dropout(0.2),
        nn.Linear(96 * 16, 160),
        nn.ReLU(),
        nn.Linear(160, outputs),
    )


def split_scores(scores: Any) -> dict[str, Any]:
    """Cut (N, 71) scores into one (N, values) tensor a field."""
    parts = scores.split([len(values) for values in VALUES.values()], dim=1)
    return dict(zip(VALUES, parts, strict=True))


@cache
def _network() -> Any:
    from safetensors.torch import load_file

    if not WEIGHTS.exists():
        raise FileNotFoundError("The classifier is not trained. Run: python -m s2edit.starter.train classifier")
    network = new_network()
    network.load_state_dict(load_file(WEIGHTS))
    return network.eval()


def _shrink(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    from PIL import Image

    return np.asarray(Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.BOX), dtype=np.uint8)


def _recognise(image: NDArray[np.uint8]) -> Portrait:
    import torch

    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"The classifier reads (H, W, 3) uint8 pictures; this one is {image.shape} {image.dtype}.")
    with torch.no_grad():
        scores = _network()(torch.from_numpy(_shrink(image).copy()).permute(2, 0, 1)[None].float() / 255)
    best: dict[str, Any] = {name: VALUES[name][int(part.argmax())] for name, part in split_scores(scores).items()}
    return Portrait(**best)


def classify(image: NDArray[np.uint8]) -> dict[str, str]:
    """Read a portrait's attributes from its picture.

    Args:
        image: (H, W, 3) uint8 sRGB, square, drawn by the renderer or by the embedded model. It knows no photographs.

    Returns:
        The value of each visible field of `VALUES`; what cannot be seen (hair under a hat) is left out. `person` is a
        guess from hair and beard: the drawings show no other difference.

    Raises:
        ValueError: the array is no such picture.
    """
    portrait = _recognise(image)
    named = portrait.named()
    return {name: named[name] for name in VALUES if name in visible(portrait)}


def propose_caption(image: NDArray[np.uint8]) -> str:
    """A source prompt for a portrait, in the captions' style; clothes and background are left out. See `classify`."""
    return caption(_recognise(image), mention={"mood", "hair", "facial_hair", "accessory", "hat", "eyes"})
