"""An edit by a model that takes an instruction, inside S²Edit's own crop, compositing and record.

Such a model draws the whole picture anew, and shifts, zooms and tints what nobody asked for. So its answer is laid
over the picture by what was not to change (`picture.registration`), its tint is taken off there (`picture.tint`), and
what it did is composited as any other edit is: outside the mask every sample stays as it was.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .cache import array_digest
from .engine import Engine
from .errors import CheckpointError, ImageError, PromptError, SettingError
from .job import Job
from .model.checkpoints import model_hash
from .model.device import choose_device, empty_cache, free_bytes, memory_figures, out_of_memory
from .model.instructed import MOST_REFERENCES, Instructed, instructed_of
from .model.instructed_weights import load_pipelines
from .picture import imaging
from .picture.compositing import composite
from .picture.esrgan import Enlarger
from .picture.finishing import Finish, as_drawn, finish_of
from .picture.imaging import bounding_box
from .picture.registration import Registered, Unmatched, register
from .picture.tint import untinted
from .picture.upscaling import Upscaler, load_upscaler
from .requests import (
    CancelCallback,
    EditRequest,
    EditResult,
    Mask,
    Pixels,
    ProgressCallback,
    never_cancelled,
    no_progress,
)
from .settings import Settings

_LONGEST = 8
"""How many times longer than wide a reference may be."""
_TOKENS = 512
"""That a sentence may have, with the few that stand around it."""
_ROOM = 1.1
"""How many times its weights' bytes have to be free for both halves of the model to be on the device at once."""


@dataclass(frozen=True, eq=False)
class _Loaded:
    """A model: what encodes sentences, and what draws (diffusers' pipelines), and what lies beside them."""

    words: Any
    draws: Any
    model_hash: str
    upscaler: Upscaler | Enlarger | None


class InstructEngine:
    """A model that takes instructions on a device; the same to callers as `engine.Engine`. One edit at a time.

    Args:
        checkpoint: a diffusers folder of a kind in `model.instructed`. kind: that kind.
        device: as of `Engine`. dtype: as of `Engine`; "auto" is bfloat16 everywhere, as these models are published.
        threads: of the CPU, or None to leave torch's number.
    """

    def __init__(
        self,
        checkpoint: Path,
        kind: Instructed,
        *,
        device: str = "auto",
        dtype: str = "auto",
        threads: int | None = None,
    ) -> None:
        self._path, self._kind = checkpoint, kind
        self._device = choose_device(device)
        known = {"auto": torch.bfloat16, "bfloat16": torch.bfloat16, "float16": torch.float16}
        self._dtype = known.get(dtype, torch.float32)
        self._loaded: _Loaded | None = None
        if threads:
            torch.set_num_threads(threads)

    def work_for(self, user: str) -> None:
        """Nothing is learned of a picture, so nothing is kept for anybody."""

    def edit(
        self,
        request: EditRequest,
        progress: ProgressCallback = no_progress,
        cancelled: CancelCallback = never_cancelled,
    ) -> EditResult:
        """Carry out `request.target` on its picture.

        Raises:
            PromptError, MaskError, ImageError, SettingError: the request can't be met, or without a painted mask the
                answer can't be laid over the picture (`answer_unmatched`).
            CheckpointError, OutOfMemory, Cancelled: as they say; the engine can be used again.
        """
        check_request(request)
        request.settings.validate()
        job = Job(progress, cancelled)
        with out_of_memory(self._device, "nothing"), torch.inference_mode():
            with job.phase("loading"):
                model = self._load()
            size = self._size(request.image, request.settings)
            with job.phase("editing", self._kind.steps):
                shown = imaging.model_input(request.image, size)
                latents = self._drawn(model, request, shown, job)
            with job.phase("compositing"):
                before, answer = self._decoded(model, shown), self._decoded(model, latents=latents)
                finish = finish_of(model.upscaler if request.settings.blend.upscale else None, job.check)
                result = laid_in(request, (shown + 1) / 2, before, answer, finish)
        return replace(result, record=result.record | self._record(request, model, size, job))

    def compose(self, *_: object, **__: object) -> NoReturn:
        """Raise SettingError: a reference goes with an instruction here."""
        raise SettingError(
            f"“{self._kind.title}” takes one instruction and no composition.",
            hint="Give the reference picture along with an instruction, or choose another model.",
        )

    def automatic_mask(self, *_: object, **__: object) -> NoReturn:
        """Raise SettingError: the model doesn't tell where it sees a word."""
        raise SettingError(
            f"“{self._kind.title}” can't find an object.", hint="Paint the mask, or choose another model."
        )

    def unload(self) -> None:
        """Give the memory back; the next edit loads again."""
        self._loaded = None
        empty_cache(self._device)

    def memory(self) -> dict[str, int]:
        """Bytes: "used" by the networks (on CUDA by torch), "free" on the device (0 when the system doesn't tell)."""
        figures = memory_figures(self._device, None)
        if self._device.type == "cpu" and self._loaded is not None:
            figures["used"] = sum(weight.nbytes for weight in _weights(self._loaded.words, self._loaded.draws))
        return figures

    def _load(self) -> _Loaded:
        if self._loaded is None:
            words, draws = load_pipelines(self._path, self._kind, self._dtype)
            self._loaded = _Loaded(words, draws, model_hash(self._path), load_upscaler(self._path))
        return self._loaded

    def _size(self, image: Pixels, settings: Settings) -> tuple[int, int]:
        return self._kind.model_size(image.shape[1], image.shape[0], settings.native_size or None)

    def _drawn(self, model: _Loaded, request: EditRequest, shown: Tensor, job: Job) -> Tensor:
        """The answer's latent, 1×C×h×w."""
        _check_length(model.words.tokenizer, request.target)
        others = [imaging.model_input(each, self._size(each, request.settings)) for each in request.references]
        pictures = [_picture(each) for each in (shown, *others)]
        together = self._fit_together(model)
        if not together:  # each half is on the device alone then
            model.draws.to("cpu")
            empty_cache(self._device)
        states, _ = model.words.to(self._device).encode_prompt(request.target, device=self._device)
        if not together:
            model.words.to("cpu")
            empty_cache(self._device)
        job.check()

        def stepped(_pipeline: object, step: int, _time: object, values: dict[str, Any]) -> dict[str, Any]:
            job.step(step + 1)
            return values

        answer = model.draws.to(self._device)(
            image=pictures,
            prompt_embeds=states,
            height=shown.shape[-2],
            width=shown.shape[-1],
            num_inference_steps=self._kind.steps,
            guidance_scale=1.0,
            generator=torch.Generator().manual_seed(request.seed),
            output_type="latent",
            callback_on_step_end=stepped,
            return_dict=False,
        )
        latents: Tensor = answer[0]
        return latents

    def _fit_together(self, model: _Loaded) -> bool:
        """Whether both halves of the model can be on the device at once, what is there already included."""
        needed = sum(weight.nbytes for weight in _weights(model.words, model.draws))
        available = free_bytes(self._device) + memory_figures(self._device, None)["used"]
        return self._device.type == "cpu" or available > _ROOM * needed

    def _decoded(self, model: _Loaded, pixels: Tensor | None = None, *, latents: Tensor | None = None) -> Tensor:
        """A latent, or a picture's own, as the autoencoder draws it: 1×3×h×w in [0, 1], on the CPU."""
        vae = model.draws.vae
        if pixels is not None:
            latents = vae.encode(pixels.to(self._device, vae.dtype)).latent_dist.mode()
        assert latents is not None
        drawn: Tensor = vae.decode(latents.to(self._device, vae.dtype)).sample
        return ((drawn.float().cpu() + 1) / 2).clamp(0, 1)

    def _record(self, request: EditRequest, model: _Loaded, size: tuple[int, int], job: Job) -> dict[str, Any]:
        upscaled = model.upscaler is not None and request.settings.blend.upscale
        return {
            "engine": "instruct",
            "seed": request.seed,
            "settings": request.settings.as_dict(),
            "model_hash": model.model_hash,
            "masks": {"objects": [], "edit": array_digest(request.edit_mask)},
            "phases": {name: round(seconds, 4) for name, seconds in job.seconds.items()},
            "unet_forwards": {"identity": 0, "inversion": 0, "editing": self._kind.steps},
            "cached": {},
            "model_size": list(size),
            "device": str(self._device),
            "references": len(request.references),
            "upscaler": model.upscaler.digest if upscaled and model.upscaler is not None else "",
            "compiled": False,
            "view": [0, 0, request.image.shape[1], request.image.shape[0]],
        }


def open_engine(checkpoint: Path, **options: Any) -> Engine | InstructEngine:
    """The engine of a checkpoint: `InstructEngine` for models that take instructions, else `Engine`.

    Args:
        options: of `Engine`; what an `InstructEngine` has no use for is passed over.
    """
    kind = instructed_of(checkpoint)
    if kind is None:
        return Engine(checkpoint, **options)
    taken = {name: options[name] for name in ("device", "dtype", "threads") if name in options}
    return InstructEngine(checkpoint, kind, **taken)


def check_request(request: EditRequest) -> None:
    """Raise what is wrong with a request to a model that takes an instruction."""
    imaging.check_image(request.image)
    imaging.check_masks(request.image, request.objects, request.edit_mask)
    if len(request.references) > MOST_REFERENCES:
        raise ImageError(f"At most {MOST_REFERENCES} references can be given.", hint="Leave some out.")
    for reference in request.references:
        imaging.check_image(reference, "reference picture")
        if max(reference.shape[:2]) > _LONGEST * min(reference.shape[:2]):
            raise ImageError(
                f"A reference picture is more than {_LONGEST} times longer than wide.",
                code="image_size",
                hint="Cut it to what matters.",
            )
    if not request.target.strip():
        raise PromptError("There is no instruction.", code="empty_prompt", hint="Say what should change.")
    if request.source.strip() or request.objects:
        raise PromptError(
            "This model takes one instruction, and no description of the picture or word for an object.",
            hint="Say only what should change, such as “add sunglasses”, or choose another model.",
        )


def _check_length(tokenizer: Any, sentence: str) -> None:
    around = tokenizer.apply_chat_template([{"role": "user", "content": sentence}], tokenize=False)
    if len(tokenizer(around)["input_ids"]) > _TOKENS:
        raise PromptError(
            "The instruction is too long for the model.", code="prompt_too_long", hint="Say it in fewer words."
        )


def _weights(*pipelines: Any) -> list[Tensor]:
    modules = [part for each in pipelines for part in each.components.values() if isinstance(part, torch.nn.Module)]
    return [weight for module in modules for weight in module.parameters()]


def _picture(shown: Tensor) -> Image.Image:
    """1×3×h×w in [-1, 1] as the pipeline takes it."""
    return Image.fromarray(imaging.preview(shown))


def laid_in(
    request: EditRequest, shown: Tensor, before: Tensor, answer: Tensor, finish: Finish = as_drawn
) -> EditResult:
    """The answer over the picture: registered, without its tint, composited.

    Args:
        shown, before, answer: 1×3×h×w in [0, 1]: the picture as the model saw it, as its autoencoder draws it, and
            what was made of it. finish: what draws the edit larger.
    Raises:
        ImageError: `answer_unmatched`, for an answer that can't be laid over a picture without a painted mask: nobody
            knows then which of it was asked for.
    """
    size = (answer.shape[-2], answer.shape[-1])
    painted = request.edit_mask
    inside = None if painted is None else imaging.model_mask(painted, size) > 0
    if not bool(torch.isfinite(answer).all()):
        raise CheckpointError(
            "The model's answer is no picture: it has values that are not numbers.",
            hint="Choose another precision, or verify the model.",
        )
    found = register(shown, answer, inside)
    if isinstance(found, Unmatched) and inside is not None:
        # A mask over nearly everything leaves too little beside it; most of what it covers may still be the same.
        found, inside = register(shown, answer), None
    blend, edit_mask = None, painted
    if isinstance(found, Registered):
        answer, seen = found.laid(answer)
        agrees = found.agrees * seen
        answer = untinted(answer, before, agrees if inside is None else agrees * ~inside)
        if painted is None:
            blend = seen
        else:
            edit_mask = np.minimum(painted, imaging.image_mask(seen.float(), (painted.shape[0], painted.shape[1])))
    elif painted is None:
        raise ImageError(found.why, code="answer_unmatched", hint="Paint over what may change, and try again.")
    # Without a mask, what the model left alone is told by the difference alone.
    settings = request.settings.blend if painted is not None else replace(request.settings.blend, detail=True)
    patch, alpha = composite(request.image, answer * 2 - 1, edit_mask, blend, settings, before * 2 - 1, finish)
    told = _registration(found, (request.image.shape[0], request.image.shape[1]))
    box = bounding_box(alpha > 0)
    return EditResult(patch, alpha, _object_mask(painted, alpha), box, {"registration": told, "box": list(box)})


def _object_mask(painted: Mask | None, alpha: Pixels) -> Mask:
    return imaging.binary(painted) if painted is not None else (alpha > 0).astype(np.uint8) * np.uint8(255)


def _registration(found: Registered | Unmatched, size: tuple[int, int]) -> dict[str, Any]:
    """What the record says: how far the answer lay off, px of the picture, or why nobody knows."""
    if isinstance(found, Unmatched):
        return {"matched": False, "why": found.why}
    shift = [round(part * length / 2, 3) for part, length in zip(found.shift, size, strict=True)]
    return {
        "matched": True,
        "shift": shift,
        "stretch": [round(part, 5) for part in found.stretch],
        "moved": round(found.moved(size), 3),
        "share": round(found.share, 3),
    }
