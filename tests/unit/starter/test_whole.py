"""From nothing to a checkpoint by one call: every stage with next to no training, stopped and gone on with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from safetensors.torch import load_file

from s2edit.research.starter.domain import NAMES, domain
from s2edit.research.training import dataset, train_unet, train_vae
from s2edit.research.training.models import VAE_CONFIG
from s2edit.research.training.whole import Amounts, train_whole
from tests.fakes.tiny import one_thread

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["one_thread"]


@pytest.mark.parametrize("name", NAMES)
def test_the_whole_chain_goes_on_and_ends_in_a_checkpoint(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_vae, "_BATCH", 2)
    for module in (dataset, train_unet):
        monkeypatch.setattr(module, "SHARD", 4)
    folder, target = tmp_path / "training", tmp_path / "weights"
    target.mkdir()
    for kept in ("README.md", "recommended.json"):
        (target / kept).write_text(f"{kept} by hand")
    amounts = Amounts(shards=1, autoencoder=2, unet=1)

    stopped = list(train_whole(folder, domain(name), target, amounts, seconds=0))
    assert stopped[-1] == "Stopped; the same command goes on from here."
    assert not (target / "model_index.json").exists()
    told = list(train_whole(folder, domain(name), target, amounts))
    assert str(target) in told[-1]
    for kept in ("README.md", "recommended.json"):
        assert (target / kept).read_text() == f"{kept} by hand"

    from diffusers import AutoencoderKL
    from transformers import CLIPTokenizer

    assert tuple(AutoencoderKL.load_config(target / "vae")["block_out_channels"]) == VAE_CONFIG["block_out_channels"]
    tokenizer = CLIPTokenizer.from_pretrained(target / "tokenizer", local_files_only=True)
    for noun in domain(name).nouns:
        assert len(tokenizer(noun).input_ids) == 3, "a word of its own between start and end"
    state = load_file(folder / "unet.safetensors")
    assert load_file(target / "unet" / "diffusion_pytorch_model.safetensors").keys() == {
        key.removeprefix("unet:") for key in state if key.startswith("unet:")
    }
    # All is there: the same call again makes no step more.
    before = (folder / "unet.safetensors").stat().st_size
    assert list(train_whole(folder, domain(name), target, amounts))[-1] == told[-1]
    assert (folder / "unet.safetensors").stat().st_size == before
