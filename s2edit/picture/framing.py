"""Where in a picture the thing stands that a checkpoint was trained to see, and how large; a small network (ours).

A checkpoint that has only seen whole heads draws nothing sensible in a picture whose head fills a third of it, nor in a
crop of a mouth. Its own attention is no help: it looks where heads were in training, whatever the picture shows. So a
checkpoint may bring a network that was trained beside it, in `framing/config.json` and `framing/model.safetensors`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..model.companions import Companion, read_companion
from .imaging import GRAY, resample
from .resolution import FRAMING

ARCHITECTURE = "s2edit-framing"
SIDE = 64
"""Side of the square picture that the network looks at, px."""
_WIDTHS = (16, 32, 64, 96)
_SURE = 0.5
"""Confidence from which an answer counts."""
_LEAST = 16
"""Pixels along the side of the smallest frame that is believed."""
_CLOSER = 1.6
"""Side of the square of the second look, in sides of what the first one found."""
_AGREED = 0.6
"""Intersection over union of two looks' answers that count as one."""
_COMPANION = Companion(FRAMING, ARCHITECTURE, "framing network", "crops are then chosen by the mask alone")


class FramingNetwork(nn.Module):
    """Four strided convolutions over the picture and its coordinates, then two dense layers."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 5
        for width in _WIDTHS:
            layers += [
                nn.Conv2d(before, width, 3, stride=2, padding=1),
                nn.SiLU(),
                nn.Conv2d(width, width, 3, padding=1),
            ]
            layers += [nn.GroupNorm(8, width), nn.SiLU()]
            before = width
        self.look = nn.Sequential(*layers)
        cells = (SIDE // 2 ** len(_WIDTHS)) ** 2
        self.answer = nn.Sequential(nn.Linear(before * cells, 128), nn.SiLU(), nn.Linear(128, 4))

    def forward(self, pictures: Tensor) -> Tensor:
        """N×3×64×64 in [0, 1] to N×4: the frame's middle x, y and its side, of the picture's side, and a logit."""
        steps = torch.linspace(-1, 1, SIDE, device=pictures.device)
        rows, columns = torch.meshgrid(steps, steps, indexing="ij")
        places = torch.stack([columns, rows]).expand(len(pictures), -1, -1, -1)
        seen = self.look(torch.cat([2 * pictures - 1, places], dim=1))
        answer: Tensor = self.answer(seen.flatten(1))
        return answer

    def config(self) -> dict[str, Any]:
        """What `config.json` holds."""
        return {"architecture": ARCHITECTURE, "side": SIDE}


@dataclass(frozen=True)
class Frame:
    """A square of the picture, in its pixels; it may reach beyond the picture. `confidence`: in [0, 1]."""

    x: float
    y: float
    side: float
    confidence: float


def overlap(one: Frame, other: Frame) -> float:
    """Intersection over union of two frames."""
    wide = min(one.x + one.side, other.x + other.side) - max(one.x, other.x)
    high = min(one.y + one.side, other.y + other.side) - max(one.y, other.y)
    shared = max(wide, 0.0) * max(high, 0.0)
    return shared / (one.side**2 + other.side**2 - shared)


@dataclass(frozen=True, eq=False)
class Framing:
    """A trained network, float32, in evaluation mode; `digest`: 16 hexadecimal digits over its files."""

    network: FramingNetwork
    digest: str

    @torch.no_grad()
    def find(self, picture: Tensor) -> Frame | None:
        """The frame of what the checkpoint knows, as it stood in its training pictures; None when it is not there.

        Args:
            picture: 1×3×H×W in [0, 1].
        """
        height, width = picture.shape[-2:]
        longer = max(height, width)
        first = self._look(picture, (width - longer) / 2, (height - longer) / 2, longer)
        if first is None:
            return None
        side = _CLOSER * first.side
        second = self._look(picture, first.x + (first.side - side) / 2, first.y + (first.side - side) / 2, side)
        # An answer that another look does not bear out would cut the head in two: the whole picture is the lesser evil.
        return second if second is not None and overlap(first, second) >= _AGREED else None

    def _look(self, picture: Tensor, x: float, y: float, side: float) -> Frame | None:
        """What is seen in a square of the picture, gray where that reaches beyond; None for nothing, or nonsense."""
        left, top, size = round(x), round(y), max(1, round(side))
        part = picture[:, :, max(top, 0) : top + size, max(left, 0) : left + size]
        before, above = max(-left, 0), max(-top, 0)
        after, below = size - before - part.shape[-1], size - above - part.shape[-2]
        shown = resample(F.pad(part.expand(-1, 3, -1, -1), (before, after, above, below), value=GRAY), (SIDE, SIDE))
        middle_x, middle_y, length, logit = self.network(shown.clamp(0, 1))[0].tolist()
        length, confidence = length * size, float(torch.tensor(logit).sigmoid())
        frame = Frame(left + middle_x * size - length / 2, top + middle_y * size - length / 2, length, confidence)
        beside = (
            not 0 <= left + middle_x * size <= picture.shape[-1] or not 0 <= top + middle_y * size <= picture.shape[-2]
        )
        return None if confidence < _SURE or length < _LEAST or beside else frame


def load_framing(folder: Path) -> Framing | None:
    """Read a checkpoint's framing network onto the CPU; None where it has none.

    Raises:
        CheckpointError: `checkpoint_incomplete`, `checkpoint_unsupported`; see `companions.read_companion`.
    """
    found = read_companion(folder, _COMPANION, _network)
    return None if found is None else Framing(*found)


def _network(found: dict[str, Any]) -> FramingNetwork:
    if found.get("side") != SIDE:
        raise _COMPANION.unsupported(f"config.json is not that of a network for {SIDE} px")
    return FramingNetwork()
