"""A folder, a Hugging Face cache entry and a single file give the same networks, with the network out of reach."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from transformers import CLIPTextModel

from s2edit.checkpoints import load, model_hash
from s2edit.errors import CheckpointError
from s2edit.prompts import MAX_IDENTITIES
from tests.parity.single_file import write


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a loader tried to reach the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def single(tiny_folder: Path, tmp_path: Path) -> Path:
    """The tiny checkpoint as one file, with its configuration in a folder of the same name."""
    write(
        tmp_path / "tiny.safetensors",
        UNet2DConditionModel.from_pretrained(tiny_folder, subfolder="unet"),
        AutoencoderKL.from_pretrained(tiny_folder, subfolder="vae"),
        CLIPTextModel.from_pretrained(tiny_folder, subfolder="text_encoder"),
    )
    shutil.copytree(tiny_folder, tmp_path / "tiny", ignore=shutil.ignore_patterns("*.safetensors"))
    return tmp_path / "tiny.safetensors"


def test_single_file(tiny_folder: Path, single: Path) -> None:
    folder, file = load(tiny_folder), load(single)
    for name in ("unet", "vae", "text_encoder"):
        wanted = dict(getattr(folder, name).named_parameters())
        found = dict(getattr(file, name).named_parameters())
        assert wanted.keys() == found.keys()
        for key, weight in wanted.items():
            assert torch.equal(weight, found[key]), key
    assert (file.native_size, file.size_multiple) == (folder.native_size, folder.size_multiple) == (64, 64)
    assert file.model_hash != folder.model_hash


@pytest.mark.parametrize("kind", ["inpainting", "wider text", "no U-Net"])
def test_one_file_of_another_family_is_not_called_damaged(single: Path, kind: str) -> None:
    tensors = load_file(single)
    for name in list(tensors):
        if kind == "inpainting" and name.endswith("input_blocks.0.0.weight"):
            tensors[name] = torch.zeros(16, 9, 3, 3)
        elif kind == "wider text" and "attn2.to_k" in name:
            tensors[name] = torch.zeros(tensors[name].shape[0], 48)
        elif kind == "no U-Net" and name.startswith("model."):
            del tensors[name]
    save_file(tensors, single)
    with pytest.raises(CheckpointError, match="not of the Stable Diffusion") as caught:
        load(single)
    assert caught.value.code == "checkpoint_unsupported"


def test_a_torn_file_is_called_damaged(single: Path) -> None:
    single.write_bytes(single.read_bytes()[:-100])
    with pytest.raises(CheckpointError) as caught:
        load(single)
    assert caught.value.code == "checkpoint_incomplete"
    assert "again" in caught.value.hint


def test_snapshot(tiny_folder: Path, tmp_path: Path) -> None:
    entry = tmp_path / "models--somebody--tiny"
    shutil.copytree(tiny_folder, entry / "snapshots" / "0123abcd")
    (entry / "refs").mkdir()
    (entry / "refs" / "main").write_text("0123abcd")
    assert load(entry).model_hash == load(tiny_folder).model_hash == model_hash(entry / "snapshots" / "0123abcd")


def test_a_download_in_half_precision_only(tiny_folder: Path, tmp_path: Path) -> None:
    """Many snapshots have no other file than `….fp16.safetensors`."""
    shutil.copytree(tiny_folder, tmp_path / "half")
    for file in list((tmp_path / "half").rglob("*.safetensors")):
        file.rename(file.with_suffix(".fp16.safetensors"))
    found, wanted = load(tmp_path / "half"), load(tiny_folder)
    assert found.unet.dtype == torch.float32
    for ours, theirs in ((found.unet, wanted.unet), (found.text_encoder, wanted.text_encoder)):
        for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert torch.equal(one, other)


def test_identity_rows_start_from_the_rare_token(tiny_folder: Path) -> None:
    checkpoint = load(tiny_folder)
    rows = checkpoint.text_encoder.get_input_embeddings().weight
    assert rows.shape[0] == checkpoint.tokenizer.vocabulary_size + MAX_IDENTITIES
    assert torch.equal(rows[checkpoint.tokenizer.vocabulary_size], rows[48136])


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder", "tokenizer", "scheduler"])
def test_missing_part(tiny_folder: Path, tmp_path: Path, part: str) -> None:
    shutil.copytree(tiny_folder, tmp_path / "broken")
    shutil.rmtree(tmp_path / "broken" / part)
    with pytest.raises(CheckpointError) as caught:
        load(tmp_path / "broken")
    assert "\n" not in str(caught.value)
    assert caught.value.hint


def test_pickles_are_refused(tiny_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_folder, tmp_path / "pickled")
    weights = tmp_path / "pickled" / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    with pytest.raises(CheckpointError):
        load(tmp_path / "pickled")
