"""A widened autoencoder computes what the narrow one did, and its new channels can learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import load_file

from s2edit.research.training.models import VAE_CONFIG, new_vae
from s2edit.research.training.widen import begin_wider, widen

if TYPE_CHECKING:
    from pathlib import Path


def _autoencoder(**changed: Any) -> Any:
    from diffusers import AutoencoderKL

    return AutoencoderKL(**{**VAE_CONFIG, "block_out_channels": (8, 16, 32, 32), "norm_num_groups": 4, **changed})


def test_twice_the_channels_make_the_same_picture_and_learn() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(1)
    narrow, wide = _autoencoder(), _autoencoder(block_out_channels=(16, 32, 64, 64), norm_num_groups=8)
    widen(wide, narrow.state_dict())
    picture = torch.rand(1, 3, 32, 32) * 2 - 1
    torch.testing.assert_close(wide.encode(picture).latent_dist.mean, narrow.encode(picture).latent_dist.mean)
    torch.testing.assert_close(wide(picture).sample, narrow(picture).sample)

    step = torch.optim.SGD(wide.parameters(), lr=0.1)
    for _ in range(2):  # the first step opens the way from the new channels to the output, the second reaches them
        step.zero_grad()
        wide(picture).sample.square().mean().backward()
        step.step()
    assert wide.decoder.conv_in.weight.grad[16:].abs().max() > 0


def test_what_differs_in_more_than_width_is_refused() -> None:
    with pytest.raises(ValueError, match="not only in width"):
        widen(_autoencoder(), _autoencoder(layers_per_block=2 + VAE_CONFIG["layers_per_block"]).state_dict())
    with pytest.raises(ValueError, match="does not fit"):
        widen(_autoencoder(), _autoencoder(block_out_channels=(16, 32, 64, 64)).state_dict())


def test_a_checkpoint_goes_on_wider(tmp_path: Path) -> None:
    narrow = _autoencoder()
    narrow.save_pretrained(tmp_path / "vae")
    begin_wider(tmp_path, tmp_path, seed=7)
    vae = new_vae()
    vae.load_state_dict(load_file(tmp_path / "frozen.safetensors"))
    assert torch.equal(vae.encoder.conv_in.weight[:8], narrow.encoder.conv_in.weight)
