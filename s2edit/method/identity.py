"""Stage 1, identity fine-tuning with semantic and spatial control (the paper's sections 3.1 and 3.2, Eqs. 1 to 3)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import SettingError
from ..model.backbone import Backbone, Encoding
from ..model.device import loss_scaler
from ..model.levels import training
from ..settings import IdentitySettings
from .attention import TokenMask
from .diffusion import Denoiser
from .masks import MaskPyramid
from .prompts import Prompt

_OVERFLOWS = 10
"""Steps in a row that float16 may skip while its loss scale settles; elsewhere a loss that is no number stays none."""


@dataclass(frozen=True, eq=False)
class Example:
    """A picture with its prompts and masks.

    Args:
        mean, std: of the latent's posterior, scaled, 1×4×h×w.
        plain: P. prompt: P~. masks: M of each identity token of `prompt`, in order.
        words: positions in `prompt` of each object's own word, in the same order.
    """

    mean: Tensor
    std: Tensor
    plain: Prompt
    prompt: Prompt
    masks: tuple[MaskPyramid, ...]
    words: tuple[tuple[int, ...], ...]


def token_masks(
    rows: tuple[int, ...],
    prompt: Prompt,
    words: Sequence[tuple[int, ...]],
    masks: Sequence[MaskPyramid],
    settings: IdentitySettings,
) -> list[TokenMask]:
    """Eq. 3 for all identity tokens of a prompt in some rows; empty when spatial control is off."""
    if not settings.spatial:
        return []
    return [
        TokenMask(rows, (position, *(word if settings.mask_noun else ())), mask)
        for position, word, mask in zip(prompt.identity, words, masks, strict=True)
    ]


def encode_prompt(checkpoint: Backbone, prompt: Prompt, plain: Prompt, settings: IdentitySettings) -> Encoding:
    """What the denoiser is conditioned on, one row, for a prompt with identity tokens.

    With `clean_padding`, the end and padding states come from the prompt without them.
    """
    if not settings.clean_padding or not prompt.identity:
        return checkpoint.encode([prompt]).encoding
    both = checkpoint.encode([prompt, plain]).encoding
    return _with_clean_padding(both[:1], both[1:], prompt, plain)


def semantic_loss(states: Tensor, plain_states: Tensor, prompt: Prompt, plain: Prompt, *, detach: bool) -> Tensor:
    """Eq. 1, |cos(e_P, e_[I])|, averaged over the identity tokens.

    Args:
        states, plain_states: L×D, last states of P~ and of P by one text encoder (`Encoded.spaces`). e_P is the first
            end token's state of P (`Prompt.sentence`): CLIP has no [CLS], and its start token's state is the same for
            every prompt.
    """
    sentence = plain_states[plain.sentence]
    if detach:
        sentence = sentence.detach()
    return F.cosine_similarity(states[list(prompt.identity)], sentence[None], dim=-1).abs().mean()


def fine_tune(
    checkpoint: Backbone,
    denoiser: Denoiser,
    examples: Sequence[Example],
    settings: IdentitySettings,
    seed: int,
    on_step: Callable[[int], None],
) -> list[float]:
    """Train the networks in place on the examples, all of them in every step (Eq. 2).

    Args:
        seed: of the timesteps and noise. on_step: called before each step with its number; may raise to stop.
    Returns:
        The loss of every step.
    Raises:
        SettingError: the loss grew beyond all numbers; the networks are of no use then.
    """
    device = checkpoint.device
    denoiser.control.obey(settings)
    masks = [
        mask
        for row, example in enumerate(examples)
        for mask in token_masks((row,), example.prompt, example.words, example.masks, settings)
    ]
    generator = torch.Generator().manual_seed(seed)
    mean, std = torch.cat([e.mean for e in examples]), torch.cat([e.std for e in examples])
    losses: list[float] = []
    scaler = loss_scaler(denoiser.autocast, device)
    patience = min(_OVERFLOWS, settings.steps) if scaler.is_enabled() else 1
    stratified = settings.timesteps == "stratified"
    process, size = checkpoint.process, (mean.shape[-2], mean.shape[-1])
    schedule = process.spread(_stratified(settings.steps, len(examples), generator), size) if stratified else None
    with training(checkpoint, settings, seed) as (parameters, optimizer):
        for step in range(settings.steps):
            on_step(step)
            draw = torch.randn(2, *mean.shape, generator=generator).to(device)
            times = process.drawn(len(examples), size, generator) if schedule is None else schedule[step]
            loss = _loss(checkpoint, denoiser, examples, mean + std * draw[0], draw[1], times, masks, settings)
            scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
            scaler.unscale_(optimizer)
            torch.nn.utils.clip_grad_norm_(parameters, settings.max_grad_norm)
            scaler.step(optimizer)
            scaler.update()
            optimizer.zero_grad()
            losses.append(float(loss.detach()))
            if len(losses) >= patience and not any(map(math.isfinite, losses[-patience:])):
                raise SettingError(
                    f"Learning the picture failed at step {step + 1}: its numbers grew beyond all bounds.",
                    hint="Lower the setting “identity.learning_rate”, or leave it as the model recommends.",
                )
    return losses


def _stratified(steps: int, rows: int, generator: torch.Generator) -> Tensor:
    """Places, steps×rows, 0 to 1: in each column one from each of `steps` equal parts, in random order."""
    order = torch.stack([torch.randperm(steps, generator=generator) for _ in range(rows)], dim=1)
    return (order + torch.rand(steps, rows, generator=generator)) / steps


def _loss(
    checkpoint: Backbone,
    denoiser: Denoiser,
    examples: Sequence[Example],
    latents: Tensor,
    noise: Tensor,
    times: Tensor,
    masks: Sequence[TokenMask],
    settings: IdentitySettings,
) -> Tensor:
    """Eq. 2 on one draw: latents, noise B×C×h×w, times B."""
    device, count = latents.device, len(examples)
    prompts: list[Prompt | None] = [*(example.prompt for example in examples), *(example.plain for example in examples)]
    unconditional = settings.rows > 1
    if unconditional:
        prompts.append(None)
    encoded = checkpoint.encode(prompts)
    rows_of = encoded.encoding
    encodings = rows_of[:count]
    if settings.clean_padding:
        encodings = Encoding.cat(
            [
                _with_clean_padding(rows_of[k : k + 1], rows_of[count + k : count + k + 1], e.prompt, e.plain)
                for k, e in enumerate(examples)
            ]
        )
    noisy, goal = checkpoint.process.noisy(latents, noise, times), checkpoint.process.goal(latents, noise)
    # The masks name rows of the first part alone: the empty prompt has no [I].
    rows = 2 if unconditional else 1
    if unconditional:
        encodings = Encoding.cat([encodings, rows_of[-1:].repeated(count)])
    found = denoiser(noisy.repeat(rows, 1, 1, 1), times.to(device).repeat(rows), encodings, masks=masks).chunk(rows)
    loss = F.mse_loss(found[0], goal)
    if unconditional:
        loss = loss + settings.null_weight * F.mse_loss(found[1], goal)
    if settings.semantic and settings.semantic_weight:
        semantic = [
            semantic_loss(states[k], states[count + k], e.prompt, e.plain, detach=settings.detach_prompt)
            for states in encoded.spaces
            for k, e in enumerate(examples)
        ]
        loss = loss + settings.semantic_weight * torch.stack(semantic).mean()
    return loss


def _with_clean_padding(own: Encoding, clean: Encoding, prompt: Prompt, plain: Prompt) -> Encoding:
    states, plain_states = own.states, clean.states
    length = states.shape[1] - prompt.end
    # A pooled state is the end token's, which [I] is in as well.
    return clean.with_states(
        torch.cat([states[:, : prompt.end], plain_states[:, plain.end : plain.end + length]], dim=1), own.lengths
    )
