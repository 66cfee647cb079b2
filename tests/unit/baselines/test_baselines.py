"""Every baseline on the embedded checkpoint: sizes, what must differ, and equality where two ways are the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from s2edit.errors import CheckpointError, MaskError, SettingError
from s2edit.method.diffusion import Diffusion
from s2edit.method.prompts import PromptTokenizer
from s2edit.model.backbone import Encoding
from s2edit.picture import imaging
from s2edit.profiles import profile
from s2edit.requests import EditRequest, ObjectSpec
from s2edit.research.baselines import BASELINES, Workbench
from s2edit.research.baselines.pipelines import _silenced, changed_phrases
from s2edit.research.baselines.sampling import denoise_from, two_models
from s2edit.research.starter import recommended, render, sample_attributes, weights_folder
from s2edit.settings import Settings
from tests.fakes.tiny import one_thread

__all__ = ["one_thread"]

SOURCE = "a smiling man with brown hair"
TARGET = "a smiling man with brown hair and sunglasses"
Requests = Callable[..., EditRequest]
OTHER = "a smiling man with brown hair and a beard"
WITHOUT_WEIGHTS = [name for name in BASELINES if name != "instruct-pix2pix"]


@pytest.fixture(scope="module")
def workbench() -> Workbench:
    return Workbench(weights_folder(), device="cpu", threads=1)


@pytest.fixture(scope="module")
def portrait() -> NDArray[np.uint8]:
    return render(sample_attributes(2_000_000), 128)


@pytest.fixture
def mask() -> NDArray[np.uint8]:
    """A box over the eyes."""
    found = np.zeros((128, 128), np.uint8)
    found[40:72, 32:96] = 255
    return found


@pytest.fixture
def request_for(portrait: NDArray[np.uint8]) -> Callable[..., EditRequest]:
    """A request of the portrait in four steps, without identity unless settings say so."""

    def made(
        target: str = TARGET, *, mask: NDArray[np.uint8] | None = None, seed: int = 1, **changes: object
    ) -> EditRequest:
        few = {"inversion.steps": 4, "identity.steps": 2, "identity.enabled": False}
        settings: Settings = profile("balanced", recommended()).replace_from(few | changes)
        return EditRequest(portrait, SOURCE, target, (ObjectSpec("man"),), mask, settings, seed)

    return made


class Parts:
    """What the samplers take, from the workbench's own networks."""

    def __init__(self, workbench: Workbench, portrait: NDArray[np.uint8]) -> None:
        workbench.warm()
        published = workbench._published
        assert published is not None
        self.checkpoint, self.denoiser = published
        tokenizer = self.checkpoint.tokenizer
        with torch.no_grad():
            encoded = self.checkpoint.encode([tokenizer.encode(SOURCE), tokenizer.encode(TARGET), None]).encoding
            self.source, self.target, self.null = (encoded[k : k + 1] for k in range(3))
            self.latent, _ = self.checkpoint.latent_moments(imaging.model_input(portrait, (128, 128)))
        self.noise = torch.randn(self.latent.shape, generator=torch.Generator().manual_seed(0))
        process = self.checkpoint.process
        assert isinstance(process, Diffusion)
        self.ddim = process.walk((0, 0), 4)
        self.steps: list[int] = []

    def denoised(self, target: Encoding, **options: object) -> torch.Tensor:
        given: dict[str, object] = {"strength": 1.0, "guidance": lambda _: 4.5, "on_step": self.steps.append} | options
        return denoise_from(
            self.denoiser,
            self.ddim,
            self.latent,
            self.noise,
            target,
            self.null,
            **given,  # type: ignore[arg-type]
        )

    def sine(self, target: Encoding, **options: object) -> torch.Tensor:
        given: dict[str, object] = {"guidance": 4.5, "share": 0.6, "until": 500, "on_step": self.steps.append} | options
        return two_models(
            self.denoiser,
            self.denoiser,
            self.ddim,
            self.noise,
            self.source,
            target,
            self.null,
            **given,  # type: ignore[arg-type]
        )


@pytest.fixture(scope="module")
def parts(workbench: Workbench, portrait: NDArray[np.uint8]) -> Parts:
    return Parts(workbench, portrait)


def test_no_strength_is_the_autoencoders_round_trip(parts: Parts) -> None:
    parts.steps.clear()
    assert torch.equal(parts.denoised(parts.target, strength=0.0), parts.latent)
    assert parts.steps == []


def test_strength_takes_its_share_of_the_steps(parts: Parts) -> None:
    parts.steps.clear()
    parts.denoised(parts.target, strength=0.5)
    assert parts.steps == [2, 3]


def test_without_guidance_the_prompt_says_nothing(parts: Parts) -> None:
    unguided = [parts.denoised(prompt, guidance=lambda _: 0.0) for prompt in (parts.source, parts.target)]
    assert torch.equal(*unguided)
    assert not torch.allclose(parts.denoised(parts.source), parts.denoised(parts.target))


def test_guidance_that_ends_saves_the_rows_that_it_took(parts: Parts) -> None:
    """At w = 1 the unconditional prediction drops out, so leaving it out changes nothing but the cost."""
    before = parts.denoiser.forwards
    ended = parts.denoised(parts.target, guidance=lambda index: 4.5 if index < 3 else 1.0)
    assert parts.denoiser.forwards - before == 3 * 2 + 1
    nearly = parts.denoised(parts.target, guidance=lambda index: 4.5 if index < 3 else 1.0 + 1e-6)
    assert torch.allclose(ended, nearly, atol=1e-4)


def test_outside_the_mask_the_latent_is_the_pictures_own(parts: Parts) -> None:
    mask = torch.zeros(16, 16)
    mask[5:9, 4:12] = 1
    found = parts.denoised(parts.target, mask=mask)
    assert torch.equal(found[..., mask == 0], parts.latent[..., mask == 0])
    assert not torch.allclose(found[..., mask == 1], parts.latent[..., mask == 1], atol=0.1)


def test_sine_with_two_equal_models_and_prompts_is_plain_guidance(parts: Parts) -> None:
    plain = parts.sine(parts.source, share=0.0)
    assert torch.allclose(parts.sine(parts.source, share=0.6, until=0), plain, atol=1e-4)
    late = parts.sine(parts.target, share=0.6, until=1001)
    assert torch.equal(late, parts.sine(parts.target, share=0.0))
    assert not torch.allclose(parts.sine(parts.target, share=0.6, until=0), late, atol=1e-2)


@pytest.mark.parametrize("name", WITHOUT_WEIGHTS)
def test_a_painted_mask_bounds_what_changes(
    name: str, workbench: Workbench, request_for: Requests, mask: NDArray[np.uint8]
) -> None:
    request = request_for(mask=mask, **{"identity.enabled": name == "sine"})
    found = workbench.baseline(name, request)
    assert found.patch.shape == request.image.shape
    assert found.patch.dtype == np.uint8
    assert (found.alpha[mask == 0] == 0).all()
    inside = found.alpha == 255
    assert not np.array_equal(found.patch[inside], request.image[inside])
    assert found.record["unet_forwards"]["editing"] > 0
    assert set(found.record["cached"]) == {"identity", "inversion"}


@pytest.mark.parametrize("name", ["sdedit", "ledits++"])
def test_the_same_request_gives_the_same_picture_and_another_prompt_another(
    name: str, workbench: Workbench, request_for: Requests
) -> None:
    first = workbench.baseline(name, request_for())
    other = workbench.baseline(name, request_for(OTHER))
    again = workbench.baseline(name, request_for())
    assert np.array_equal(first.patch, again.patch)
    assert not np.array_equal(first.patch, other.patch)
    if name == "ledits++":
        assert other.record["cached"]["inversion"]
        assert other.record["unet_forwards"]["inversion"] == 0


def test_ledits_replays_the_picture_where_nothing_is_asked(workbench: Workbench, request_for: Requests) -> None:
    request = request_for(**{"inversion.steps": 16})
    workbench.baseline("ledits++", request)
    pipeline = workbench._pipelines._loaded["LEditsPPPipelineStableDiffusion"]
    with _silenced():
        replayed = pipeline(editing_prompt=["sunglasses"], edit_guidance_scale=0.0, output_type="np").images[0]
    picture = torch.tensor(request.image).permute(2, 0, 1)[None] / 127.5 - 1
    with torch.no_grad():
        decoded = pipeline.vae.decode(pipeline.vae.encode(picture).latent_dist.mode()).sample
    assert np.abs(replayed - (decoded[0].permute(1, 2, 0).numpy() / 2 + 0.5).clip(0, 1)).max() < 1e-4


def test_ddim_inversion_is_null_text_inversion_that_learns_nothing(
    workbench: Workbench, request_for: Requests, mask: NDArray[np.uint8]
) -> None:
    idle = {"inversion.mode": "null_text", "inversion.inner_steps": 1, "inversion.learning_rate": 0.0}
    # Null-text inversion retraces the picture with one guidance in all steps, whenever the edit's ends.
    throughout = {"edit.guidance_until": 1.0, "edit.attempts": 1}
    edited = workbench.edit(request_for(mask=mask, **idle, **throughout))
    found = workbench.baseline("ddim+p2p", request_for(mask=mask, **throughout))
    # One of them computes the source branch beside the target's: another batch, so another last bit.
    assert np.abs(found.patch.astype(int) - edited.patch).max() <= 1
    assert np.array_equal(found.alpha, edited.alpha)


def test_sine_fine_tunes_and_leaves_the_published_weights_alone(
    workbench: Workbench, parts: Parts, request_for: Requests
) -> None:
    before = {name: weight.clone() for name, weight in parts.checkpoint.network.named_parameters()}
    found = workbench.baseline("sine", request_for(**{"identity.enabled": True}))
    assert found.record["cached"]["identity"] or found.record["unet_forwards"]["identity"] > 0
    assert all(torch.equal(weight, before[name]) for name, weight in parts.checkpoint.network.named_parameters())
    tuned = dict(workbench._loaded().checkpoint.network.named_parameters())
    assert any(not torch.equal(weight, before[name]) for name, weight in tuned.items())


def test_inpainting_needs_a_mask(workbench: Workbench, request_for: Requests) -> None:
    with pytest.raises(MaskError, match="painted"):
        workbench.baseline("inpaint", request_for())


def test_a_mask_of_another_size_is_an_error_as_in_an_edit(workbench: Workbench, request_for: Requests) -> None:
    with pytest.raises(MaskError, match="3×5"):
        workbench.baseline("sdedit", request_for(mask=np.ones((5, 3), np.uint8)))


def test_an_unknown_baseline_is_named(workbench: Workbench, request_for: Requests) -> None:
    with pytest.raises(SettingError, match="photoshop"):
        workbench.baseline("photoshop", request_for())


def test_instruct_pix2pix_says_that_its_weights_are_missing(
    workbench: Workbench, request_for: Requests, tmp_path: Path
) -> None:
    with pytest.raises(CheckpointError, match="not here") as caught:
        workbench.baseline("instruct-pix2pix", request_for(), "add sunglasses")
    assert "instruct-pix2pix" in caught.value.hint
    with pytest.raises(CheckpointError, match="not here"):
        Workbench(weights_folder(), device="cpu", instruct=tmp_path).baseline("instruct-pix2pix", request_for(), "add")


def test_instruct_pix2pix_runs_where_its_weights_are(
    tmp_path: Path, request_for: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    _untrained_instruct_pix2pix(tmp_path)
    monkeypatch.setattr("s2edit.research.baselines.pipelines._STEPS_INSTRUCT", 2)
    found = Workbench(weights_folder(), device="cpu", threads=1, instruct=tmp_path).baseline(
        "instruct-pix2pix", request_for(), "add sunglasses"
    )
    assert found.patch.shape == (128, 128, 3)
    assert found.record["unet_forwards"] == {"identity": 0, "inversion": 0, "editing": 2 * 3}


def _untrained_instruct_pix2pix(folder: Path) -> None:
    """Its pipeline with the embedded model's other parts and a U-Net that takes the picture's latent too."""
    from diffusers import StableDiffusionInstructPix2PixPipeline, StableDiffusionPipeline, UNet2DConditionModel

    base = StableDiffusionPipeline.from_pretrained(
        weights_folder(), local_files_only=True, dtype=torch.float32, safety_checker=None, feature_extractor=None
    )
    config = {**base.unet.config, "in_channels": 8, "block_out_channels": (16, 16, 32), "norm_num_groups": 8}
    pipeline = StableDiffusionInstructPix2PixPipeline(
        vae=base.vae,
        text_encoder=base.text_encoder,
        tokenizer=base.tokenizer,
        unet=UNet2DConditionModel.from_config(config),
        scheduler=base.scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(folder, safe_serialization=True)


def test_phrases_keep_the_noun_of_a_changed_adjective() -> None:
    tokenizer = PromptTokenizer.from_folder(weights_folder())

    def phrases(target: str, source: str) -> tuple[list[str], list[str]]:
        return changed_phrases(tokenizer.encode(target), tokenizer.encode(source))

    assert phrases(TARGET, SOURCE) == (["sunglasses"], [])
    assert phrases("a sad man with red hair", "a smiling man with black hair") == (
        ["sad man", "red hair"],
        ["smiling man", "black hair"],
    )
    assert phrases("a man with red short hair", "a man with gray short hair") == (
        ["red short hair"],
        ["gray short hair"],
    )
    assert phrases("a man with glasses and a hat", "a man with a red afro and glasses") == (["hat"], ["red afro"])
    assert phrases("a man with glasses, on a pink background", "a man with glasses, on a blue background") == (
        ["pink background"],
        ["blue background"],
    )
