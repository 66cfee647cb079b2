"""Stage 1 and the inversion of a picture, each made once and found again: in memory, else on disk, else made."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import torch
from filelock import BaseFileLock, Timeout
from torch import Tensor

from .cache import DiskCache, array_digest, digest
from .job import Job
from .method.attention import Recorder, TokenMask
from .method.diffusion import Denoiser
from .method.identity import Example, encode_prompt, fine_tune, token_masks
from .method.inversion import Inversion, ddim_inversion, null_text_optimisation
from .method.masks import MaskPyramid, object_mask
from .method.prompts import Prompt
from .model.backbone import Backbone, Encoding
from .model.device import empty_cache
from .model.levels import changed_weights
from .picture.region import LATENT_STRIDE
from .requests import ObjectSpec, Pixels
from .settings import AUTOMATIC, EditSettings, Level, Settings

LOG = logging.getLogger(__name__)

_VERSION = 1
"""Of the computation: raised when the same request would give other deltas or trajectories."""
_KEPT_PICTURES = 8
"""Latents of pictures that are kept; Stable Diffusion's are 128 KiB each."""


@dataclass(frozen=True, eq=False)
class Subject:
    """A picture to learn from, ready for the model.

    Args:
        image: as given. plain, prompt: P and P~. objects: with words and painted masks.
        mean, std: of the latent's posterior. painted: each painted mask at the model's size, or None.
    """

    image: Pixels
    plain: Prompt
    prompt: Prompt
    objects: tuple[ObjectSpec, ...]
    mean: Tensor
    std: Tensor
    painted: tuple[Tensor | None, ...]

    @property
    def size(self) -> tuple[int, int]:
        """The model's (h, w), px."""
        return (self.mean.shape[-2] * LATENT_STRIDE, self.mean.shape[-1] * LATENT_STRIDE)

    def words(self) -> tuple[tuple[int, ...], ...]:
        """Positions of the objects' words in P~."""
        return tuple(self.prompt.positions(spec.word) for spec in self.objects)


@dataclass(frozen=True, eq=False)
class Identity:
    """What stage 1 gave: its key, and M of each object of each subject, h×w."""

    key: str
    masks: tuple[tuple[Tensor, ...], ...]

    def pyramids(self, subject: int = 0) -> tuple[MaskPyramid, ...]:
        """M of a subject's objects for the attention layers."""
        return tuple(MaskPyramid(mask) for mask in self.masks[subject])


class Stages:
    """Keeps a checkpoint's networks, which identity they carry, and the cache.

    Args:
        checkpoint, denoiser: on the device. cache: or None for memory only.
    """

    def __init__(self, checkpoint: Backbone, denoiser: Denoiser, cache: DiskCache | None) -> None:
        self.checkpoint, self.denoiser = checkpoint, denoiser
        self._cache = cache
        self._base = checkpoint.learned()
        self._identity: Identity | None = None
        self._inversion: tuple[str, Inversion] | None = None
        self._encoded: dict[str, tuple[Tensor, Tensor]] = {}
        self._clean = True

    @torch.no_grad()
    def moments(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """`Backbone.latent_moments`, kept for the last few pictures: fine-tuning leaves the autoencoder alone.

        Args:
            pixels: 1×3×H×W in [-1, 1].
        Returns:
            Mean and standard deviation, 1×C×h×w each.
        """
        key = array_digest(pixels.numpy())
        if key not in self._encoded:
            if len(self._encoded) >= _KEPT_PICTURES:
                self._encoded.clear()
            self._encoded[key] = self.checkpoint.latent_moments(pixels.to(self.checkpoint.device))
        return self._encoded[key]

    def identity(self, subjects: Sequence[Subject], settings: Settings, seed: int, job: Job) -> tuple[Identity, bool]:
        """Have the networks carry the identity of these subjects; also whether it was found rather than made."""
        key = self._key(subjects, settings, seed)
        self._note(key)
        if self._identity is not None and self._identity.key == carried_key(key, settings):
            return self._identity, True
        if self._cache is None:
            return self._learn(key, subjects, settings, seed, job), False
        with _held(self._cache.lock(key), job):
            stored = self._cache.get(key)
            if stored is not None:
                return self._recall(key, stored, subjects, settings), True
            return self._learn(key, subjects, settings, seed, job), False

    def known_level(self, subjects: Sequence[Subject], settings: Settings, seed: int) -> Level | None:
        """The most faithful level at which the identity of these subjects was learned already, None for none."""
        for level in AUTOMATIC:
            tried = settings.replace_from({"identity.level": level})
            key = self._key(subjects, tried, seed)
            if (self._identity and self._identity.key == carried_key(key, tried)) or (
                self._cache is not None and key in self._cache
            ):
                return level
        return None

    def _key(self, subjects: Sequence[Subject], settings: Settings, seed: int) -> str:
        return identity_key(self.checkpoint.model_hash, self.denoiser.autocast, subjects, settings, seed)

    def inversion(
        self, identity: Identity, subject: Subject, null: Encoding, settings: Settings, job: Job
    ) -> tuple[Inversion, bool]:
        """The first subject's path to noise; also whether it was found rather than made."""
        key = inversion_key(identity.key, settings)
        self._note(key)
        if self._inversion is not None and self._inversion[0] == key:
            return self._inversion[1], True
        found = self._cache.get(key) if self._cache is not None else None
        if found is not None:
            device = self.checkpoint.device
            # Copied, because kernels round differently on memory that is not aligned, as a mapped file's is not.
            kept = {name: tensor.to(device, copy=True) for name, tensor in found.items()}
            inversion = Inversion(kept["trajectory"], kept.get("null"), retraced=kept.get("retraced"))
        else:
            inversion = self._invert(identity, subject, null, settings, job)
            parts = {"trajectory": inversion.trajectory, "null": inversion.null, "retraced": inversion.retraced}
            self._keep(key, {name: tensor for name, tensor in parts.items() if tensor is not None})
        self._inversion = (key, inversion)
        return inversion, found is not None

    def automatic_mask(self, mean: Tensor, prompt: Prompt, word: str, settings: EditSettings, job: Job) -> Tensor:
        """M from the base model's attention to a word.

        Args:
            mean: 1×C×h×w, the picture's latent. prompt: has the word.
        Returns:
            H×W at the model's size, 0 or 1.
        Raises:
            MaskError: `mask_empty`, where the model finds no place for the word. Cancelled.
        """
        self.restore()
        checkpoint = self.checkpoint
        latent_size = (mean.shape[-2], mean.shape[-1])
        recorder = Recorder(map_shape(latent_size, settings, checkpoint), {0: prompt.positions(word)})
        with torch.no_grad():
            encoding = checkpoint.encode([prompt]).encoding
            # The same noise for every picture: the mask is no lottery.
            noise = torch.randn(mean.shape, generator=torch.Generator().manual_seed(0)).to(mean.device)
            for time, noisy in checkpoint.process.listened(mean, noise):
                job.check()
                self.denoiser(noisy, time, encoding, recorder=recorder)
        size = (latent_size[0] * LATENT_STRIDE, latent_size[1] * LATENT_STRIDE)
        return object_mask(recorder.maps[0], size, settings.mask_threshold, word)

    def _note(self, key: str) -> None:
        if self._cache is not None:
            try:
                self._cache.note(key)
            except OSError as error:  # as in `_keep`: the entry can't be made either
                LOG.warning("the cache can't be written: %s", error)

    def restore(self) -> None:
        """Put the published weights back."""
        if not self._clean:
            self._base.restore()
            self._clean = True
        self._identity = None

    def _learn(self, key: str, subjects: Sequence[Subject], settings: Settings, seed: int, job: Job) -> Identity:
        self.restore()
        masks = tuple(
            tuple(
                self.automatic_mask(subject.mean, subject.plain, spec.word, settings.edit, job)
                if painted is None
                else painted
                for spec, painted in zip(subject.objects, subject.painted, strict=True)
            )
            for subject in subjects
        )
        identity = Identity(carried_key(key, settings), masks)
        examples = [
            Example(subject.mean, subject.std, subject.plain, subject.prompt, identity.pyramids(k), subject.words())
            for k, subject in enumerate(subjects)
        ]
        self._clean = False
        if settings.identity.learns:
            self._base.keep(changed_weights(self.checkpoint, settings.identity.level))
            fine_tune(self.checkpoint, self.denoiser, examples, settings.identity, seed, job.step)
        deltas = self._base.take_deltas()
        named = {f"mask.{i}.{k}": mask for i, group in enumerate(masks) for k, mask in enumerate(group)}
        self._keep(key, deltas | named)
        if settings.identity.strength < 1:
            self._base.apply(deltas, settings.identity.strength)
        self._identity = identity
        empty_cache(self.checkpoint.device)
        return identity

    def _keep(self, key: str, tensors: dict[str, Tensor]) -> None:
        """Store an entry; a full disk costs the next edit time, but not this edit its result."""
        if self._cache is not None:
            try:
                self._cache.put(key, tensors)
            except OSError as error:
                LOG.warning("not cached: %s", error.strerror or error)

    def _recall(self, key: str, stored: dict[str, Tensor], subjects: Sequence[Subject], settings: Settings) -> Identity:
        device = self.checkpoint.device
        masks = tuple(
            tuple(stored.pop(f"mask.{i}.{k}").to(device, copy=True) for k in range(len(subject.objects)))
            for i, subject in enumerate(subjects)
        )
        self._clean = False
        self._identity = None
        self._base.apply(stored, settings.identity.strength)
        self._identity = Identity(carried_key(key, settings), masks)
        return self._identity

    def _invert(self, identity: Identity, subject: Subject, null: Encoding, settings: Settings, job: Job) -> Inversion:
        if settings.inversion.mode == "flowedit":
            return Inversion(subject.mean)
        size = (subject.mean.shape[-2], subject.mean.shape[-1])
        walk = self.checkpoint.process.walk(size, settings.inversion.steps)
        self.denoiser.control.obey(settings.identity)
        with torch.no_grad():
            encoding = encode_prompt(self.checkpoint, subject.prompt, subject.plain, settings.identity)
        masks = self.masks(identity, subject.prompt, subject.words(), settings)
        trajectory = ddim_inversion(self.denoiser, walk, subject.mean, encoding, masks, job.step)
        if settings.inversion.mode != "null_text":
            return Inversion(trajectory)
        return null_text_optimisation(
            self.denoiser,
            walk,
            trajectory,
            encoding,
            null,
            masks,
            guidance=settings.edit.guidance,
            settings=settings.inversion,
            on_step=lambda step: job.step(settings.inversion.steps + step),
        )

    def masks(
        self, identity: Identity, prompt: Prompt, words: Sequence[tuple[int, ...]], settings: Settings
    ) -> list[TokenMask]:
        """Eq. 3 for row 0 of a prompt with the first subject's identity tokens; empty for a plain prompt."""
        if not prompt.identity:
            return []
        return token_masks((0,), prompt, words, identity.pyramids(), settings.identity)


@contextmanager
def _held(lock: BaseFileLock, job: Job) -> Iterator[None]:
    """Hold a lock that another process may keep for minutes, without being deaf to a cancel meanwhile."""
    while True:
        try:
            lock.acquire(timeout=0.2)
            break
        except Timeout:
            job.check()
    try:
        yield
    finally:
        lock.release()


def map_shape(latent: tuple[int, int], settings: EditSettings, checkpoint: Backbone) -> tuple[int, int]:
    """(H, W) of the layers whose maps are recorded: SD's 16×16, and 8×8 in a model of 128 px.

    Where no layer of the asked stride attends to words, the next finer one's, else the finest that does.
    """
    wanted = settings.map_stride or (4 if checkpoint.native_size >= 256 else 2)
    strides = checkpoint.map_strides
    stride = max((one for one in strides if one <= wanted), default=min(strides))
    return (latent[0] // stride, latent[1] // stride)


def identity_key(
    model: str, autocast: torch.dtype | None, subjects: Sequence[Subject], settings: Settings, seed: int
) -> str:
    """Of stage 1: everything that its outcome depends on, up to float32's rounding."""
    pictures: list[dict[str, Any]] = [
        {
            "image": array_digest(subject.image),
            "size": subject.size,
            "prompt": [subject.plain.text, list(subject.prompt.ids)],
            "objects": [[spec.word, array_digest(spec.mask)] for spec in subject.objects],
        }
        for subject in subjects
    ]
    learned = {name: value for name, value in asdict(settings.identity).items() if name != "strength"}
    if not settings.identity.learns:
        learned["steps"] = 0
    automatic = any(spec.mask is None for subject in subjects for spec in subject.objects)
    mask = [settings.edit.mask_threshold, settings.edit.map_stride] if automatic else None
    return digest(
        {
            "version": _VERSION,
            "model": model,
            "autocast": str(autocast),
            "pictures": pictures,
            "mask": mask,
            "seed": seed,
            "settings": learned,
        }
    )


def carried_key(learned: str, settings: Settings) -> str:
    """Of what the networks carry: all of what was learned has that one's key, a part of it another."""
    strength = settings.identity.strength
    return learned if strength == 1 else digest({"learned": learned, "strength": strength})


def inversion_key(identity: str, settings: Settings) -> str:
    """Of the inversion: guidance counts only where the null embedding is fitted to it."""
    inversion = asdict(settings.inversion)
    mode = inversion.pop("mode")
    null = {**inversion, "guidance": settings.edit.guidance} if mode == "null_text" else None
    walked = {"steps": settings.inversion.steps} if mode != "flowedit" else {"steps": 0}
    return digest({"identity": identity, **walked, "null": null})
