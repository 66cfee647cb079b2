"""A folder, a Hugging Face cache entry and a single file give the same networks, with the network out of reach."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from transformers import CLIPTextModel, CLIPTextModelWithProjection

from s2edit.errors import CheckpointError
from s2edit.method.prompts import MAX_IDENTITIES
from s2edit.model.checkpoints import Checkpoint, load, model_hash
from tests.fakes.tiny import loaded
from tests.parity.single_file import write

pytestmark = pytest.mark.usefixtures("no_network")


@pytest.fixture
def single(folder: Path, tmp_path: Path) -> Path:
    """The tiny checkpoint as one file, with its configuration in a folder of the same name."""
    more = []
    if (folder / "text_encoder_2").is_dir():
        more = [CLIPTextModelWithProjection.from_pretrained(folder, subfolder="text_encoder_2")]
    write(
        tmp_path / "tiny.safetensors",
        UNet2DConditionModel.from_pretrained(folder, subfolder="unet"),
        AutoencoderKL.from_pretrained(folder, subfolder="vae"),
        CLIPTextModel.from_pretrained(folder, subfolder="text_encoder"),
        *more,
    )
    shutil.copytree(folder, tmp_path / "tiny", ignore=shutil.ignore_patterns("*.safetensors"))
    return tmp_path / "tiny.safetensors"


def copied(folder: Path, to: Path) -> Path:
    shutil.copytree(folder, to)
    return to


def assert_same_networks(found: Checkpoint, wanted: Checkpoint) -> None:
    assert found.family == wanted.family
    assert found.networks().keys() == wanted.networks().keys()
    for name, network in wanted.networks().items():
        weights = dict(network.named_parameters())
        others = dict(found.networks()[name].named_parameters())
        assert weights.keys() == others.keys()
        for key, weight in weights.items():
            assert others[key].dtype == torch.float32
            assert torch.equal(weight, others[key]), key


def test_single_file(folder: Path, single: Path) -> None:
    whole, file = loaded(folder), loaded(single)
    assert_same_networks(file, whole)
    assert (file.native_size, file.size_multiple) == (whole.native_size, whole.size_multiple)
    assert file.model_hash != whole.model_hash


@pytest.mark.parametrize("kind", ["inpainting", "wider text", "no U-Net"])
def test_one_file_of_another_family_is_not_called_damaged(single: Path, kind: str) -> None:
    tensors = load_file(single)
    for name in list(tensors):
        if kind == "inpainting" and name.endswith("input_blocks.0.0.weight"):
            tensors[name] = torch.zeros(16, 9, 3, 3)
        elif kind == "wider text" and "attn2.to_k" in name:
            tensors[name] = torch.zeros(tensors[name].shape[0], 96)
        elif kind == "no U-Net" and name.startswith("model."):
            del tensors[name]
    save_file(tensors, single)
    with pytest.raises(CheckpointError, match="not of the Stable Diffusion") as caught:
        load(single)
    assert caught.value.code == "checkpoint_unsupported"


@pytest.mark.parametrize("change", ["torn", "no norms", "half a text encoder", "no decoder"])
def test_a_damaged_file_is_called_damaged(single: Path, change: str) -> None:
    if change == "torn":
        single.write_bytes(single.read_bytes()[:-100])
    else:
        gone = {
            "no norms": (".layer_norm1.", ".ln_1."),
            "half a text encoder": (".layers.1.", ".resblocks.1."),
            "no decoder": ("first_stage_model.decoder.",),
        }[change]
        save_file({n: w for n, w in load_file(single).items() if not any(part in n for part in gone)}, single)
    with pytest.raises(CheckpointError) as caught:
        load(single)
    assert caught.value.code == "checkpoint_incomplete"
    assert "again" in caught.value.hint


def test_snapshot(folder: Path, tmp_path: Path) -> None:
    entry = tmp_path / "models--somebody--tiny"
    copied(folder, entry / "snapshots" / "0123abcd")
    (entry / "refs").mkdir()
    (entry / "refs" / "main").write_text("0123abcd")
    assert load(entry).model_hash == load(folder).model_hash == model_hash(entry / "snapshots" / "0123abcd")


def test_a_download_in_half_precision_only(folder: Path, tmp_path: Path) -> None:
    """Many snapshots have no other file than `….fp16.safetensors`."""
    half = copied(folder, tmp_path / "half")
    for file in list(half.rglob("*.safetensors")):
        file.rename(file.with_suffix(".fp16.safetensors"))
    assert_same_networks(loaded(half), loaded(folder))


def test_identity_rows_start_from_the_rare_token(tiny_folder: Path) -> None:
    checkpoint = loaded(tiny_folder)
    rows = checkpoint.text_encoder.get_input_embeddings().weight
    assert rows.shape[0] == checkpoint.tokenizer.vocabulary_size + MAX_IDENTITIES
    assert torch.equal(rows[checkpoint.tokenizer.vocabulary_size], rows[48136])


PARTS = [
    *(("tiny_folder", part) for part in ("unet", "vae", "text_encoder", "tokenizer", "scheduler")),
    *(("tiny_xl_folder", part) for part in ("unet", "vae", "text_encoder", "text_encoder_2", "tokenizer_2")),
]
DAMAGE = ["missing", "no weights", "torn", "without a tensor", "pickled"]


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize(("kind", "part"), PARTS)
def test_a_part_that_is_missing_or_damaged(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str, part: str, damage: str
) -> None:
    """One line and what to do next, whatever the loaders' own words are; nothing is filled in by chance."""
    broken = copied(request.getfixturevalue(kind), tmp_path / "broken")
    weights = next((broken / part).glob("*.safetensors"), None)
    if damage == "missing":
        shutil.rmtree(broken / part)
    elif weights is None:  # no network: its files are read as JSON and text
        for file in (broken / part).iterdir():
            file.write_text("{")
    elif damage == "no weights":
        weights.unlink()
    elif damage == "torn":
        weights.write_bytes(weights.read_bytes()[:-100])
    elif damage == "without a tensor":
        tensors = load_file(weights)
        tensors.pop(max(tensors))
        save_file(tensors, weights, metadata={"format": "pt"})
    else:
        weights.rename(weights.with_suffix(".bin"))
    with pytest.raises(CheckpointError) as caught:
        load(broken)
    assert "\n" not in str(caught.value)
    assert str(tmp_path) not in str(caught.value)
    assert caught.value.code == "checkpoint_incomplete"
    assert caught.value.hint
    if weights is not None and damage in {"missing", "no weights", "pickled", "without a tensor"}:
        assert f"{part}" in str(caught.value)


@pytest.mark.parametrize(("part", "family"), [("unet", "sd1"), ("text_encoder", "sdxl"), ("text_encoder_2", "")])
def test_a_part_of_another_family(
    tiny_folder: Path, tiny_xl_folder: Path, tmp_path: Path, part: str, family: str
) -> None:
    """Stable Diffusion 1's in the place of XL's.

    With its U-Net the folder is a whole model of its family; its text encoder is XL's first, not XL's second.
    """
    broken = copied(tiny_xl_folder, tmp_path / "broken")
    shutil.rmtree(broken / part)
    shutil.copytree(tiny_folder / part.removesuffix("_2"), broken / part)
    if family:
        assert load(broken).family == family
        return
    with pytest.raises(CheckpointError) as caught:
        load(broken)
    assert caught.value.code == "checkpoint_incomplete"
    assert "text_encoder_2" in str(caught.value)
