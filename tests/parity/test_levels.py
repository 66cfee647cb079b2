"""The levels of stage 1: what each trains, and that its memory is counted rightly."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args, get_type_hints

import pytest
import torch
from s2edit_server.weights.catalogue import CatalogueEntry
from torch.utils.flop_counter import FlopCounterMode

from s2edit.errors import OutOfMemory, SettingError
from s2edit.method.chat import TOKENS
from s2edit.method.diffusion import Denoiser
from s2edit.method.identity import fine_tune
from s2edit.model import levels
from s2edit.model.backbone import Encoding
from s2edit.model.checkpoints import Checkpoint
from s2edit.model.families import CONFIGS, FAMILIES, Family
from s2edit.model.flow import FlowCheckpoint
from s2edit.model.instructed import kinds
from s2edit.model.levels import changed_weights, choose_level, memory_plan
from s2edit.model.memory_counts import counts, published, table
from s2edit.model.unet_memory import PeakMemory, unet_inputs
from s2edit.model.weights import BaseWeights
from s2edit.settings import IdentitySettings, Level
from tests.fakes.tiny import loaded
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


def test_checkpointing_is_the_same_computation(folder: Path, checkpoint: Checkpoint, denoiser: Denoiser) -> None:
    moved = changed(checkpoint, denoiser, "checkpointing")
    other = loaded(folder)
    wanted = changed(other, Denoiser(other), "full")
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
    # Where a gradient is rounding noise, as over a single key, the update is lost in the rounding of the weight's sum.
    updates = [delta for name, delta in moved.items() if name.startswith("unet.") and delta.abs().max() > RATE]
    assert len(updates) > len(moved) // 2
    for delta in updates:
        assert torch.linalg.matrix_rank(delta, rtol=1e-3) <= 2
    assert any("embed" in name for name in moved)


def test_missing_package_is_named(checkpoint: Checkpoint, denoiser: Denoiser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bitsandbytes.optim", None)
    with pytest.raises(SettingError, match="bitsandbytes"):
        changed(checkpoint, denoiser, "adam8bit")


def test_eight_bit_states_are_the_packages(
    checkpoint: Checkpoint, denoiser: Denoiser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The optimiser of bitsandbytes gets all weights and the paper's constants."""
    asked: dict[str, object] = {}

    class Recorder(torch.optim.AdamW):
        def __init__(self, parameters: list[torch.nn.Parameter], **options: Any) -> None:
            asked.update(options, parameters=len(parameters))
            super().__init__(parameters, **options)

    monkeypatch.setitem(sys.modules, "bitsandbytes.optim", SimpleNamespace(AdamW8bit=Recorder))
    moved = changed(checkpoint, denoiser, "adam8bit")
    everything = sum(len(list(module.parameters())) for module in checkpoint.trainable().values())
    constants = {"lr": RATE, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 1e-2}
    assert asked == {**constants, "parameters": everything}
    assert len(moved) > 0.9 * everything


def test_the_real_eight_bit_optimiser(
    folder: Path, checkpoint: Checkpoint, denoiser: Denoiser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stage 1 with bitsandbytes itself: large weights' states are bytes, and the weights go where AdamW's go."""
    if find_spec("bitsandbytes") is None:
        with pytest.raises(SettingError, match="bitsandbytes"):
            changed(checkpoint, denoiser, "adam8bit")
        return
    made: list[torch.optim.Optimizer] = []
    make = levels._optimizer

    def watched(parameters: list[torch.nn.Parameter], rate: float, level: Level) -> torch.optim.Optimizer:
        made.append(make(parameters, rate, level))
        return made[-1]

    monkeypatch.setattr(levels, "_optimizer", watched)
    moved = changed(checkpoint, denoiser, "adam8bit")
    assert type(made[0]).__module__.startswith("bitsandbytes")
    states = {weight.numel(): made[0].state[weight] for weight in made[0].param_groups[0]["params"]}
    # bitsandbytes leaves small weights' states as they are: they would save nothing.
    assert {state["state1"].dtype for size, state in states.items() if size >= 4096} == {torch.uint8}
    assert {state["state2"].dtype for size, state in states.items() if size < 4096} == {torch.float32}
    other = loaded(folder)
    wanted = changed(other, Denoiser(other), "full")
    assert moved.keys() == wanted.keys()
    agree = torch.cat([((moved[n] - wanted[n]).abs() < 0.3 * RATE).flatten() for n in wanted]).float().mean()
    assert agree > 0.98


@pytest.mark.parametrize(
    "level", ["full", "checkpointing", "kv", "lora", *(["adam8bit"] if find_spec("bitsandbytes") else [])]
)
def test_memory_is_counted_as_it_is_taken(checkpoint: Checkpoint, denoiser: Denoiser, level: Level) -> None:
    """What the plan counts on shapes alone, a real step takes, by the sizes of the tensors that live at one time."""
    plan = memory_plan(checkpoint, (64, 64), level, rank=2)
    it, _ = example(checkpoint)
    settings = IdentitySettings(steps=2, learning_rate=RATE, level=level, lora_rank=2)
    with PeakMemory() as memory:
        fine_tune(checkpoint, denoiser, [it], settings, 11, lambda _: None)
    counted = plan.total - plan.weights
    # Never too little; somewhat too much, because gradients grow while activations are given back.
    assert memory.peak <= counted <= 1.2 * memory.peak


def test_checkpointing_counts_the_block_that_is_computed_again(checkpoint: Checkpoint) -> None:
    """At its peak it holds a whole block's activations, but not all blocks'."""
    whole, one = (memory_plan(checkpoint, (64, 64), level).activations for level in ("full", "checkpointing"))
    assert whole / 20 < one < whole


def test_choice_of_level(checkpoint: Checkpoint) -> None:
    plans = [memory_plan(checkpoint, (64, 128), level) for level in ("full", "checkpointing", "kv", "lora")]
    assert plans[0].total > plans[1].total
    assert plans[0].total > plans[2].total
    assert choose_level(checkpoint, (64, 128), plans[0].total).level == "full"
    assert choose_level(checkpoint, (64, 128), plans[0].total - 1).level == "checkpointing"
    with pytest.raises(OutOfMemory, match="GiB") as caught:
        choose_level(checkpoint, (64, 128), 1000)
    assert caught.value.needed == plans[3].total


@pytest.mark.parametrize("level", ["full", "kv", "lora"])
def test_published_weights_come_back(checkpoint: Checkpoint, denoiser: Denoiser, level: Level) -> None:
    """From a copy of what the level changes, and of no more."""
    base = BaseWeights(checkpoint.trainable())
    base.keep(changed_weights(checkpoint, level))
    published = {name: weight.clone() for name, weight in base.named()}
    it, _ = example(checkpoint)
    settings = IdentitySettings(steps=2, learning_rate=RATE, level=level, lora_rank=2)
    fine_tune(checkpoint, denoiser, [it], settings, 11, lambda _: None)
    learned = {name: weight.clone() for name, weight in base.named()}
    deltas = base.take_deltas()
    assert deltas.keys() == {name for name, weight in learned.items() if not torch.equal(weight, published[name])}
    rounded = {name: weight.clone() for name, weight in base.named()}
    base.restore()
    assert all(torch.equal(weight, published[name]) for name, weight in base.named())
    other = BaseWeights(checkpoint.trainable())
    other.apply(deltas)
    assert all(torch.equal(weight, rounded[name]) for name, weight in base.named())
    other.apply(deltas, 0.25)
    for name, weight in base.named():
        delta = deltas[name].float() if name in deltas else torch.zeros(())
        assert torch.allclose(weight, published[name] + delta / 4, rtol=0, atol=1e-8), name
    other.apply({})
    assert all(torch.equal(weight, published[name]) for name, weight in base.named())
    with pytest.raises(KeyError):
        other.apply({"unet.no_such.weight": torch.zeros(1)})


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.key)
def test_the_published_figures_are_what_is_counted(family: Family) -> None:
    """`python -m s2edit.model.memory_counts > s2edit/model/memory.json`, and the table in README.md."""
    found = counts(family)
    assert {level: parts["total"] for level, parts in found.items()} == family.memory
    printed = table({family.key: found}).splitlines()
    readme = (CONFIGS.parents[1] / "README.md").read_text(encoding="utf-8")
    assert set(printed) <= set(readme.splitlines())


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.key)
def test_a_forward_pass_has_as_many_operations_as_forecasts_go_by(family: Family) -> None:
    checkpoint, native = published(family), family.native
    with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
        if isinstance(checkpoint, FlowCheckpoint):
            words = checkpoint.chosen([torch.empty(1, TOKENS, checkpoint.text_encoder.config.hidden_size)] * 30)
            latents = torch.empty(1, checkpoint.channels, native // 8, native // 8)
            checkpoint.predict(latents, torch.empty(1), Encoding(words))
        else:
            assert isinstance(checkpoint, Checkpoint)
            checkpoint.unet(**unet_inputs(checkpoint.unet, 77, (native, native), 1))
    assert counter.get_total_flops() == pytest.approx(family.operations, rel=0.01)


def test_the_catalogue_knows_the_families() -> None:
    """Catalogue entries spell them out, since reading the catalogue doesn't need the engine's package."""
    assert get_args(get_type_hints(CatalogueEntry)["family"]) == tuple(kinds())
