"""Grow a trained U-Net by one outer level, so that it draws pictures of twice the side; the autoencoder just goes on.

The inner levels are the trained ones, and begin where they see about what they saw:

- *Noise*: latents are scaled to half the deviation (`LATENT_STD`), so the mean of four noised latents, doubled, has the
  signal and the noise that one latent of the smaller picture had at the same timestep.
- *In*: convolution and downsampler of the outer level together are one linear map of 5 x 5 latents at every second
  place. It begins as the map that gives best, by least squares over pictures encoded at both sizes and noised alike,
  what the trained first convolution gave. (The block between them begins as the identity, its last weights 0.)
- *Out*: the last block begins as the identity on the inner levels' features, enlarged; the last convolution is halved,
  since of the noise in four latents their common part, which is what the inner levels predict, is half as large.

What no inner level can know, the noise's differences among the four, is learned; the raw latents stand in the outer
skip connection for it.
"""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F

from s2edit.research.training.latents import encode
from s2edit.research.training.models import LATENT_STD, new_scheduler, new_unet

if TYPE_CHECKING:
    from s2edit.research.starter.domain import Domain

_TAPS = 5  # side of the window that the outer level's two convolutions see together
_SEEN = range(4 * 9)  # channels of the first convolution that hand on its 3 x 3 latents
_PICTURES = 48


def grown(inner: Any, vae: Any, domain: Domain[Any], *, seed: int, pictures: int = _PICTURES) -> Any:
    """A U-Net for the domain's size that begins with one of half the size inside; see above.

    Args:
        inner: the trained U-Net. vae: the autoencoder of both.
        domain: what is drawn.
        seed: of new weights and of the noise.
        pictures: of the domain, to fit the way in.
    Raises:
        ValueError: the trained U-Net is not for pictures half as large.
    """
    half = 8 * int(inner.config.sample_size)
    if 2 * half != domain.size:
        raise ValueError(f"A model for {half} px can't become one for {domain.size}: one level more doubles the side.")
    torch.manual_seed(seed)
    unet = new_unet(domain.size)
    carry_over(inner, unet)
    large, small = (
        torch.cat([encode(vae, domain.picture(number, size)[0][None]) for number in range(pictures)])
        for size in (domain.size, half)
    )
    kernel, bias, _ = fit_way_in(inner.conv_in, large * LATENT_STD[domain.size], small)
    set_way_in(unet, kernel, bias)
    return unet


@torch.no_grad()
def carry_over(inner: Any, grown: Any) -> None:
    """Put a U-Net's weights into the inner levels of one with an outer level more; its way out begins as said above."""
    state = grown.state_dict()
    for name, tensor in inner.state_dict().items():
        if not name.startswith("conv_in."):
            state[re.sub(r"^down_blocks\.(\d+)", lambda at: f"down_blocks.{int(at[1]) + 1}", name)] = tensor
    for name in ("conv_out.weight", "conv_out.bias"):
        state[name] = state[name] / 2
    grown.load_state_dict(state)
    centre(grown.up_blocks[-2].upsamplers[0].conv, 1)
    for block in (*grown.down_blocks[0].resnets, *grown.up_blocks[-1].resnets):
        block.conv2.weight.zero_()
        block.conv2.bias.zero_()
        if block.conv_shortcut is not None:
            centre(block.conv_shortcut, 0)


def centre(convolution: Any, middle: int) -> None:
    """Make a convolution hand on its first channels as they are."""
    convolution.weight.zero_()
    convolution.bias.zero_()
    for channel in range(convolution.out_channels):
        convolution.weight[channel, channel, middle, middle] = 1


@torch.no_grad()
def fit_way_in(first: Any, large: torch.Tensor, small: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, float]:
    """The 5 x 5 map, by steps of two, from noised large latents to what `first` makes of the small ones, noised alike.

    Args:
        first: the trained first convolution.
        large: (N, 4, 2h, 2w), scaled as the grown U-Net sees them.
        small: (N, 4, h, w), not scaled, of the same pictures.
    Returns:
        (channels, 4, 5, 5) weights, (channels,) biases, and the share of the variance that they explain.
    """
    size = 8 * small.shape[-1]
    alphas = new_scheduler().alphas_cumprod[torch.linspace(0, 999, len(large)).long()].view(-1, 1, 1, 1)
    noise = torch.randn(large.shape)
    seen = alphas.sqrt() * large + (1 - alphas).sqrt() * noise
    wanted = first(alphas.sqrt() * small * LATENT_STD[size] + (1 - alphas).sqrt() * 2 * F.avg_pool2d(noise, 2))
    windows = F.unfold(seen, _TAPS, padding=_TAPS // 2, stride=2).transpose(1, 2).flatten(0, 1)
    rows = torch.cat([windows, torch.ones(len(windows), 1)], dim=1).double()
    targets = wanted.flatten(2).transpose(1, 2).flatten(0, 1).double()
    solved = torch.linalg.lstsq(rows, targets).solution
    missed = (rows @ solved - targets).square().mean()
    kernel = solved[:-1].T.reshape(-1, 4, _TAPS, _TAPS).float()
    return kernel, solved[-1].float(), 1 - float(missed / targets.var(dim=0).mean())


@torch.no_grad()
def set_way_in(grown: Any, kernel: torch.Tensor, bias: torch.Tensor) -> None:
    """Write a map of 5 x 5 latents by steps of two as the first convolution and the downsampler of the outer level.

    The first convolution's first 36 channels hand on the 3 x 3 latents around each; the downsampler, whose 3 x 3 places
    see 5 x 5 of them, weights each once. The other channels begin at random, unread.
    """
    first, down = grown.conv_in, grown.down_blocks[0].downsamplers[0].conv
    first.weight[: len(_SEEN)] = torch.eye(len(_SEEN)).reshape(len(_SEEN), 4, 3, 3)
    first.bias[: len(_SEEN)] = 0
    down.weight.zero_()
    down.bias.copy_(bias)
    # Offsets -2 to 2, each as a place of the downsampler (0 to 2) and a tap of the first convolution (0 to 2).
    ways = [(0, 0), (1, 0), (1, 1), (1, 2), (2, 2)]
    for (y, (place_y, tap_y)), (x, (place_x, tap_x)), latent in product(enumerate(ways), enumerate(ways), range(4)):
        down.weight[:, 9 * latent + 3 * tap_y + tap_x, place_y, place_x] = kernel[:, latent, y, x]
