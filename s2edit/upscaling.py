"""A checkpoint's own enlarger: what the model draws at its size, four times as large and with edges as sharp as there.

A body of residual blocks at the input's resolution and one sub-pixel convolution (EDSR: Lim et al. 2017, without batch
normalisation; pixel shuffle: Shi et al. 2016) add to the bicubic enlargement what it lacks. Weights lie beside the
checkpoint's networks, in `upscaler/config.json` and `upscaler/model.safetensors`; a checkpoint may have none.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .companions import Companion, read_companion
from .errors import ImageError

SCALE = 4
"""How many times wider and higher the result is."""
FOLDER = "upscaler"
"""Of the two files, inside a checkpoint's folder."""
ARCHITECTURE = "residual-pixelshuffle"
CHANNELS, BLOCKS = range(4, 129), range(1, 33)
"""Sizes that a configuration may ask for."""
_COMPANION = Companion(FOLDER, ARCHITECTURE, "upscaler", "results are then enlarged without one")


class _Block(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        out: Tensor = features + self.second(F.silu(self.first(features)))
        return out


class UpscalerNetwork(nn.Module):
    """The network, untrained: exactly the bicubic enlargement, since its last convolution begins at 0.

    Args:
        channels, blocks: width and number of the residual blocks.
    """

    def __init__(self, channels: int, blocks: int) -> None:
        super().__init__()
        self.channels, self.blocks = channels, blocks
        self.enter = nn.Conv2d(3, channels, 3, padding=1)
        self.body = nn.Sequential(*[_Block(channels) for _ in range(blocks)])
        self.leave = nn.Conv2d(channels, 3 * SCALE**2, 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)  # type: ignore[arg-type]

    def forward(self, picture: Tensor) -> Tensor:
        """N×3×4h×4w, not clipped, of N×3×h×w in [0, 1]."""
        features = self.enter(2 * picture - 1)
        detail = F.pixel_shuffle(self.leave(features + self.body(features)), SCALE)
        return detail + F.interpolate(picture, scale_factor=SCALE, mode="bicubic", align_corners=False)

    def config(self) -> dict[str, Any]:
        """What `config.json` holds."""
        return {"architecture": ARCHITECTURE, "scale": SCALE, "channels": self.channels, "blocks": self.blocks}


@dataclass(frozen=True, eq=False)
class Upscaler:
    """A trained network, float32, in evaluation mode.

    Args:
        network: on the device that it computes on.
        digest: first 16 hexadecimal digits of the SHA-256 over both files; another upscaler has another one.
    """

    network: UpscalerNetwork
    digest: str

    @torch.inference_mode()
    def __call__(self, picture: Tensor) -> Tensor:
        """Enlarge a picture four times.

        Args:
            picture: 1×3×h×w float in [0, 1], on any device.
        Returns:
            1×3×4h×4w float32 in [0, 1], on the same device; the same picture gives the same bytes on one device.
        Raises:
            ImageError: it has another shape.
        """
        if picture.ndim != 4 or picture.shape[0] != 1 or picture.shape[1] != 3 or 0 in picture.shape:
            raise ImageError(
                f"The upscaler takes one picture in three colours, not an array of {tuple(picture.shape)}.",
                code="image_shape",
            )
        device = self.network.enter.weight.device
        enlarged: Tensor = self.network(picture.to(device, torch.float32)).clamp(0, 1)
        return enlarged.to(picture.device)


def load_upscaler(folder: Path) -> Upscaler | None:
    """Read a checkpoint's upscaler onto the CPU.

    Args:
        folder: of the checkpoint, with `upscaler` inside.
    Returns:
        None where the checkpoint has no upscaler.
    Raises:
        CheckpointError: a file of it is missing or damaged (`checkpoint_incomplete`), or of a kind or size that is not
            known here (`checkpoint_unsupported`).
    """
    found = read_companion(folder, _COMPANION, _network)
    return None if found is None else Upscaler(*found)


def _network(found: dict[str, Any]) -> UpscalerNetwork:
    if found.get("scale") != SCALE:
        raise _COMPANION.unsupported(f"config.json is not that of a network for {SCALE} times the size")
    for name, allowed in (("channels", CHANNELS), ("blocks", BLOCKS)):
        if type(found.get(name)) is not int or found[name] not in allowed:
            raise _COMPANION.unsupported(
                f"{name} in config.json must be a whole number from {allowed[0]} to {allowed[-1]}"
            )
    return UpscalerNetwork(found["channels"], found["blocks"])
