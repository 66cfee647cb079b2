"""FLUX.2 klein's topology: the plain pipeline, and every quantity of section 7.1, against literal references."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers import Flux2KleinPipeline

from s2edit.method.attention import Injection, Recorder, TokenMask
from s2edit.method.diffusion import Denoiser
from s2edit.method.inversion import ddim_inversion
from s2edit.method.masks import MaskPyramid
from s2edit.method.prompts import MAX_IDENTITIES
from s2edit.model.backbone import Encoding
from s2edit.model.checkpoints import load
from s2edit.model.families import FAMILIES
from s2edit.model.klein import KleinCheckpoint
from s2edit.model.memory_counts import published
from tests.parity.flow_checks import SIZE, TEXT, assert_close, latent_of, painted
from tests.parity.reference_attention import Branch
from tests.parity.reference_flow import KleinReference, literal_states

pytestmark = pytest.mark.usefixtures("no_network")


@pytest.fixture
def model(tiny_klein_folder: Path) -> KleinCheckpoint:
    found = load(tiny_klein_folder)
    assert isinstance(found, KleinCheckpoint)
    return found


@pytest.fixture(scope="module")
def pipeline(tiny_klein_folder: Path) -> Flux2KleinPipeline:
    found = Flux2KleinPipeline.from_pretrained(tiny_klein_folder, local_files_only=True, low_cpu_mem_usage=False)
    found.set_progress_bar_config(disable=True)
    return found


def encoded(model: KleinCheckpoint, *texts: str) -> Encoding:
    """P~ with [I] before "lady", and the others plain."""
    plain = model.tokenizer.encode(TEXT)
    prompts = [model.tokenizer.with_identity(plain, [plain.positions("lady")[0]])]
    with torch.no_grad():
        return model.encode([*prompts, *(model.tokenizer.encode(text) for text in texts)]).encoding


def identity_of(model: KleinCheckpoint) -> int:
    return model.tokenizer.encode(TEXT).positions("lady")[0]


@torch.no_grad()
def test_plain_prompts_are_encoded_as_diffusers_does(model: KleinCheckpoint, pipeline: Flux2KleinPipeline) -> None:
    texts = [TEXT, "“two” hats: a man & a lady?"]
    found = model.encode([*(model.tokenizer.encode(text) for text in texts), None]).encoding.states
    plain = [*(model.tokenizer.encode(text).text for text in texts), ""]
    assert_close(found, torch.cat([pipeline.encode_prompt(text, device="cpu")[0] for text in plain]))


@torch.no_grad()
def test_encoding_with_identity(model: KleinCheckpoint, pipeline: Flux2KleinPipeline) -> None:
    """[I]'s row takes part as any token's; it starts as the mean of a rare word's pieces."""
    plain = model.tokenizer.encode(TEXT)
    prompt = model.tokenizer.with_identity(plain, [plain.positions("lady")[0], plain.positions("smiling")[0]])
    assert prompt.identity == (plain.positions("lady")[0], plain.positions("smiling")[0] + 1)
    table = pipeline.text_encoder.get_input_embeddings().weight
    rare = pipeline.tokenizer("sks", add_special_tokens=False).input_ids
    model.rows.rows[1] += 0.5
    first = model.tokenizer.vocabulary_size
    rows = {first: table[rare].mean(dim=0), first + 1: table[rare].mean(dim=0) + 0.5}
    assert model.rows.rows.shape[0] == MAX_IDENTITIES
    wanted = literal_states(pipeline.text_encoder, prompt.ids, rows, (9, 18, 27))
    found = model.encode([prompt])
    assert_close(found.encoding.states[0, : len(prompt.ids)], wanted)
    assert found.spaces[0] is found.encoding.states
    # e_P: of the last own token, here the word's last piece; what follows is the template's.
    assert plain.sentence == plain.positions("smiling")[-1]


@torch.no_grad()
@pytest.mark.parametrize("guidance", [1.0, 4.0])
def test_a_plain_picture_is_the_pipelines(
    model: KleinCheckpoint, pipeline: Flux2KleinPipeline, guidance: float
) -> None:
    """Under a control that asks for nothing: schedule, velocities, guidance, and pixels."""
    height, width = 8 * SIZE[0], 8 * SIZE[1]
    noise = latent_of(1)
    options = {"height": height, "width": width, "num_inference_steps": 3, "guidance_scale": guidance}
    packed = Flux2KleinPipeline._patchify_latents(noise)
    wanted = pipeline(prompt=TEXT, latents=packed, output_type="pt", **options).images
    denoiser, walk = Denoiser(model), model.process.walk(SIZE, 3)
    encoding = model.encode([model.tokenizer.encode(TEXT), None]).encoding
    latent = noise
    for index, time in enumerate(walk.timesteps):
        words, empty = denoiser(latent.repeat(2, 1, 1, 1), time, encoding).split(1)
        latent = walk.step(empty + guidance * (words - empty), index, latent)
    assert_close((model.decode(latent) / 2 + 0.5).clamp(0, 1), wanted)


@torch.no_grad()
def test_latents_are_the_pipelines(model: KleinCheckpoint, pipeline: Flux2KleinPipeline) -> None:
    pixels = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(0)) * 2 - 1
    mean, std = model.latent_moments(pixels)
    encoded = pipeline._encode_vae_image(pixels, torch.Generator())
    assert_close(Flux2KleinPipeline._patchify_latents(mean), encoded)
    drawn = pipeline.vae.encode(pixels).latent_dist
    shifted = drawn.mean + drawn.std
    spread = pipeline.vae.bn.running_var.view(1, -1, 1, 1) + pipeline.vae.config.batch_norm_eps
    moved = (Flux2KleinPipeline._patchify_latents(shifted) - pipeline.vae.bn.running_mean.view(1, -1, 1, 1)) / (
        spread**0.5
    )
    assert_close(Flux2KleinPipeline._patchify_latents(mean + std), moved)


@torch.no_grad()
@pytest.mark.parametrize("second", [False, True], ids=["Eq. 3", "second mask"])
@pytest.mark.parametrize("renormalise", [False, True], ids=["post_softmax", "renormalise"])
def test_velocities_under_masks(model: KleinCheckpoint, second: bool, renormalise: bool) -> None:
    """Row 0 has [I] masked, row 1 is plain: both blocks' processors against the formula."""
    denoiser, place = Denoiser(model), identity_of(model)
    denoiser.control.second_mask = second
    denoiser.control.semantics = "renormalise" if renormalise else "post_softmax"
    encoding = encoded(model, "a photo of a man, smiling")
    masks = [TokenMask((0,), (place, place + 1), MaskPyramid(painted()))]
    latents = torch.cat([latent_of(1), latent_of(2)])
    found = denoiser(latents, 0.7, encoding, masks=masks)
    plain = denoiser(latents, 0.7, encoding)
    reference = KleinReference(model.transformer, model.scheduler, 3, SIZE)
    branch = Branch(SIZE, dict.fromkeys((place, place + 1), painted()), renormalise=renormalise, second_mask=second)
    masked = reference.noise(latents[:1], 0.7, encoding[:1], branch)
    assert_close(found[:1], masked)
    assert_close(found[1:], reference.noise(latents[1:], 0.7, encoding[1:], Branch(SIZE)))
    assert (plain[:1] - masked).abs().max() > 1e-3


@torch.no_grad()
def test_injected_queries_and_keys_reweighted_words_and_maps(model: KleinCheckpoint) -> None:
    denoiser, place = Denoiser(model), identity_of(model)
    encoding = encoded(model, "a photo of a man, smiling")
    length = encoding.states.shape[1]
    factors = torch.ones(length)
    factors[place + 1] = 1.5
    injection = Injection(
        0, 1, torch.eye(length), torch.ones(length), factors, cross=False, self_queries=24, reweights=True
    )
    shape = (SIZE[0] // 2, SIZE[1] // 2)
    recorder = Recorder(shape, {0: (place + 1,), 1: (place, place + 1)})
    latents = torch.cat([latent_of(1), latent_of(2)])
    masks = [TokenMask((0,), (place,), MaskPyramid(painted()))]
    found = denoiser(latents, 0.4, encoding, masks=masks, injection=injection, recorder=recorder)
    reference = KleinReference(model.transformer, model.scheduler, 3, SIZE)
    source = Branch(SIZE, {place: painted()})
    target = Branch(SIZE, source=source, equalizer=factors.numpy(), self_queries=24)
    assert_close(found[:1], reference.noise(latents[:1], 0.4, encoding[:1], source))
    assert_close(found[1:], reference.noise(latents[1:], 0.4, encoding[1:], target))
    for row, branch in ((0, source), (1, target)):
        maps = torch.stack(branch.cross_maps)[..., list(recorder.columns[row])]
        assert_close(recorder.maps[row], maps.sum(dim=(0, 1, 3)).view(shape))


def test_trajectory(model: KleinCheckpoint) -> None:
    """The ODE backwards, conditional on P~ with Eq. 3 in force."""
    place, encoding = identity_of(model), encoded(model)
    walk = model.process.walk(SIZE, 4)
    masks = [TokenMask((0,), (place,), MaskPyramid(painted()))]
    found = ddim_inversion(Denoiser(model), walk, latent_of(3), encoding, masks, lambda _: None)
    reference = KleinReference(model.transformer, model.scheduler, 4, SIZE)
    with torch.no_grad():
        assert_close(found, torch.cat(reference.invert(latent_of(3), encoding, {place: painted()})))


def test_published_shapes() -> None:
    """The configuration that memory is counted by has klein 4B's parameters, on the meta device."""
    model = published(FAMILIES["klein"])
    assert isinstance(model, KleinCheckpoint)
    counted = {
        name: sum(weight.numel() for weight in network.parameters()) for name, network in model.networks().items()
    }
    added = MAX_IDENTITIES * 2560
    assert counted == {"transformer": 3_875_544_576, "text_encoder": 4_022_468_096 + added, "vae": 84_046_115}
    model.control().set_latent_size(128, 96)
    words = Encoding(torch.empty(2, 512, 7680, device="meta"))
    with torch.no_grad():
        found = model.predict(torch.empty(2, 32, 128, 96, device="meta"), torch.empty(2, device="meta"), words)
    assert found.shape == (2, 32, 128, 96)
    assert len(model.projections()) == 5 * 8 + 20 * 2
