"""Stage 1 on flow transformers: velocities, noise levels, Eqs. 1 to 3, factors and [I]'s row equal the formulas."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from diffusers.pipelines.flux2.pipeline_flux2_klein import compute_empirical_mu
from torch import Tensor, nn
from torch.nn.utils import parametrize
from transformers import Qwen3ForCausalLM

from s2edit.method.alignment import plan_prompts
from s2edit.method.diffusion import Denoiser
from s2edit.method.identity import Example, fine_tune
from s2edit.method.masks import MaskPyramid
from s2edit.method.prompts import Prompt
from s2edit.model.backbone import Encoding
from s2edit.model.flow import FlowCheckpoint
from s2edit.model.levels import memory_plan
from s2edit.model.low_rank import ranks_at
from s2edit.model.unet_memory import PeakMemory
from s2edit.settings import IdentitySettings
from tests.fakes.tiny import flow_loaded
from tests.parity.reference_attention import Branch
from tests.parity.reference_flow import reference_of

STEPS, RATE, RANK, SEED = 3, 2e-5, 5, 11
SIZE = (8, 8)
LENGTH = 512


def example(model: FlowCheckpoint) -> tuple[Example, Tensor]:
    plan = plan_prompts(model.tokenizer, "a photo of a lady, smiling", "a photo of a man, smiling", ["lady"])
    generator = torch.Generator().manual_seed(3)
    mean, std = torch.randn(1, 8, *SIZE, generator=generator), torch.rand(1, 8, *SIZE, generator=generator) * 0.1
    mask = torch.zeros(64, 64)
    mask[8:30, 20:50] = 1
    return Example(mean, std, plan.plain, plan.source, (MaskPyramid(mask),), (plan.source.positions("lady"),)), mask


class Update(nn.Module):
    """W + B A, the rank's lower part alone where `counted` says so."""

    def __init__(self, down: Tensor, rows: int) -> None:
        super().__init__()
        self.down, self.up = nn.Parameter(down.clone()), nn.Parameter(torch.zeros(rows, len(down)))
        self.counted = len(down)

    def forward(self, weight: Tensor) -> Tensor:
        return weight + self.up[:, : self.counted] @ self.down[: self.counted]


def updated(transformer: nn.Module) -> list[Update]:
    """The layers that learn: all of attention's in and out, each A with orthonormal rows."""
    generator, found = torch.Generator().manual_seed(SEED), []
    for name, layer in transformer.named_modules():
        if isinstance(layer, nn.Linear) and (".attn." in name or ("layers." in name[:7] and ".attention." in name)):
            random = torch.randn(layer.in_features, RANK, generator=generator)
            down = torch.linalg.qr(random).Q.T
            torch.testing.assert_close(down @ down.T, torch.eye(RANK), rtol=0, atol=1e-6)
            found.append(Update(down, layer.out_features))
            parametrize.register_parametrization(layer, "weight", found[-1])
    return found


def states(encoder: Any, prompt: Prompt | None, model: FlowCheckpoint, row: Tensor) -> Tensor:
    """1×L×D, of klein 512 and three layers; [I]'s embedding is `row`, the empty prompt is the template alone."""
    ids = list(prompt.ids) if prompt else [*model.tokenizer.before, *model.tokenizer.after]
    table = encoder.get_input_embeddings().weight.detach()
    pad = table[model.tokenizer.pad]
    own = [row if one >= model.tokenizer.vocabulary_size else table[one] for one in ids]
    if model.family != "klein":
        return encoder(inputs_embeds=torch.stack(own)[None], output_hidden_states=True).hidden_states[-2]  # type: ignore[no-any-return]
    embedded = torch.stack(own + [pad] * (LENGTH - len(ids)))[None]
    there = torch.tensor([[1] * len(ids) + [0] * (LENGTH - len(ids))])
    found = encoder(inputs_embeds=embedded, attention_mask=there, output_hidden_states=True).hidden_states
    return torch.cat([found[9], found[18], found[27]], dim=-1)


def literal(
    folder: Path, it: Example, mask: Tensor, settings: IdentitySettings
) -> tuple[list[float], Tensor, list[Update]]:
    model = flow_loaded(folder)
    encoder = Qwen3ForCausalLM.from_pretrained(folder / "text_encoder").requires_grad_(False).eval()
    reference = reference_of(model, 4, SIZE)
    updates = updated(model.transformer)
    row = model.rows.rows[0].clone().requires_grad_()
    parameters = [weight for update in updates for weight in update.parameters()] + [row]
    optimizer = torch.optim.AdamW(parameters, lr=50 * RATE, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)
    generator = torch.Generator().manual_seed(SEED)
    mu = compute_empirical_mu(16, 50) if model.family == "klein" else math.log(6.0)
    losses = []
    for _ in range(STEPS):
        draw = torch.randn(2, 1, 8, *SIZE, generator=generator)
        normal = torch.distributions.Normal(0.0, 1.0).icdf(torch.rand(1, generator=generator))
        sigma = float(torch.sigmoid(normal))
        sigma = math.exp(mu) * sigma / (1 + (math.exp(mu) - 1) * sigma)
        for update in updates:
            if settings.rank_by_noise:
                update.counted = int((1 - sigma) * (RANK - 3)) + 3
        tilde, plain = states(encoder, it.prompt, model, row), states(encoder, it.plain, model, row)
        clean = it.mean + it.std * draw[0]
        noisy = (1 - sigma) * clean + sigma * draw[1]
        branch = Branch(SIZE, {it.prompt.identity[0]: mask}, second_mask=settings.second_mask)
        velocity = reference.noise(noisy, sigma, Encoding(tilde), branch)
        loss = F.mse_loss(velocity, draw[1] - clean)
        if settings.null_weight:
            empty = reference.noise(noisy, sigma, Encoding(states(encoder, None, model, row)), Branch(SIZE))
            loss = loss + settings.null_weight * F.mse_loss(empty, draw[1] - clean)
        # The last own token is the one before the message ends.
        e_p = plain[0, it.plain.ids.index(2) - 1]
        e_i = tilde[0, it.prompt.identity[0]]
        loss = loss + 0.1 * ((e_p @ e_i) / (e_p.norm() * e_i.norm())).abs()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        losses.append(loss.item())
    return losses, row.detach(), updates


@pytest.mark.parametrize(
    "changes",
    [{}, {"second_mask": True, "rank_by_noise": True}, {"null_weight": 0.5}],
    ids=["as published", "T-LoRA and second mask", "empty prompt"],
)
def test_losses_and_what_is_learned(flow_folder: Path, changes: dict[str, Any]) -> None:
    model = flow_loaded(flow_folder)
    before = {name: weight.clone() for name, weight in model.transformer.named_parameters()}
    settings = IdentitySettings(steps=STEPS, learning_rate=RATE, level="lora", lora_rank=RANK, **changes)
    it, mask = example(model)
    found = fine_tune(model, Denoiser(model), [it], settings, SEED, lambda _: None)
    losses, row, updates = literal(flow_folder, it, mask, settings)
    assert found == pytest.approx(losses, abs=1e-5)
    torch.testing.assert_close(model.rows.rows[0], row, rtol=0, atol=1e-5)
    assert torch.equal(model.rows.rows[1], model.rows.rows[2])
    learned = list(model.factors.parameters())
    for update, down, up in zip(updates, learned[::2], learned[1::2], strict=True):
        torch.testing.assert_close(up @ down, (update.up @ update.down).detach(), rtol=0, atol=2e-5)
    assert max(float(up.abs().max()) for up in learned[1::2]) > 1e-4
    for name, weight in model.transformer.named_parameters():
        assert torch.equal(weight, before[name]), name


def test_rank_falls_with_the_noise() -> None:
    found = ranks_at(torch.tensor([0.0, 0.5, 0.99, 1.0]), 8, 4)
    assert found.sum(dim=1).tolist() == [8, 6, 4, 4]
    assert (found[:, :4] == 1).all()


def test_times_are_logit_normal_and_shifted(tiny_klein_folder: Path) -> None:
    """Places in equal distances come back as quantiles: half of all times lie below the shift's own."""
    process = flow_loaded(tiny_klein_folder).process
    found = process.spread(torch.tensor([0.0, 0.158655, 0.5, 0.841345, 1.0]), (64, 64))
    mu = compute_empirical_mu(1024, 50)
    wanted = torch.sigmoid(torch.tensor([mu - 1, mu, mu + 1]))
    torch.testing.assert_close(found[1:4], wanted, rtol=0, atol=1e-5)
    assert 0 < found[0] < found[1]
    assert found[3] < found[4] < 1


def test_memory_is_counted_rightly(flow_folder: Path) -> None:
    """The plan against the tensors of a real step, never too little and at most a third too much."""
    model = flow_loaded(flow_folder)
    settings = IdentitySettings(steps=2, learning_rate=RATE, level="lora", lora_rank=8)
    it, _ = example(model)
    if not model.filled_up:
        model.tokenizer.length = len(it.prompt.ids)  # counted is the longest prompt, and this one isn't
    plan = memory_plan(model, (64, 64), "lora", rank=8)
    fine_tune(model, Denoiser(model), [it], settings, SEED, lambda _: None)
    denoiser = Denoiser(model)
    memory = PeakMemory()
    with memory:
        fine_tune(model, denoiser, [it], settings, SEED, lambda _: None)
    assert memory.peak <= plan.gradients + plan.optimizer + plan.activations <= 1.34 * memory.peak + 8 * _factors(model)


def _factors(model: FlowCheckpoint) -> int:
    return sum(weight.nbytes for weight in model.factors.parameters())
