"""Stable Diffusion XL: what its text encoders give, its sizes, its autoencoder, and three stages from every form."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, StableDiffusionXLPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from s2edit.engine import ComposeRequest, EditRequest, Engine, ObjectSpec
from s2edit.errors import CheckpointError
from s2edit.method.prompts import MAX_IDENTITIES
from s2edit.model.checkpoints import load
from s2edit.model.families import SDXL, family_of
from s2edit.model.sdxl import XlCheckpoint
from s2edit.picture.region import bucket_size
from s2edit.settings import Settings
from tests.parity.reference_text import literal
from tests.parity.stages_of_sd1 import painted, picture

pytestmark = pytest.mark.usefixtures("no_network")

FEW = {"identity.steps": 2, "identity.learning_rate": 1e-3, "identity.level": "full", "inversion.steps": 2}


@pytest.fixture(scope="module")
def model(tiny_xl_folder: Path) -> XlCheckpoint:
    found = load(tiny_xl_folder)
    assert isinstance(found, XlCheckpoint)
    return found


@torch.no_grad()
def test_encoding_of_prompts_with_and_without_identity(model: XlCheckpoint) -> None:
    plain = model.tokenizer.encode("a photo of a lady, smiling")
    prompts = [model.tokenizer.with_identity(plain, [5, 7]), plain, None]
    found = model.encode(prompts)
    for row, prompt in enumerate(prompts):
        wanted, spaces = literal(model, prompt)
        torch.testing.assert_close(found.encoding.states[row], wanted.states[0], rtol=0, atol=1e-5)
        assert found.encoding.pooled is not None
        assert wanted.pooled is not None
        torch.testing.assert_close(found.encoding.pooled[row], wanted.pooled[0], rtol=0, atol=1e-5)
        if prompt is not None:
            for ours, theirs in zip(found.spaces, spaces, strict=True):
                torch.testing.assert_close(ours[row], theirs, rtol=0, atol=1e-5)


@torch.no_grad()
def test_plain_prompts_are_encoded_as_diffusers_does(tiny_xl_folder: Path, model: XlCheckpoint) -> None:
    pipeline = StableDiffusionXLPipeline.from_pretrained(tiny_xl_folder, local_files_only=True)
    text = "a photo of a lady, smiling"
    states, zeros, pooled, zero = pipeline.encode_prompt(text, device="cpu", do_classifier_free_guidance=True)
    found = model.encode([model.tokenizer.encode(text), None]).encoding
    torch.testing.assert_close(found.states, torch.cat([states, zeros]), rtol=0, atol=1e-5)
    torch.testing.assert_close(found.pooled, torch.cat([pooled, zero]), rtol=0, atol=1e-5)


def test_identity_rows_in_both_text_encoders(model: XlCheckpoint) -> None:
    for encoder in model.text_encoders().values():
        rows = encoder.get_input_embeddings().weight  # type: ignore[operator]
        assert rows.shape[0] == model.tokenizer.vocabulary_size + MAX_IDENTITIES
        assert torch.equal(rows[model.tokenizer.vocabulary_size], rows[48136])


@pytest.mark.parametrize("mode", ["direct", "null_text", "npi"])
def test_three_stages(tiny_xl_folder: Path, mode: str) -> None:
    settings = Settings().replace_from(FEW | {"inversion.mode": mode, "inversion.inner_steps": 1})
    objects = (ObjectSpec("lady", painted()), ObjectSpec("hat", painted()[::-1].copy()))
    request = EditRequest(picture(0), "a lady with a hat", "a man with a hat", objects, settings=settings)
    result = Engine(tiny_xl_folder, device="cpu").edit(request)
    inside = (painted() > 0) | (painted()[::-1] > 0)
    assert np.array_equal(result.alpha > 0, inside)
    assert result.patch[inside].std() > 0
    assert result.record["unet_forwards"]["identity"] == 2


def test_composition(tiny_xl_folder: Path) -> None:
    prompts = ("a lady", "a model with makeup", "a lady with makeup")
    request = ComposeRequest(
        picture(0),
        picture(1),
        *prompts,
        word="lady",
        attribute="makeup",
        mask=painted(),
        reference_mask=painted(),
        settings=Settings().replace_from(FEW | {"inversion.mode": "direct"}),
    )
    result = Engine(tiny_xl_folder, device="cpu").compose(request)
    assert np.array_equal(result.alpha > 0, painted() > 0)


def test_the_mask_of_a_word_comes_from_a_level_that_attends_to_words(tiny_xl_folder: Path) -> None:
    """The first level has no attention at all: asking for its maps gives the finest that there is."""
    settings = Settings().replace_from({"edit.map_stride": 1})
    assert Engine(tiny_xl_folder, device="cpu").automatic_mask(picture(0), "a lady", "lady", settings).any()


@pytest.mark.parametrize("upcast", [True, False])
def test_the_autoencoder_keeps_to_float32_unless_it_was_mended(model: XlCheckpoint, upcast: bool) -> None:
    """SDXL's own overflows float16; that of `sdxl-vae-fp16-fix` says that it doesn't."""
    seen: list[torch.dtype] = []
    hook = model.vae.decoder.conv_in.register_forward_hook(lambda _, __, out: seen.append(out.dtype))
    model.vae.register_to_config(force_upcast=upcast)
    model.half = torch.bfloat16
    try:
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            pixels = model.decode(torch.zeros(1, 4, 8, 8))
    finally:
        hook.remove()
        model.half = None
        model.vae.register_to_config(force_upcast=True)
    assert seen == [torch.float32 if upcast else torch.bfloat16]
    assert pixels.dtype == torch.float32


def test_published_shapes() -> None:
    """The configuration that single files are read by has SDXL's parameters, counted on the meta device."""
    with torch.device("meta"):
        networks = [
            UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(SDXL.config / "unet")),
            CLIPTextModel(CLIPTextConfig.from_pretrained(SDXL.config / "text_encoder")),
            CLIPTextModelWithProjection(CLIPTextConfig.from_pretrained(SDXL.config / "text_encoder_2")),
            AutoencoderKL.from_config(AutoencoderKL.load_config(SDXL.config / "vae")),
        ]
        unet = networks[0]
        conditions = {"text_embeds": torch.empty(1, 1280), "time_ids": torch.empty(1, 6)}
        noise = unet(torch.empty(1, 4, 104, 152), 1, torch.empty(1, 77, 2048), added_cond_kwargs=conditions).sample
    counted = [sum(weight.numel() for weight in network.parameters()) for network in networks]
    assert counted == [2_567_463_684, 123_060_480, 694_659_840, 83_653_863]
    assert noise.shape == (1, 4, 104, 152)


@pytest.mark.parametrize(
    ("crop", "size"),
    [((1024, 1024), (1024, 1024)), ((1200, 900), (896, 1152)), ((900, 1600), (1344, 768)), ((3000, 500), (704, 1408))],
)
def test_buckets(crop: tuple[int, int], size: tuple[int, int]) -> None:
    assert bucket_size(*crop, 1024, 32) == size


@pytest.mark.parametrize("change", ["refiner", "inpainting"])
def test_other_families_are_told_plainly(tiny_xl_folder: Path, tmp_path: Path, change: str) -> None:
    folder = tmp_path / "other"
    shutil.copytree(tiny_xl_folder, folder)
    if change == "refiner":
        shutil.rmtree(folder / "text_encoder")
        wide = json.loads((folder / "text_encoder_2" / "config.json").read_text())["hidden_size"]
        config = folder / "unet" / "config.json"
        config.write_text(json.dumps(json.loads(config.read_text()) | {"cross_attention_dim": wide}))
    else:
        config = folder / "unet" / "config.json"
        config.write_text(config.read_text().replace('"in_channels": 4', '"in_channels": 9'))
    assert family_of(folder) is None
    with pytest.raises(
        CheckpointError, match=r"Stable Diffusion 1 or Stable Diffusion XL or FLUX\.2 klein or Z-Image kind"
    ) as caught:
        load(folder)
    assert caught.value.code == "checkpoint_unsupported"
