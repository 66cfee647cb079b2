"""Z-Image's topology: the plain pipeline, and joint attention with the picture first, against literal references."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers import ZImagePipeline

from s2edit.method.attention import Injection, Recorder, TokenMask
from s2edit.method.diffusion import Denoiser
from s2edit.method.inversion import ddim_inversion
from s2edit.method.masks import MaskPyramid
from s2edit.model.backbone import Encoding
from s2edit.model.families import FAMILIES, family_of
from s2edit.model.flow import FlowCheckpoint
from s2edit.model.memory_counts import published
from tests.fakes.tiny import flow_loaded
from tests.parity.flow_checks import SIZE, TEXT, assert_close, latent_of, painted
from tests.parity.reference_attention import Branch
from tests.parity.reference_flow import reference_of

pytestmark = pytest.mark.usefixtures("no_network")

LONG = "a man with a beard and glasses on a blue background, " * 3 + "smiling"


@pytest.fixture
def model(tiny_z_image_folder: Path) -> FlowCheckpoint:
    return flow_loaded(tiny_z_image_folder)


@pytest.fixture(scope="module")
def pipeline(tiny_z_image_folder: Path) -> ZImagePipeline:
    found = ZImagePipeline.from_pretrained(tiny_z_image_folder, local_files_only=True, low_cpu_mem_usage=False)
    found.set_progress_bar_config(disable=True)
    return found


def encoded(model: FlowCheckpoint, *texts: str) -> tuple[Encoding, int]:
    """P~ with [I] before "lady", and the others plain; and where [I] is."""
    plain = model.tokenizer.encode(TEXT)
    place = plain.positions("lady")[0]
    with torch.no_grad():
        prompts = [model.tokenizer.with_identity(plain, [place]), *map(model.tokenizer.encode, texts)]
        return model.encode(prompts).encoding, place


@torch.no_grad()
def test_plain_prompts_are_encoded_as_diffusers_does(model: FlowCheckpoint, pipeline: ZImagePipeline) -> None:
    """Each as long as it is, with room for thoughts in the template."""
    found = model.encode([*map(model.tokenizer.encode, (TEXT, LONG)), None]).encoding
    wanted, _ = pipeline.encode_prompt([TEXT, LONG, ""], device="cpu", do_classifier_free_guidance=False)
    assert found.lengths == tuple(map(len, wanted))
    for row, right in enumerate(wanted):
        assert_close(found.states[row, : len(right)], right)


@torch.no_grad()
def test_a_plain_picture_is_the_pipelines(model: FlowCheckpoint, pipeline: ZImagePipeline) -> None:
    """Schedule, velocities, guidance (which it counts from 0), pixels; the rows' prompts are not equally long."""
    noise = latent_of(1)
    options = {"height": 8 * SIZE[0], "width": 8 * SIZE[1], "num_inference_steps": 3, "guidance_scale": 3.0}
    wanted = pipeline(prompt=LONG, latents=noise, output_type="pt", **options).images
    denoiser, walk = Denoiser(model), model.process.walk(SIZE, 3)
    encoding = model.encode([model.tokenizer.encode(LONG), None]).encoding
    latent = noise
    for index, time in enumerate(walk.timesteps):
        words, empty = denoiser(latent.repeat(2, 1, 1, 1), time, encoding).split(1)
        latent = walk.step(empty + 4.0 * (words - empty), index, latent)
    assert_close((model.decode(latent) / 2 + 0.5).clamp(0, 1), wanted)


@torch.no_grad()
def test_a_latent_is_the_posteriors(model: FlowCheckpoint, pipeline: ZImagePipeline) -> None:
    pixels = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(0)) * 2 - 1
    mean, std = model.latent_moments(pixels)
    posterior = pipeline.vae.encode(pixels).latent_dist
    assert_close(mean / 0.36 + 0.12, posterior.mean)
    assert_close(std / 0.36, posterior.std)


@torch.no_grad()
@pytest.mark.parametrize("second", [False, True], ids=["Eq. 3", "second mask"])
@pytest.mark.parametrize("renormalise", [False, True], ids=["post_softmax", "renormalise"])
def test_velocities_under_masks(model: FlowCheckpoint, second: bool, renormalise: bool) -> None:
    """Beside a longer prompt, whose row makes this one end in nothing that may be looked at."""
    denoiser = Denoiser(model)
    encoding, place = encoded(model, LONG)
    denoiser.control.second_mask = second
    denoiser.control.semantics = "renormalise" if renormalise else "post_softmax"
    masks = [TokenMask((0,), (place, place + 1), MaskPyramid(painted()))]
    latents = torch.cat([latent_of(1), latent_of(2)])
    found = denoiser(latents, 0.7, encoding, masks=masks)
    plain = denoiser(latents, 0.7, encoding)
    reference = reference_of(model, 3, SIZE)
    branch = Branch(SIZE, dict.fromkeys((place, place + 1), painted()), renormalise=renormalise, second_mask=second)
    masked = reference.noise(latents[:1], 0.7, encoding[:1], branch)
    assert_close(found[:1], masked)
    assert_close(found[1:], reference.noise(latents[1:], 0.7, encoding[1:], Branch(SIZE)))
    assert (plain[:1] - masked).abs().max() > 1e-4


@torch.no_grad()
def test_injected_queries_and_keys_reweighted_words_and_maps(model: FlowCheckpoint) -> None:
    denoiser = Denoiser(model)
    encoding, place = encoded(model, LONG)
    factors = torch.ones(512)
    factors[place + 1] = 1.5
    injection = Injection(0, 1, torch.eye(1), torch.ones(1), factors, cross=False, self_queries=24, reweights=True)
    shape = (SIZE[0] // 2, SIZE[1] // 2)
    recorder = Recorder(shape, {0: (place + 1,), 1: (place, place + 1)})
    latents = torch.cat([latent_of(1), latent_of(2)])
    masks = [TokenMask((0,), (place,), MaskPyramid(painted()))]
    found = denoiser(latents, 0.4, encoding, masks=masks, injection=injection, recorder=recorder)
    reference = reference_of(model, 3, SIZE)
    source = Branch(SIZE, {place: painted()})
    target = Branch(SIZE, source=source, equalizer=factors.numpy(), self_queries=24)
    assert_close(found[:1], reference.noise(latents[:1], 0.4, encoding[:1], source))
    assert_close(found[1:], reference.noise(latents[1:], 0.4, encoding[1:], target))
    for row, branch in ((0, source), (1, target)):
        maps = torch.stack(branch.cross_maps)[..., list(recorder.columns[row])]
        assert_close(recorder.maps[row], maps.sum(dim=(0, 1, 3)).view(shape))


def test_trajectory(model: FlowCheckpoint) -> None:
    encoding, place = encoded(model)
    masks = [TokenMask((0,), (place,), MaskPyramid(painted()))]
    walk = model.process.walk(SIZE, 4)
    found = ddim_inversion(Denoiser(model), walk, latent_of(3), encoding, masks, lambda _: None)
    with torch.no_grad():
        wanted = reference_of(model, 4, SIZE).invert(latent_of(3), encoding, {place: painted()})
    assert_close(found, torch.cat(wanted))


def test_published_shapes(tiny_z_image_folder: Path) -> None:
    """The configuration that memory is counted by has Z-Image's parameters, on the meta device."""
    assert family_of(tiny_z_image_folder) is FAMILIES["z-image"]
    model = published(FAMILIES["z-image"])
    assert isinstance(model, FlowCheckpoint)
    counted = {name: sum(weight.numel() for weight in one.parameters()) for name, one in model.networks().items()}
    assert (counted["transformer"], counted["vae"]) == (6_154_908_736, 83_819_683)
    model.control().set_latent_size(128, 96)
    words = Encoding(torch.empty(2, 60, 2560, device="meta"), lengths=(60, 60))
    with torch.no_grad():
        found = model.predict(torch.empty(2, 16, 128, 96, device="meta"), torch.empty(2, device="meta"), words)
    assert found.shape == (2, 16, 128, 96)
