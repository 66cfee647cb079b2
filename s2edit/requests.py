"""What goes into the engine and what comes out: plain records over numpy arrays. Torch-free."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .profiles import profile
from .settings import Settings

Pixels = NDArray[Any]
"""H×W×C, uint8 (0..255), uint16 (0..65535) or float32 (0..1 nominal), sRGB-encoded."""
Mask = NDArray[np.uint8]
"""H×W uint8; above 127 means inside."""

Phase = Literal["loading", "identity", "inversion", "editing", "compositing"]


@dataclass(frozen=True, eq=False)
class ObjectSpec:
    """An object of the source prompt whose identity is to be kept.

    Args:
        word: the word (or words in a row) that names it in the source prompt.
        mask: where it is, of the image's size, or None to find it from the attention to `word`.
    """

    word: str
    mask: Mask | None = None


@dataclass(frozen=True, eq=False)
class EditRequest:
    """One edit of one picture.

    Args:
        image: the crop at native resolution, H×W×{1 gray, 2 gray+A, 3 RGB, 4 RGBA}.
        source: a prompt describing the picture. target: the same prompt, changed.
        objects: at least one, but for an instruction; the first is the main object. A painted object mask also bounds
            where pixels may change, unless `edit_mask` is given.
        edit_mask: where pixels may change, of the image's size.
        seed: of the fine-tuning's noise; same request and seed, same result on the same device.
        references: pictures that an instruction may speak of, for models that take one (`instruct`): `target` is the
            instruction then, `source` and `objects` are empty.
    """

    image: Pixels
    source: str
    target: str
    objects: tuple[ObjectSpec, ...]
    edit_mask: Mask | None = None
    settings: Settings = field(default_factory=lambda: profile("balanced"))
    seed: int = 0
    references: tuple[Pixels, ...] = ()


@dataclass(frozen=True, eq=False)
class ComposeRequest:
    """Carry an attribute of a reference picture over to the source picture (the paper's section 3.3).

    Args:
        image, source: the picture to change and its prompt, e.g. "a lady". reference, reference_prompt: the
            picture to take from and its prompt, e.g. "a model with makeup"; the model sees it at the size of the other
            one, so that a picture of another shape is squeezed. mix: the prompt of the result, e.g.
            "a lady with makeup".
        word: the object's word in `source` and `mix`. attribute: the attribute's word in `reference_prompt` and `mix`.
        mask: the object in `image`, or None. reference_mask: the attribute in `reference`, or None.
        edit_mask: where pixels of `image` may change, or None.
    """

    image: Pixels
    reference: Pixels
    source: str
    reference_prompt: str
    mix: str
    word: str
    attribute: str
    mask: Mask | None = None
    reference_mask: Mask | None = None
    edit_mask: Mask | None = None
    settings: Settings = field(default_factory=lambda: profile("balanced"))
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Progress:
    """A step of a phase: `step` of `total` done, and now and then a small preview (h×w×3 uint8)."""

    phase: Phase
    step: int
    total: int
    preview: NDArray[np.uint8] | None = None


@dataclass(frozen=True, eq=False)
class EditResult:
    """The edited crop, as a layer with a feathered alpha.

    Args:
        patch: H×W×{1, 3}, the image's colour channels and dtype; no alpha channel.
        alpha: H×W, the image's dtype; exactly 0 where nothing may change.
        object_mask: H×W uint8 (0 or 255), the M that was used.
        box: x, y, w, h of alpha > 0, px.
        record: JSON-able: seed, settings, model_hash, mask hashes, phases {name: seconds},
            box, view (x, y, w, h; what the model was shown), fades (whether the change goes on beyond it),
            guidance (w of the attempt that was taken), unet_forwards {identity, inversion, editing},
            cached {identity, inversion}, model_size [h, w], device, upscaler (its digest, "" for none),
            compiled (whether torch.compile worked on the U-Net); of an instruction also engine, references (how many)
            and registration {matched, and shift and stretch (down, across), moved (of the furthest corner), px, and
            share; or why}.
    """

    patch: Pixels
    alpha: Pixels
    object_mask: Mask
    box: tuple[int, int, int, int]
    record: dict[str, Any]


ProgressCallback = Callable[[Progress], None]
CancelCallback = Callable[[], bool]


def no_progress(_: Progress) -> None:
    """Report nothing."""


def never_cancelled() -> bool:
    """Go on."""
    return False
