"""Stage 1: losses, gradients' effect and masks equal Eqs. 1 to 3 written out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from s2edit.method.alignment import plan_prompts
from s2edit.method.diffusion import Denoiser
from s2edit.method.identity import Example, fine_tune, semantic_loss
from s2edit.method.masks import MaskPyramid
from s2edit.method.prompts import PromptTokenizer
from s2edit.model.backbone import Encoding
from s2edit.model.checkpoints import CONFIGS, Checkpoint
from s2edit.settings import IdentitySettings
from tests.fakes.tiny import loaded
from tests.parity.reference_attention import Branch
from tests.parity.reference_diffusion import Reference
from tests.parity.reference_text import literal

STEPS = 3
RATE = 1e-3


def example(checkpoint: Checkpoint) -> tuple[Example, torch.Tensor]:
    plan = plan_prompts(checkpoint.tokenizer, "a photo of a lady", "a photo of a man", ["lady"])
    generator = torch.Generator().manual_seed(3)
    mean, std = torch.randn(1, 4, 8, 8, generator=generator), torch.rand(1, 4, 8, 8, generator=generator) * 0.1
    mask = torch.zeros(64, 64)
    mask[8:30, 20:50] = 1
    words = (plan.source.positions("lady"),)
    return Example(mean, std, plan.plain, plan.source, (MaskPyramid(mask),), words), mask


def literal_losses(checkpoint: Checkpoint, it: Example, mask: torch.Tensor, settings: IdentitySettings) -> list[float]:
    """The training loop as the paper states it, with torch's plain AdamW."""
    reference = Reference(checkpoint.unet, 50)
    parameters = [p for m in checkpoint.trainable().values() for p in m.parameters()]
    for parameter in parameters:
        parameter.requires_grad_(True)
    optimizer = torch.optim.AdamW(parameters, lr=RATE, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01, foreach=False)
    generator = torch.Generator().manual_seed(11)
    alphas = reference.scheduler.alphas_cumprod
    losses = []
    for _ in range(STEPS):
        draw = torch.randn(2, 1, 4, 8, 8, generator=generator)
        time = int(torch.randint(1000, (1,), generator=generator))
        (own, own_spaces), (bare, bare_spaces) = literal(checkpoint, it.prompt), literal(checkpoint, it.plain)
        tilde, plain = own.states, bare.states
        latent = it.mean + it.std * draw[0]
        noisy = alphas[time] ** 0.5 * latent + (1 - alphas[time]) ** 0.5 * draw[1]
        first_end = it.plain.ids.index(49407)
        seen, pooled = tilde, own.pooled
        if settings.clean_padding:
            # Position by position: what follows the words looks as if [I] had never been there.
            after = range(it.prompt.ids.index(49407), 77)
            clean = [plain[:, first_end + k] for k in range(len(after))]
            seen = torch.stack([*(tilde[:, k] for k in range(after.start)), *clean], dim=1)
            pooled = bare.pooled
        masks = {it.prompt.identity[0]: mask} if settings.spatial else {}
        if settings.mask_noun:
            masks |= dict.fromkeys(it.words[0], mask)
        renormalise = settings.mask_semantics == "renormalise"
        predicted = reference.noise(noisy, time, Encoding(seen, pooled), Branch((8, 8), masks, renormalise=renormalise))
        loss = F.mse_loss(predicted, draw[1])
        for tilde_space, plain_space in zip(own_spaces, bare_spaces, strict=True):
            e_p, e_i = plain_space[first_end], tilde_space[it.prompt.identity[0]]
            if settings.detach_prompt:
                e_p = e_p.detach()
            cosine = (e_p @ e_i) / (e_p.norm() * e_i.norm())
            loss = loss + (0.1 * cosine.abs() / len(own_spaces) if settings.semantic else 0)
        if settings.null_weight:
            empty = literal(checkpoint, None)[0]
            unconditional = reference.noise(noisy, time, empty, Branch((8, 8), {}))
            loss = loss + settings.null_weight * F.mse_loss(unconditional, draw[1])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize(
    "settings",
    [
        IdentitySettings(steps=STEPS, learning_rate=RATE),
        IdentitySettings(steps=STEPS, learning_rate=RATE, detach_prompt=True),
        IdentitySettings(steps=STEPS, learning_rate=RATE, semantic=False, spatial=False),
        IdentitySettings(steps=STEPS, learning_rate=RATE, clean_padding=True, mask_noun=True),
        IdentitySettings(steps=STEPS, learning_rate=RATE, mask_semantics="renormalise"),
        IdentitySettings(steps=STEPS, learning_rate=RATE, null_weight=0.5),
    ],
    ids=["full", "detached", "plain", "clean padding and masked noun", "renormalised", "empty prompt taught"],
)
def test_losses_and_weights(
    folder: Path, checkpoint: Checkpoint, denoiser: Denoiser, settings: IdentitySettings
) -> None:
    it, mask = example(checkpoint)
    losses = fine_tune(checkpoint, denoiser, [it], settings, 11, lambda _: None)
    other = loaded(folder)
    assert isinstance(other, Checkpoint)
    wanted = literal_losses(other, it, mask, settings)
    torch.testing.assert_close(torch.tensor(losses), torch.tensor(wanted), rtol=0, atol=1e-5)
    for name, module in checkpoint.trainable().items():
        for (key, found), right in zip(module.named_parameters(), other.trainable()[name].parameters(), strict=True):
            # Adam divides by the gradient's size, so a weight with a gradient of rounding noise may move either way.
            agree = ((found - right).abs() < 0.2 * RATE).float().mean()
            assert agree > 0.9, key


def test_gradients_are_off_and_weights_changed_afterwards(checkpoint: Checkpoint, denoiser: Denoiser) -> None:
    it, _ = example(checkpoint)
    before = {name: weight.clone() for name, weight in checkpoint.text_encoder.named_parameters()}
    fine_tune(checkpoint, denoiser, [it], IdentitySettings(steps=1, learning_rate=RATE), 0, lambda _: None)
    assert not any(weight.requires_grad for weight in checkpoint.unet.parameters())
    changed = [
        name for name, weight in checkpoint.text_encoder.named_parameters() if not torch.equal(weight, before[name])
    ]
    assert len(changed) == len(before)


def test_semantic_loss_by_hand() -> None:
    """|cos| of the first end token's state of P with each [I]: neither sign is free, and no other token counts."""
    tokenizer = PromptTokenizer.from_folder(CONFIGS / "sd1")
    plain = tokenizer.encode("a lady")
    prompt = tokenizer.with_identity(plain, [2])
    states, plain_states = torch.zeros(77, 2), torch.zeros(77, 2)
    plain_states[3] = torch.tensor([2.0, 0.0])
    states[2] = torch.tensor([-3.0, 4.0])
    loss = semantic_loss(states, plain_states, prompt, plain, detach=False)
    assert float(loss) == pytest.approx(0.6)


class _Listener(Denoiser):
    """Remembers at which timesteps it was asked."""

    def __init__(self, denoiser: Denoiser) -> None:
        super().__init__(denoiser.model)
        self.seen: list[torch.Tensor] = []

    def __call__(self, latents: torch.Tensor, timestep: torch.Tensor, *more: Any, **options: Any) -> torch.Tensor:  # type: ignore[override]
        self.seen.append(timestep)
        return super().__call__(latents, timestep, *more, **options)


@pytest.mark.parametrize("steps", [4, 8])
def test_stratified_timesteps_miss_no_part(checkpoint: Checkpoint, denoiser: Denoiser, steps: int) -> None:
    """Each of as many equal parts of the 1,000 gives one timestep, in another order for every picture and seed."""
    it, _ = example(checkpoint)
    listener = _Listener(denoiser)
    settings = IdentitySettings(steps=steps, learning_rate=RATE, timesteps="stratified")
    for seed in (0, 1):
        fine_tune(checkpoint, listener, [it, it], settings, seed, lambda _: None)
    columns = torch.stack(listener.seen).view(2, steps, 2).permute(0, 2, 1).flatten(0, 1)
    for column in columns:
        assert (column * steps // 1000).sort().values.tolist() == list(range(steps))
    assert len({tuple(column.tolist()) for column in columns}) == 4
