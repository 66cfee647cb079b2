"""Latents of the baselines that sample with guidance alone: no inversion, no attention under control."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from s2edit.method.diffusion import Ddim, Denoiser
from s2edit.model.backbone import Encoding


@torch.no_grad()
def denoise_from(
    denoiser: Denoiser,
    ddim: Ddim,
    latent: Tensor,
    noise: Tensor,
    target: Encoding,
    null: Encoding,
    *,
    strength: float,
    guidance: Callable[[int], float],
    mask: Tensor | None = None,
    on_step: Callable[[int], None],
) -> Tensor:
    """Put noise on a picture's latent and take it off again as the target prompt says.

    Without a mask this is SDEdit (Meng et al., 2021) with DDIM steps. With one it is masked inpainting with a model
    that was not trained for it: what lies outside is put back, at each step's own noise level.

    Args:
        latent, noise: 1×4×h×w. target, null: encodings of one row.
        strength: how much of the way to noise, 0 (the latent as it is) to 1.
        guidance: w of a step by its number; where it is 1, the unconditional prediction isn't made.
        mask: h×w, 1 where the picture may change. on_step: called before each step with its number.
    """
    first = ddim.steps - round(strength * ddim.steps)
    encodings = Encoding.cat([null, target])
    current = latent
    for index, time in enumerate(ddim.timesteps[first:], start=first):
        on_step(index)
        alpha = ddim.alpha(time)
        noisy = alpha**0.5 * latent + (1 - alpha) ** 0.5 * noise
        if index == first:
            current = noisy
        elif mask is not None:
            current = noisy + mask * (current - noisy)
        w = guidance(index)
        if w == 1:
            predicted = denoiser(current, time, target)
        else:
            unconditional, conditional = denoiser(torch.cat([current, current]), time, encodings).chunk(2)
            predicted = unconditional + w * (conditional - unconditional)
        current = ddim.step(predicted, index, current)
    return current if mask is None else latent + mask * (current - latent)


@torch.no_grad()
def two_models(
    published: Denoiser,
    tuned: Denoiser,
    ddim: Ddim,
    noise: Tensor,
    source: Encoding,
    target: Encoding,
    null: Encoding,
    *,
    guidance: float,
    share: float,
    until: int,
    on_step: Callable[[int], None],
) -> Tensor:
    """SINE's model-based guidance (Zhang et al., 2023, section 3.2), from pure noise.

    Args:
        noise: 1×4×h×w. source: of P~ by the fine-tuned text encoder. target, null: by the published one.
        guidance: w. share: of the fine-tuned model's prediction in the conditional one, while t >= `until`.
        on_step: called before each step with its number.
    """
    current, encodings = noise, Encoding.cat([null, target])
    for index, time in enumerate(ddim.timesteps):
        on_step(index)
        unconditional, conditional = published(torch.cat([current, current]), time, encodings).chunk(2)
        if time >= until:
            conditional = (1 - share) * conditional + share * tuned(current, time, source)
        current = ddim.step(unconditional + guidance * (conditional - unconditional), index, current)
    return current
