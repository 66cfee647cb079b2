"""Another domain's training begins where the shipped portraits end: same networks, more words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from s2edit.research.starter import weights_folder
from s2edit.research.starter.robots import ROBOTS
from s2edit.research.training import train_unet
from s2edit.research.training.checkpoint import load_state
from s2edit.research.training.models import new_text_encoder, new_unet
from s2edit.research.training.warm_start import warm_start

if TYPE_CHECKING:
    from pathlib import Path


def test_a_domain_begins_with_the_portraits_networks_and_words_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.set_num_threads(1)
    warm_start(weights_folder(), tmp_path, ROBOTS, seed=6)
    from transformers import CLIPTextModel, CLIPTokenizer

    tokenizer = CLIPTokenizer.from_pretrained(tmp_path / "tokenizer", local_files_only=True)
    text_encoder = new_text_encoder(len(tokenizer), tokenizer.bos_token_id, tokenizer.eos_token_id)
    modules: dict[str, Any] = {"unet": new_unet(), "text_encoder": text_encoder}
    optimizer = torch.optim.AdamW(text_encoder.parameters())
    assert load_state(tmp_path / "unet.safetensors", modules, optimizer)["step"] == 0

    shipped = load_file(weights_folder() / "unet" / "diffusion_pytorch_model.safetensors")
    assert all(torch.equal(shipped[key].float(), value) for key, value in modules["unet"].state_dict().items())
    before = CLIPTextModel.from_pretrained(weights_folder() / "text_encoder", local_files_only=True).float().eval()
    text_encoder.eval()
    with torch.no_grad():
        known = tokenizer("a smiling woman with red hair", return_tensors="pt").input_ids
        torch.testing.assert_close(text_encoder(known)[0], before(known)[0])
        fresh = tokenizer("robot horns", return_tensors="pt").input_ids
        assert fresh[0, 1:-1].min() >= before.config.vocab_size
        assert torch.isfinite(text_encoder(fresh)[0]).all()
    vae = load_file(weights_folder() / "vae" / "diffusion_pytorch_model.safetensors")
    assert all(
        torch.equal(value, vae[key].float()) for key, value in load_file(tmp_path / "frozen.safetensors").items()
    )

    monkeypatch.setattr(train_unet, "SHARD", 2)
    (tmp_path / "latents").mkdir()
    np.save(tmp_path / "latents" / "0000.npy", np.zeros((2, 4, 16, 16), np.float16))
    facts = train_unet.train_unet(tmp_path, ROBOTS, shards=1, steps=1, seconds=60, seed=5, batch=2)
    assert facts["step"] == 1
    assert np.isfinite(facts["loss"])

    with pytest.raises(FileExistsError, match="holds a training already"):
        warm_start(weights_folder(), tmp_path, ROBOTS, seed=6)
    with pytest.raises(FileNotFoundError, match="holds no checkpoint"):
        warm_start(tmp_path, tmp_path / "other", ROBOTS, seed=6)
