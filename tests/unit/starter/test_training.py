"""Training stages on a handful of portraits: the interrupted go on to the bit, the exported opens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from s2edit.research.starter.attributes import sample_attributes
from s2edit.research.starter.portraits import PORTRAITS
from s2edit.research.starter.renderer import sample_portrait
from s2edit.research.training import dataset, latents, train_unet, train_vae
from s2edit.research.training.export import export
from s2edit.research.training.models import new_vae
from s2edit.research.training.tokenizer import RARE

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A training folder with one shard of four portraits and their made-up latents."""
    monkeypatch.setattr(train_vae, "_BATCH", 2)
    for module in (dataset, train_unet):
        monkeypatch.setattr(module, "SHARD", 4)
    dataset.shard_path(tmp_path, 0).parent.mkdir(parents=True)
    np.save(dataset.shard_path(tmp_path, 0), np.stack([sample_portrait(seed)[0] for seed in range(4)]))
    (tmp_path / "latents").mkdir()
    noise = np.random.default_rng(0).standard_normal((4, 4, 16, 16))
    np.save(tmp_path / "latents" / "0000.npy", noise.astype(np.float16))
    return tmp_path


def _same(one: Path, other: Path) -> bool:
    left, right = load_file(one), load_file(other)
    return left.keys() == right.keys() and all(torch.equal(left[key], right[key]) for key in left)


def _untrained_vae(folder: Path) -> None:
    torch.manual_seed(0)
    save_file({f"vae:{key}": value for key, value in new_vae().state_dict().items()}, folder / "vae.safetensors")
    latents.freeze(folder, 1)


def _encoder(path: Path) -> dict[str, torch.Tensor]:
    parts = ("encoder.", "quant_conv.")
    state = {key.removeprefix("vae:"): value for key, value in load_file(path).items()}
    return {key: value for key, value in state.items() if key.startswith(parts)}


def test_decoder_stage_leaves_the_latents_alone_and_refine_does_not(tiny: Path) -> None:
    _untrained_vae(tiny)
    frozen = _encoder(tiny / "frozen.safetensors")
    for with_encoder in (False, True):
        train_vae.train_on(tiny, shards=1, steps=1, seconds=60, seed=5, with_encoder=with_encoder)
    decoder, refined = _encoder(tiny / "decoder.safetensors"), _encoder(tiny / "refine.safetensors")
    assert all(torch.equal(frozen[key], decoder[key]) for key in frozen)
    assert not all(torch.equal(frozen[key], refined[key]) for key in frozen)

    (tiny / "latents" / "0000.npy").unlink()
    latents.cache(tiny, 1)
    before = latents.open_latents(tiny, 1)[0]
    latents.adopt_refined(tiny, 1)
    assert not (tiny / "decoder.safetensors").exists(), "it belonged to the old latents"
    latents.cache(tiny, 1)
    assert not np.array_equal(before, latents.open_latents(tiny, 1)[0])


def test_vae_resumes_to_the_bit(tiny: Path) -> None:
    train_vae.train_vae(tiny, shards=1, steps=2, seconds=60, seed=5)
    straight = (tiny / "vae.safetensors").rename(tiny / "straight.safetensors")
    facts = train_vae.train_vae(tiny, shards=1, steps=2, seconds=0, seed=5)
    assert facts["step"] == 1, "seconds=0 must stop after one step"
    assert train_vae.train_vae(tiny, shards=1, steps=2, seconds=60, seed=5)["step"] == 2
    assert _same(straight, tiny / "vae.safetensors")


def test_unet_resumes_to_the_bit_and_exports(tiny: Path) -> None:
    def train(seconds: float) -> int:
        return int(train_unet.train_unet(tiny, PORTRAITS, shards=1, steps=2, seconds=seconds, seed=5, batch=2)["step"])

    assert train(60) == 2
    straight = (tiny / "unet.safetensors").rename(tiny / "straight.safetensors")
    assert train(0) == 1
    assert train(60) == 2
    assert _same(straight, tiny / "unet.safetensors")

    _untrained_vae(tiny)
    # An earlier export that was killed between its two renames, and half of another one.
    for name, file in (
        ("out.old", "README.md"),
        ("out.old/upscaler", "model.safetensors"),
        ("out.part", "half.safetensors"),
    ):
        (tiny / name).mkdir()
        (tiny / name / file).write_text("by hand")
    export(tiny, tiny / "out")
    for kept in ("README.md", "upscaler/model.safetensors"):
        assert (tiny / "out" / kept).read_text() == "by hand"
        (tiny / "out" / kept).unlink()
    assert not [path for path in tiny.glob("out*") if path.name != "out"]
    assert not (tiny / "out" / "half.safetensors").exists()
    from diffusers import StableDiffusionPipeline

    pipeline = StableDiffusionPipeline.from_pretrained(tiny / "out", local_files_only=True)
    assert pipeline.unet.config.cross_attention_dim == 128
    assert pipeline.tokenizer("a sks man").input_ids[2] != pipeline.tokenizer.unk_token_id
    assert sum(file.stat().st_size for file in (tiny / "out").rglob("*.safetensors")) < 40e6


def test_whitening_changes_latents_and_not_pictures(tiny: Path) -> None:
    torch.manual_seed(1)
    vae = new_vae()
    pictures = np.stack([sample_portrait(seed)[0] for seed in range(4)])
    before = latents.encode(vae, pictures)
    with torch.no_grad():
        decoded = vae.decode(before).sample
        latents.whiten(vae, before)
        after = latents.encode(vae, pictures)
        again = vae.decode(after).sample
    flat = after.transpose(0, 1).flatten(1)
    torch.testing.assert_close(torch.cov(flat), torch.eye(4), atol=2e-2, rtol=0)
    torch.testing.assert_close(flat.mean(1), torch.zeros(4), atol=2e-2, rtol=0)
    torch.testing.assert_close(again, decoded, atol=1e-3, rtol=0)


def test_white_latents_are_turned_towards_those_that_are_known(tiny: Path) -> None:
    torch.manual_seed(2)
    vae = new_vae()
    pictures = np.stack([sample_portrait(seed)[0] for seed in range(4)])
    latents.whiten(vae, latents.encode(vae, pictures))
    known = latents.encode(vae, pictures)
    turn = torch.linalg.qr(torch.randn(4, 4)).Q
    with torch.no_grad():
        vae.quant_conv.weight[:4] = torch.einsum("ij,jkhw->ikhw", 3 * turn, vae.quant_conv.weight[:4])
        vae.quant_conv.bias[:4] = 3 * turn @ vae.quant_conv.bias[:4] + 1
    turned = latents.encode(vae, pictures)
    assert (turned - known).square().mean() > 1
    latents.whiten(vae, turned, like=known)
    torch.testing.assert_close(latents.encode(vae, pictures), known, atol=1e-2, rtol=0)


def test_training_captions_drop_and_mark() -> None:
    texts = [train_unet.training_caption(PORTRAITS, seed, np.random.default_rng(seed)) for seed in range(2000)]
    assert 0.07 < texts.count("") / 2000 < 0.13
    assert 0.02 < sum(any(f" {rare} " in text for rare in RARE) for text in texts) / 2000 < 0.06


def test_loss_weights_turn_epsilon_errors_into_picture_errors() -> None:
    """Between the bounds, equal errors of the predicted picture cost the same at every noise level."""
    alphas = torch.tensor([0.9, 0.5, 0.1, 0.03])
    picture_error = torch.ones(4)
    epsilon_error = picture_error * alphas / (1 - alphas)
    costs = train_unet.loss_weights(alphas) * epsilon_error
    torch.testing.assert_close(costs, costs[:1].expand(4))
    assert train_unet.loss_weights(torch.tensor([0.999, 0.0047])).tolist() == pytest.approx([0.04, 24.0])


def test_a_shard_is_the_portraits_of_its_seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "SHARD", 2)
    dataset.build(tmp_path, 2)
    second = dataset.open_pictures(tmp_path, 2)[1]
    assert np.array_equal(second[1], sample_portrait(3)[0])
    assert sample_attributes(3) == sample_portrait(3)[1]
