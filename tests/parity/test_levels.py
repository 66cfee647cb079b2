"""The levels of stage 1: what each trains, and that its memory is counted rightly."""

from __future__ import annotations

import sys

import pytest
import torch

from s2edit.checkpoints import Checkpoint, load
from s2edit.diffusion import Denoiser
from s2edit.errors import OutOfMemory, SettingError
from s2edit.identity import fine_tune
from s2edit.levels import choose_level, memory_plan
from s2edit.settings import IdentitySettings, Level
from tests.parity.test_identity import RATE, example


def changed(checkpoint: Checkpoint, denoiser: Denoiser, level: Level) -> dict[str, torch.Tensor]:
    """By name, how far each weight moved in two steps."""
    named = {f"{m}.{n}": w for m, module in checkpoint.trainable().items() for n, w in module.named_parameters()}
    before = {name: weight.clone() for name, weight in named.items()}
    it, _ = example(checkpoint)
    settings = IdentitySettings(steps=2, learning_rate=RATE, level=level, lora_rank=2)
    fine_tune(checkpoint, denoiser, [it], settings, 11, lambda _: None)
    after = {f"{m}.{n}": w for m, module in checkpoint.trainable().items() for n, w in module.named_parameters()}
    assert after.keys() == before.keys()
    assert not any(weight.requires_grad for weight in after.values())
    return {name: weight - before[name] for name, weight in after.items() if not torch.equal(weight, before[name])}


def test_checkpointing_is_the_same_computation(tiny_folder: object, checkpoint: Checkpoint, denoiser: Denoiser) -> None:
    from s2edit.attention import install

    moved = changed(checkpoint, denoiser, "checkpointing")
    other = load(tiny_folder)  # type: ignore[arg-type]
    wanted = changed(other, Denoiser(other.unet, install(other.unet)), "full")
    assert moved.keys() == wanted.keys()
    agree = torch.cat([((moved[n] - wanted[n]).abs() < 0.2 * RATE).flatten() for n in wanted]).float().mean()
    assert agree > 0.98


def test_kv_trains_keys_values_and_text(checkpoint: Checkpoint, denoiser: Denoiser) -> None:
    moved = changed(checkpoint, denoiser, "kv")
    in_unet = [name for name in moved if name.startswith("unet.")]
    assert in_unet
    assert all(".attn2.to_k" in name or ".attn2.to_v" in name for name in in_unet)
    assert any(name.startswith("text_encoder.") for name in moved)


def test_lora_adds_low_rank_updates(checkpoint: Checkpoint, denoiser: Denoiser) -> None:
    moved = changed(checkpoint, denoiser, "lora")
    updates = [delta for name, delta in moved.items() if name.startswith("unet.")]
    assert updates
    for delta in updates:
        assert torch.linalg.matrix_rank(delta, rtol=1e-3) <= 2
    assert any("embed" in name for name in moved)


def test_missing_package_is_named(checkpoint: Checkpoint, denoiser: Denoiser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bitsandbytes.optim", None)
    with pytest.raises(SettingError, match="bitsandbytes"):
        changed(checkpoint, denoiser, "adam8bit")


def test_activations_are_counted_as_they_are(checkpoint: Checkpoint) -> None:
    """The count that runs on shapes alone equals the count over a real forward pass."""
    parameters = {weight.untyped_storage().data_ptr() for weight in checkpoint.unet.parameters()}
    for weight in checkpoint.unet.parameters():
        weight.requires_grad_(True)
    checkpoint.unet.set_default_attn_processor()
    kept: dict[int, int] = {}
    alive = []

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in parameters:
            kept[storage.data_ptr()] = storage.nbytes()
            alive.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        checkpoint.unet(torch.randn(1, 4, 8, 8), torch.tensor([3]), encoder_hidden_states=torch.randn(1, 77, 32))
    plan = memory_plan(checkpoint, (64, 64), "full")
    assert plan.activations == pytest.approx(sum(kept.values()), rel=0.1)
    trained = sum(w.numel() for m in checkpoint.trainable().values() for w in m.parameters())
    assert (plan.gradients, plan.optimizer) == (4 * trained, 8 * trained)


def test_choice_of_level(checkpoint: Checkpoint) -> None:
    plans = [memory_plan(checkpoint, (64, 128), level) for level in ("full", "checkpointing", "kv", "lora")]
    assert plans[0].total > plans[1].total
    assert plans[0].total > plans[2].total
    assert choose_level(checkpoint, (64, 128), plans[0].total).level == "full"
    assert choose_level(checkpoint, (64, 128), plans[0].total - 1).level == "checkpointing"
    with pytest.raises(OutOfMemory, match="GiB") as caught:
        choose_level(checkpoint, (64, 128), 1000)
    assert caught.value.needed == plans[3].total
