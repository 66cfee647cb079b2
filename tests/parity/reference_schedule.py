"""DDIM in both directions: diffusers' scheduler towards the picture, the written-out formula away from it."""

from __future__ import annotations

import numpy as np
import torch
from diffusers import DDIMScheduler
from torch import Tensor


class ReferenceSchedule:
    """Stable Diffusion's noise schedule, walked in T steps, or on the way to the picture in `taken` of them."""

    def __init__(self, steps: int, taken: int = 0) -> None:
        self.steps = steps
        self.taken = taken
        self.scheduler = DDIMScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            clip_sample=False,
            set_alpha_to_one=False,
            steps_offset=1,
        )
        self.scheduler.set_timesteps(steps)
        self.timesteps: list[int] = self.scheduler.timesteps.tolist()
        if taken:
            self.timesteps = [self.timesteps[int(k)] for k in np.linspace(0, steps, taken, endpoint=False)]

    def down(self, noise: Tensor, time: int, latent: Tensor) -> Tensor:
        """z_{t - 1000/T} from z_t; with `taken`, that of the next timestep (Song et al., 2021, Eq. 12, sigma 0)."""
        if self.taken:
            alphas = self.scheduler.alphas_cumprod
            following = [alphas[t] for t in self.timesteps[1:]] + [self.scheduler.final_alpha_cumprod]
            now, then = alphas[time], following[self.timesteps.index(time)]
            clean = (latent - torch.sqrt(1 - now) * noise) / torch.sqrt(now)
            return torch.sqrt(then) * clean + torch.sqrt(1 - then) * noise
        earlier: Tensor = self.scheduler.step(noise, time, latent, eta=0.0).prev_sample
        return earlier

    def up(self, noise: Tensor, time: int, latent: Tensor) -> Tensor:
        """z_t from z_{t - 1000/T} (Song et al., 2021, Eq. 13 read backwards)."""
        before = time - 1000 // self.steps
        alphas = self.scheduler.alphas_cumprod
        old = alphas[before] if before >= 0 else self.scheduler.final_alpha_cumprod
        new = alphas[time]
        return torch.sqrt(new / old) * latent + (torch.sqrt(1 - new) - torch.sqrt(new / old * (1 - old))) * noise
