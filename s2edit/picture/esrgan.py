"""Upscalers of the ESRGAN kind, for photographs: what the model drew, four times as large.

The network is ESRGAN's (Wang et al. 2018): residual-in-residual dense blocks, two nearest-neighbour doublings.
Real-ESRGAN (Wang et al. 2021) and most upscalers that people share are of it, and the shapes in their files tell its
sizes. It is written here because `spandrel`, which knows many kinds more, needs torchvision, and torchvision from PyPI
only loads beside the CUDA build of torch.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..model.companions import Companion
from .resolution import UPSCALED, UPSCALER

COMPANION = Companion(UPSCALER, "esrgan", "upscaler", "results are then enlarged without one")
LARGEST = 256 << 20
"""Bytes of a file that is read; Real-ESRGAN's has 67 million."""
_CHANNELS, _BLOCKS = range(1, 129), range(1, 65)
_RESIDUAL, _SLOPE = 0.2, 0.2
"""Share of a block that is added to what it was given, and of the leaky rectifiers below 0."""
_CONVOLUTIONS, _DENSE = 5, 3
"""Convolutions of a dense block, and dense blocks of a residual one."""
_OLD_NAMES = (
    (r"model\.0\.(\w+)", r"conv_first.\1"),
    (r"model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)\.0\.(\w+)", r"body.\1.rdb\2.conv\3.\4"),
    (r"model\.1\.sub\.\d+\.(\w+)", r"conv_body.\1"),
    (r"model\.3\.(\w+)", r"conv_up1.\1"),
    (r"model\.6\.(\w+)", r"conv_up2.\1"),
    (r"model\.8\.(\w+)", r"conv_hr.\1"),
    (r"model\.10\.(\w+)", r"conv_last.\1"),
)
"""Of ESRGAN's first release, which many shared files still have, and as Real-ESRGAN names the same layers."""


class _Dense(nn.Module):
    def __init__(self, channels: int, growth: int) -> None:
        super().__init__()
        for number in range(1, _CONVOLUTIONS + 1):
            out = channels if number == _CONVOLUTIONS else growth
            self.add_module(f"conv{number}", nn.Conv2d(channels + (number - 1) * growth, out, 3, padding=1))

    def forward(self, features: Tensor) -> Tensor:
        known = [features]
        for convolution in list(self.children())[:-1]:
            known.append(F.leaky_relu(convolution(torch.cat(known, 1)), _SLOPE))
        last: Tensor = list(self.children())[-1](torch.cat(known, 1))
        return features + _RESIDUAL * last


class _Block(nn.Module):
    def __init__(self, channels: int, growth: int) -> None:
        super().__init__()
        for number in range(1, _DENSE + 1):
            self.add_module(f"rdb{number}", _Dense(channels, growth))

    def forward(self, features: Tensor) -> Tensor:
        out = features
        for dense in self.children():
            out = dense(out)
        return features + _RESIDUAL * out


class EsrganNetwork(nn.Module):
    """The network, untrained; layers have Real-ESRGAN's names.

    Args:
        channels: of the features. growth: channels that each convolution of a dense block adds. blocks: how many.
    """

    def __init__(self, channels: int, growth: int, blocks: int) -> None:
        super().__init__()
        self.conv_first = nn.Conv2d(3, channels, 3, padding=1)
        self.body = nn.Sequential(*[_Block(channels, growth) for _ in range(blocks)])
        self.conv_body = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv_up1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv_up2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv_hr = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv_last = nn.Conv2d(channels, 3, 3, padding=1)

    def forward(self, picture: Tensor) -> Tensor:
        """N×3×4h×4w, not clipped, of N×3×h×w in [0, 1]."""
        features = self.conv_first(picture)
        features = features + self.conv_body(self.body(features))
        for larger in (self.conv_up1, self.conv_up2):
            features = F.leaky_relu(larger(F.interpolate(features, scale_factor=2, mode="nearest")), _SLOPE)
        drawn: Tensor = self.conv_last(F.leaky_relu(self.conv_hr(features), _SLOPE))
        return drawn


@dataclass(frozen=True, eq=False)
class Enlarger:
    """A trained network, float32, in evaluation mode, on the device that it computes on.

    Args:
        digest: first 16 hexadecimal digits of the SHA-256 over its file.
    """

    network: EsrganNetwork
    digest: str

    @torch.inference_mode()
    def __call__(self, picture: Tensor) -> Tensor:
        """1×3×4h×4w float32 in [0, 1], on the same device, of 1×3×h×w float in [0, 1]."""
        weight = self.network.conv_first.weight
        drawn: Tensor = self.network(picture.to(weight.device, torch.float32)).clamp(0, 1)
        return drawn.to(picture.device)


def esrgan_network(tensors: Mapping[str, Tensor]) -> tuple[EsrganNetwork, dict[str, Tensor]]:
    """The untrained network that a file's shapes ask for, and the file's numbers by its names.

    Raises:
        CheckpointError: `checkpoint_unsupported`, it is of another kind, scale or size.
    """
    named = {_new_name(name): tensor for name, tensor in tensors.items()}
    first, inner = named.get("conv_first.weight"), named.get("body.0.rdb1.conv1.weight")
    blocks = len({name.split(".")[1] for name in named if name.startswith("body.")})
    if first is None or inner is None or first.ndim != 4 or inner.ndim != 4 or "conv_up2.weight" not in named:
        raise COMPANION.unsupported("model.safetensors is not that of an ESRGAN network")
    if first.shape[1] != 3:
        raise COMPANION.unsupported(f"model.safetensors is not that of a network for {UPSCALED} times the size")
    channels, growth = first.shape[0], inner.shape[0]
    if channels not in _CHANNELS or growth not in _CHANNELS or blocks not in _BLOCKS:
        raise COMPANION.unsupported(f"{blocks} blocks of {channels} channels that grow by {growth} are too large")
    with torch.device("meta"):
        network = EsrganNetwork(channels, growth, blocks)
    return network, named


def _new_name(name: str) -> str:
    for old, new in _OLD_NAMES:
        if re.fullmatch(old, name):
            return re.sub(old, new, name)
    return name
