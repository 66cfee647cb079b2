"""A small attribute classifier for a domain: scores edits in the benchmark, and proposes a source prompt."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from s2edit.research.starter.portraits import PORTRAITS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from s2edit.research.starter.domain import Domain, T

SIDE = 64


def new_network(outputs: int) -> Any:
    """An untrained network: (N, 3, 64, 64) float32 in 0 to 1, to (N, outputs) scores, all values side by side."""
    from torch import nn

    def block(inputs: int, outputs: int) -> list[nn.Module]:
        return [
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.MaxPool2d(2),
        ]

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


def network_of(domain: Domain[Any]) -> Any:
    """An untrained network with a score for every value of the domain's named fields."""
    return new_network(sum(len(values) for values in domain.values.values()))


def split_scores(scores: Any, values: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """Cut (N, outputs) scores into one (N, values) tensor a field."""
    parts = scores.split([len(options) for options in values.values()], dim=1)
    return dict(zip(values, parts, strict=True))


def trained_network(domain: Domain[Any]) -> Any:
    """The domain's network with its shipped weights, ready to read.

    Raises:
        FileNotFoundError: it is not trained yet.
    """
    return _load(domain.name, domain.classifier, sum(len(values) for values in domain.values.values()))


@cache
def _load(name: str, weights: Path, outputs: int) -> Any:
    from safetensors.torch import load_file

    if not weights.exists():
        raise FileNotFoundError(
            f"The classifier of {name} is not trained. "
            f"Run: python -m s2edit.research.training --domain {name} classifier"
        )
    network = new_network(outputs)
    network.load_state_dict(load_file(weights))
    return network.eval()


def _shrink(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    from PIL import Image

    return np.asarray(Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.BOX), dtype=np.uint8)


def _recognise(image: NDArray[np.uint8], domain: Domain[T]) -> T:
    import torch

    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"The classifier reads (H, W, 3) uint8 pictures; this one is {image.shape} {image.dtype}.")
    with torch.no_grad():
        scores = trained_network(domain)(torch.from_numpy(_shrink(image).copy()).permute(2, 0, 1)[None].float() / 255)
    parts = split_scores(scores, domain.values)
    best: dict[str, Any] = {name: domain.values[name][int(part.argmax())] for name, part in parts.items()}
    return domain.thing(**best)


def classify(image: NDArray[np.uint8], domain: Domain[Any] = PORTRAITS) -> dict[str, str]:
    """Read the attributes of a portrait, or of another domain's thing, from its picture.

    Args:
        image: (H, W, 3) uint8 sRGB, square, drawn by the renderer or by the embedded model. It knows no photographs.
        domain: what the picture shows.

    Returns:
        The value of each visible field of the domain's `values`; what cannot be seen (hair under a hat) is left out.
        A portrait's `person` is a guess from hair and beard: the drawings show no other difference.

    Raises:
        ValueError: the array is no such picture.
    """
    found = _recognise(image, domain)
    named, shown = found.named(), domain.visible(found)
    return {name: value for name, value in named.items() if name in shown}


def propose_caption(image: NDArray[np.uint8], domain: Domain[Any] = PORTRAITS) -> str:
    """A source prompt for a picture, in the captions' style, about what an edit may change. See `classify`."""
    return domain.caption(_recognise(image, domain), mention=set(domain.proposal))
