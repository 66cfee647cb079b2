"""From the picture to noise: DDIM or a flow's steps backwards, and null-text inversion (Mokady et al., 2023)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..model.backbone import Encoding
from ..model.device import loss_scaler
from ..settings import InversionMode, InversionSettings
from .attention import TokenMask
from .diffusion import Denoiser
from .process import Walk


@dataclass(frozen=True, eq=False)
class Inversion:
    """A picture's path to noise.

    Args:
        trajectory: (T+1)×4×h×w float32; the first is the picture's latent, the last is z_T.
        null: T×L×D float32, the optimised null embedding of each step, from noise to picture; None without.
        losses: of every inner null-text step, in order; empty without.
        retraced: (T+1)×4×h×w float32, ordered as the trajectory: where sampling with the null embeddings leads, close
            to the trajectory; None without.
    """

    trajectory: Tensor
    null: Tensor | None = None
    losses: tuple[float, ...] = ()
    retraced: Tensor | None = None

    def source_path(self, mode: InversionMode) -> Tensor | None:
        """The source branch's latents in editing, ordered as the trajectory; None where they have to be sampled.

        In mode "direct" they are the trajectory itself. In "null_text" the optimisation has been there before.
        """
        return {"direct": self.trajectory, "null_text": self.retraced}.get(mode)


@torch.no_grad()
def ddim_inversion(
    denoiser: Denoiser,
    walk: Walk,
    latent: Tensor,
    encoding: Encoding,
    masks: Sequence[TokenMask],
    on_step: Callable[[int], None],
) -> Tensor:
    """Invert with the conditional prediction alone (guidance 1).

    Args:
        latent: 1×4×h×w, the posterior's mean, scaled. encoding: of P~. masks: Eq. 3 for row 0.
        on_step: called before each step.
    Returns:
        All T+1 latents, from the picture to noise.
    """
    path = [latent]
    for step, index in enumerate(reversed(range(walk.steps))):
        on_step(step)
        found = denoiser(path[-1], walk.upward(index), encoding, masks=masks)
        path.append(walk.invert(found, index, path[-1]))
    return torch.cat(path)


def null_text_optimisation(
    denoiser: Denoiser,
    walk: Walk,
    trajectory: Tensor,
    encoding: Encoding,
    null: Encoding,
    masks: Sequence[TokenMask],
    *,
    guidance: float,
    settings: InversionSettings,
    on_step: Callable[[int], None],
) -> Inversion:
    """Fit a null embedding to each step, so that sampling with guidance w retraces the trajectory.

    Args:
        trajectory: from `ddim_inversion`. encoding: of P~. null: of the empty prompt; its states
            are fitted, its pooled state stays.
        masks: Eq. 3 for the conditional prediction; the unconditional one has no [I].
        guidance: w, the same as in editing. on_step: called before each step.
    """
    latent = trajectory[-1:]
    found, losses, passed = [], [], [latent]
    scaler = loss_scaler(denoiser.autocast, latent.device)
    for index, time in enumerate(walk.timesteps):
        on_step(index)
        goal = trajectory[-2 - index].unsqueeze(0)
        with torch.no_grad():
            conditional = denoiser(latent, time, encoding, masks=masks)
        # Warm start from the step before, but a fresh optimiser.
        states = null.states.detach().clone().requires_grad_()
        null = null.with_states(states)
        rate = settings.learning_rate * (1 - index / 100)
        optimizer = torch.optim.Adam([states], lr=rate)
        for _ in range(settings.inner_steps):
            on_step(index)
            noise = denoiser(latent, time, null)
            loss = F.mse_loss(walk.step(noise + guidance * (conditional - noise), index, latent), goal)
            optimizer.zero_grad()
            scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
            scaler.step(optimizer)
            scaler.update()
            losses.append(loss.item())
            if loss.item() < settings.early_stop + settings.early_stop_growth * index:
                break
        null = null.with_states(states.detach())
        found.append(null.states)
        with torch.no_grad():
            noise = denoiser(latent, time, null)
            latent = walk.step(noise + guidance * (conditional - noise), index, latent)
        passed.append(latent)
    return Inversion(trajectory, torch.cat(found), tuple(losses), torch.cat(passed[::-1]))
