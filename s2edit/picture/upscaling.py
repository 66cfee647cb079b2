"""A checkpoint's own finisher of edits: what the model drew at its size, four times as large, beside the picture's own.

It sees the picture at the large size, and what the autoencoder makes of the picture and of the edit at the model's. So
it keeps what the edit never meant to change, takes edges from the picture where only colours changed, and draws sharp
what is new. A body of residual blocks at the model's resolution (EDSR: Lim et al. 2017, without batch normalisation;
dilated as in Yu and Koltun 2016) between a pixel unshuffle and a pixel shuffle (Shi et al. 2016) tells a small head at
the large size how far each pixel is the picture's own, and how far it is new, and in which colour. Weights lie beside
the checkpoint's networks, in `upscaler/config.json` and `upscaler/model.safetensors`. A checkpoint without such a
configuration may have a general upscaler in its place (`esrgan`), or none.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import ImageError
from ..model.companions import CONFIG, WEIGHTS, Companion, filled, read_bounded, read_companion, tensors_of
from . import esrgan
from .resolution import UPSCALED, UPSCALER

SCALE = UPSCALED
"""How many times wider and higher the result is."""
ARCHITECTURE = "guided-pixelshuffle"
CHANNELS, BLOCKS, SHARPENING = range(4, 129), range(1, 33), range(17)
"""Sizes that a configuration may ask for."""
_FINE, _HEAD = 8, 24
"""Channels at the large size: what the body says of each pixel, and what the head computes with."""
_DILATIONS = (1, 2, 4)
"""Of the blocks, in turn: the reach is wide at no cost."""
_COMPANION = Companion(UPSCALER, ARCHITECTURE, "upscaler", "results are then enlarged without one")


class _Block(nn.Module):
    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        out: Tensor = features + self.second(F.silu(self.first(features)))
        return out


class UpscalerNetwork(nn.Module):
    """The network, untrained: halfway between the picture and the bicubically enlarged edit.

    Args:
        channels, blocks: width and number of the residual blocks.
        sharpening: steps of `sharpening.shock_filtered` that what it draws is given; for drawings with hard edges.
    """

    def __init__(self, channels: int, blocks: int, sharpening: int = 0) -> None:
        super().__init__()
        self.channels, self.blocks, self.sharpening = channels, blocks, sharpening
        self.enter = nn.Conv2d(3 * SCALE**2 + 6, channels, 3, padding=1)
        self.body = nn.Sequential(*[_Block(channels, _DILATIONS[k % len(_DILATIONS)]) for k in range(blocks)])
        self.leave = nn.Conv2d(channels, _FINE * SCALE**2, 3, padding=1)
        last = nn.Conv2d(_HEAD, 4, 3, padding=1)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)  # type: ignore[arg-type]
        self.head = nn.Sequential(
            nn.Conv2d(_FINE + 9, _HEAD, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(_HEAD, _HEAD, 3, padding=1),
            nn.SiLU(),
            last,
        )

    def forward(self, original: Tensor, before: Tensor, after: Tensor) -> Tensor:
        """N×3×4h×4w, not clipped, of N×3×4h×4w and twice N×3×h×w in [0, 1]."""
        small = 2 * torch.cat([before, after], 1) - 1
        guide = 2 * original - 1
        features = self.enter(torch.cat([F.pixel_unshuffle(guide, SCALE), small], 1))
        fine = F.pixel_shuffle(self.leave(features + self.body(features)), SCALE)
        large = F.interpolate(small, scale_factor=SCALE, mode="bicubic", align_corners=False)
        found = self.head(torch.cat([fine, guide, large], 1))
        share = found[:, :1].sigmoid()
        drawn = (large[:, 3:] + 1) / 2 + found[:, 1:]
        finished: Tensor = (1 - share) * original + share * drawn
        return finished

    def config(self) -> dict[str, Any]:
        """What `config.json` holds."""
        sizes = {"channels": self.channels, "blocks": self.blocks, "sharpening": self.sharpening}
        return {"architecture": ARCHITECTURE, "scale": SCALE, **sizes}


@dataclass(frozen=True, eq=False)
class Upscaler:
    """A trained network, float32, in evaluation mode.

    Args:
        network: on the device that it computes on.
        digest: first 16 hexadecimal digits of the SHA-256 over both files; another upscaler has another one.
    """

    network: UpscalerNetwork
    digest: str

    @property
    def sharpening(self) -> int:
        """Steps of `sharpening.shock_filtered` that fit what the network draws."""
        return self.network.sharpening

    @torch.inference_mode()
    def __call__(self, original: Tensor, before: Tensor, after: Tensor) -> Tensor:
        """Finish an edit.

        Args:
            original: 1×3×4h×4w, the picture at the large size.
            before, after: 1×3×h×w, decoded from the picture's latent and from the edit's. All float in [0, 1].
        Returns:
            1×3×4h×4w float32 in [0, 1], on the same device; the same pictures give the same bytes on one device.
        Raises:
            ImageError: they have other shapes.
        """
        shape = tuple(before.shape)
        if len(shape) != 4 or shape[:2] != (1, 3) or 0 in shape or after.shape != before.shape:
            raise _misshapen(before, after)
        if tuple(original.shape) != (1, 3, SCALE * shape[2], SCALE * shape[3]):
            raise _misshapen(original, before)
        device = self.network.enter.weight.device
        given = (each.to(device, torch.float32) for each in (original, before, after))
        finished: Tensor = self.network(*given).clamp(0, 1)
        return finished.to(before.device)


def _misshapen(*pictures: Tensor) -> ImageError:
    shapes = " and ".join(str(tuple(picture.shape)) for picture in pictures)
    return ImageError(
        f"The upscaler takes a picture in three colours, {SCALE} times as large as its edit, not arrays of {shapes}.",
        code="image_shape",
    )


def load_upscaler(folder: Path) -> Upscaler | esrgan.Enlarger | None:
    """Read a checkpoint's upscaler onto the CPU.

    Args:
        folder: of the checkpoint, with `upscaler` inside: its own has a configuration, one of the ESRGAN kind has none.
    Returns:
        None where the checkpoint has no upscaler.
    Raises:
        CheckpointError: a file of it is missing or damaged (`checkpoint_incomplete`), or of a kind or size that is not
            known here (`checkpoint_unsupported`).
    """
    place = folder / UPSCALER
    if (place / WEIGHTS).exists() and not (place / CONFIG).exists():
        weights = read_bounded(place / WEIGHTS, esrgan.COMPANION, esrgan.LARGEST)
        network, tensors = esrgan.esrgan_network(tensors_of(weights, esrgan.COMPANION))
        digest = hashlib.sha256(weights).hexdigest()[:16]
        return esrgan.Enlarger(filled(network, tensors, esrgan.COMPANION), digest)
    found = read_companion(folder, _COMPANION, _network)
    return None if found is None else Upscaler(*found)


def _network(found: dict[str, Any]) -> UpscalerNetwork:
    if found.get("scale") != SCALE:
        raise _COMPANION.unsupported(f"config.json is not that of a network for {SCALE} times the size")
    for name, allowed in (("channels", CHANNELS), ("blocks", BLOCKS), ("sharpening", SHARPENING)):
        if type(found.get(name)) is not int or found[name] not in allowed:
            raise _COMPANION.unsupported(
                f"{name} in config.json must be a whole number from {allowed[0]} to {allowed[-1]}"
            )
    return UpscalerNetwork(found["channels"], found["blocks"], found["sharpening"])
