"""Portraits at twice the side: what the renderer changes for them, and a U-Net that goes on from the smaller one."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from s2edit.research.starter import classify, sample_attributes, weights_folder
from s2edit.research.starter.captions import caption
from s2edit.research.starter.domain import NAMES, domain
from s2edit.research.starter.portraits import PORTRAITS
from s2edit.research.starter.portraits256 import PORTRAITS_256
from s2edit.research.starter.renderer import render
from s2edit.research.training import train_unet
from s2edit.research.training.assess import open_pipeline
from s2edit.research.training.export import export
from s2edit.research.training.grow import carry_over, fit_way_in, grown, set_way_in
from s2edit.research.training.latents import encode
from s2edit.research.training.models import LATENT_STD, new_scheduler, new_unet
from s2edit.research.training.warm_start import warm_start
from s2edit.research.training.whole import Amounts, train_whole
from tests.fakes.tiny import one_thread

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["one_thread"]
FRESH = range(1_700_000, 1_700_060)


def test_only_lenses_are_darker_and_still_sunglasses() -> None:
    seen = 0
    for portrait in map(sample_attributes, FRESH):
        light, dark = render(portrait), render(portrait, dark_lenses=True)
        if portrait.accessory != "sunglasses":
            assert np.array_equal(light, dark), portrait
            continue
        seen += 1
        changed = (light != dark).any(axis=2)
        assert 0.003 < changed.mean() < 0.06
        assert dark[changed].mean() < light[changed].mean() - 4
        eyes = [render(portrait.change(eyes=eyes), dark_lenses=True) for eyes in ("open", "closed")]
        lighter = [render(portrait.change(eyes=eyes)) for eyes in ("open", "closed")]
        apart, before = (np.abs(np.diff(np.stack(pair).astype(int), axis=0)).max() for pair in (eyes, lighter))
        assert apart < before / 3, "eyes are hardly seen through them"
        assert classify(light)["accessory"] == classify(dark)["accessory"] == "sunglasses"
    assert seen > 8


def test_the_benchmarks_portraits_are_drawn_as_ever() -> None:
    """The shipped checkpoint learned from lighter lenses; what it is measured against must have them too."""
    sunglasses = PORTRAITS.sample(1_000_000).change(accessory="sunglasses")
    assert np.array_equal(PORTRAITS.render(sunglasses, 64), render(sunglasses, 64))
    assert not np.array_equal(PORTRAITS_256.render(sunglasses, 64), render(sunglasses, 64))
    assert PORTRAITS_256.name not in NAMES
    assert domain(PORTRAITS_256.name) is PORTRAITS_256


def test_what_failed_is_drawn_more_often_and_the_rest_is_the_same() -> None:
    drawn = [PORTRAITS_256.sample(seed) for seed in range(1500)]
    moods, skins = (Counter(getattr(each, field) for each in drawn) for field in ("mood", "skin"))
    assert moods["sad"] > 1500 * 0.24
    assert skins["dark"] > 1500 * 0.28
    for seed, portrait in enumerate(drawn[:20]):
        first = PORTRAITS.sample(seed)
        assert portrait.change(mood=first.mood, skin=first.skin) == first


def test_captions_are_as_in_use_at_times() -> None:
    portrait = PORTRAITS.sample(3)
    texts = [PORTRAITS_256.caption(portrait, np.random.default_rng(seed)) for seed in range(300)]
    proposal = caption(portrait, mention=set(PORTRAITS.proposal))
    assert 25 < texts.count(proposal) < 120
    assert len(set(texts)) > 100
    assert PORTRAITS_256.caption(portrait) == caption(portrait)
    assert PORTRAITS_256.caption(portrait, mention={"mood"}) == caption(portrait, mention={"mood"})


def test_the_way_in_is_the_map_that_was_fitted() -> None:
    unet = new_unet(256)
    kernel, bias = torch.randn(64, 4, 5, 5), torch.randn(64)
    set_way_in(unet, kernel, bias)
    picture = torch.randn(2, 4, 32, 32)
    with torch.no_grad():
        found = unet.down_blocks[0].downsamplers[0](unet.conv_in(picture))
    torch.testing.assert_close(found, F.conv2d(picture, kernel, bias, stride=2, padding=2), atol=1e-4, rtol=1e-4)


def test_the_fit_finds_a_map_that_there_is() -> None:
    """Where a small latent is the mean of four, the map from those to a pointwise convolution is known."""
    torch.manual_seed(0)
    first = torch.nn.Conv2d(4, 8, 1)
    large = torch.randn(6, 4, 32, 32) / 4
    kernel, bias, explained = fit_way_in(first, large, F.avg_pool2d(large, 2) * 4)
    assert explained == pytest.approx(1, abs=1e-6)
    torch.testing.assert_close(kernel[:, :, 2:4, 2:4], first.weight.expand(-1, -1, 2, 2) / 2, atol=1e-4, rtol=1e-3)
    assert kernel[:, :, :2].abs().max() < 1e-4
    torch.testing.assert_close(bias, first.state_dict()["bias"], atol=1e-4, rtol=1e-3)


def test_the_inner_levels_see_about_what_they_saw() -> None:
    """The large U-Net's guess of the common noise, before any training, is about the small one's."""
    pipeline = open_pipeline(weights_folder())
    unet = grown(pipeline.unet, pipeline.vae, PORTRAITS_256, seed=6, pictures=8)
    with torch.no_grad():
        latents = [encode(pipeline.vae, PORTRAITS_256.picture(99, side)[0][None]) for side in (256, 128)]
        noise = torch.randn(latents[0].shape, generator=torch.Generator().manual_seed(1))
        common, states = 2 * F.avg_pool2d(noise, 2), torch.zeros(1, 40, 128)
        for timestep in (300, 600, 900):
            alpha = new_scheduler().alphas_cumprod[timestep]
            large, small = (
                alpha.sqrt() * each * LATENT_STD[side] + (1 - alpha).sqrt() * drawn
                for each, side, drawn in zip(latents, (256, 128), (noise, common), strict=True)
            )
            wanted = pipeline.unet(small, timestep, encoder_hidden_states=states).sample
            found = 2 * F.avg_pool2d(unet(large, timestep, encoder_hidden_states=states).sample, 2)
            assert F.mse_loss(found, wanted) < 0.3 * wanted.square().mean(), timestep
    with pytest.raises(ValueError, match="one level more doubles the side"):
        grown(unet, pipeline.vae, PORTRAITS_256, seed=6)


def test_a_training_begins_goes_on_and_exports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def carried(inner: Any, *_: Any, **__: Any) -> Any:
        unet = new_unet(256)
        carry_over(inner, unet)
        return unet

    monkeypatch.setattr("s2edit.research.training.warm_start.grown", carried)  # the fit has its own tests
    monkeypatch.setattr(train_unet, "SHARD", 2)
    warm_start(weights_folder(), tmp_path, PORTRAITS_256, seed=6)
    (tmp_path / "latents").mkdir()
    np.save(tmp_path / "latents" / "0000.npy", np.zeros((2, 4, 32, 32), np.float16))
    facts = train_unet.train_unet(tmp_path, PORTRAITS_256, shards=1, steps=1, seconds=60, seed=5, batch=2)
    assert facts["step"] == 1
    assert np.isfinite(facts["loss"])
    export(tmp_path, tmp_path / "out", PORTRAITS_256.size)
    pipeline = open_pipeline(tmp_path / "out")
    assert (pipeline.unet.config.sample_size, pipeline.vae.config.sample_size) == (32, 256)
    assert pipeline.vae.config.scaling_factor == LATENT_STD[256]


def test_the_whole_training_takes_the_autoencoder_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed while it encodes, the training goes on with the U-Net that it has grown."""
    begun = []

    def begin(checkpoint: Path, folder: Path, world: object, *, seed: int) -> None:
        begun.append((checkpoint, world, seed))
        (folder / "unet.safetensors").touch()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("s2edit.research.training.dataset.build", lambda *_, **__: None)
    monkeypatch.setattr("s2edit.research.training.warm_start.warm_start", begin)
    monkeypatch.setattr("s2edit.research.training.latents.cache", killed)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            list(train_whole(tmp_path, PORTRAITS_256, tmp_path / "out", Amounts(1, 2, 1)))
    assert begun == [(weights_folder(), PORTRAITS_256, 6)]
