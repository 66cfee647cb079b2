"""Stage 2: sample the target from the source's noise, with Prompt-to-Prompt injection, Eq. 3 and LocalBlend."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..errors import MaskError
from ..model.backbone import Encoding
from ..settings import EditSettings, InversionMode
from .alignment import Alignment
from .attention import Injection, Recorder, TokenMask
from .diffusion import Denoiser
from .inversion import Inversion
from .masks import local_blend_mask
from .process import Walk

_ROUNDING = 1e-9
"""More than the binary rounding error of a fraction times at most 1,000 steps."""


@dataclass(frozen=True, eq=False)
class Branches:
    """What the sampling is conditioned on.

    Args:
        source, target: encodings of P~ and P~*. null: of the empty prompt (of P~ in mode "npi").
        alignment: of the two prompts.
        source_masks, target_masks: Eq. 3 for the source and the target branch, with row 0 as a placeholder.
        null_masks: the same for the unconditional branches; empty unless their encoding has [I] (mode "npi").
    """

    source: Encoding
    target: Encoding
    null: Encoding
    alignment: Alignment
    source_masks: Sequence[TokenMask] = ()
    target_masks: Sequence[TokenMask] = ()
    null_masks: Sequence[TokenMask] = ()


@dataclass(frozen=True, eq=False)
class Sampled:
    """The target's latent (1×4×h×w) and where it may differ from the source (h×w bool; None means everywhere)."""

    latent: Tensor
    blend: Tensor | None


@dataclass(frozen=True)
class RowPlan:
    """Which rows a step computes: the source row is left out once nothing looks at it."""

    rows: tuple[str, ...]

    def index(self, row: str) -> int:
        return self.rows.index(row)

    def injection(self, carried: Injection, *, cross: bool, self_queries: int) -> Injection:
        """What is carried over in this step, from the row where the source is to the row where the target is."""
        source = self.index("source") if "source" in self.rows else 0
        return replace(carried, source=source, target=self.index("target"), cross=cross, self_queries=self_queries)


def within(index: int, fraction: float, steps: int) -> bool:
    """Whether step `index` of `steps` lies in the first `fraction` of them, rounded down; 1 means all.

    The published Prompt-to-Prompt takes `int(fraction * steps)` for self-attention and LocalBlend, where 0.58 of 50 is
    28 because of binary rounding, and `int(fraction * (steps + 1))` for cross-attention, where it is 29. Here one rule
    holds for all three: where fraction · steps is a whole number in decimals, that many steps are meant.
    """
    return index < int(fraction * steps + _ROUNDING)


def guidance_at(settings: EditSettings, index: int, steps: int) -> float:
    """The guidance scale in step `index` of `steps`: w, and 1, the conditional prediction alone, once guidance ends."""
    return settings.guidance if within(index, settings.guidance_until, steps) else 1.0


@torch.no_grad()
def sample(
    denoiser: Denoiser,
    walk: Walk,
    inversion: Inversion,
    branches: Branches,
    settings: EditSettings,
    mode: InversionMode,
    *,
    edit_mask: Tensor | None,
    map_shape: tuple[int, int],
    on_step: Callable[[int, Tensor], None],
) -> Sampled:
    """Denoise from z_T to the target's latent.

    Where the source branch's latents are known beforehand (`Inversion.source_path`) it needs no unconditional pass, and
    none at all once nothing looks at it; elsewhere it is sampled beside the target with the same guidance.

    Args:
        edit_mask: h×w float32 at the latent's size, > 0 where pixels may change; it takes the place of the words' maps.
        map_shape: (H, W) of the layers whose maps steer LocalBlend.
        on_step: called after the prediction of each step with its number and the target's clean latent as predicted.
    Raises:
        MaskError: LocalBlend's maps are all zero.
    """
    carried = _carried(branches.alignment, inversion.trajectory.device)
    by_words = edit_mask is None and settings.local_blend
    recorder = Recording(branches.alignment, map_shape) if by_words else None
    source = target = walk.passed(inversion.trajectory)[-1:]
    known = inversion.source_path(mode)
    path = None if known is None else walk.passed(known)
    largest = _injected_queries(settings, source.shape[-2], source.shape[-1])
    blend = None if edit_mask is None else edit_mask > 0
    for index, time in enumerate(walk.timesteps):
        cross = denoiser.model.carries_words and within(index, settings.cross_replace, walk.steps)
        queries = largest if within(index, settings.self_replace, walk.steps) else 0
        guidance = guidance_at(settings, index, walk.steps)
        plan = _plan(
            guided=guidance != 1,
            sampled=path is None,
            # In mode "npi" the source's null prediction is its conditional one, and guidance changes nothing.
            guided_source=mode != "npi",
            needs_source=cross or queries > 0 or (recorder is not None and recorder.both),
        )
        latents, encodings = batch(plan, source, target, branches, _null(inversion, branches, index))
        noise = denoiser(
            latents,
            time,
            encodings,
            masks=masks_of(plan, branches),
            injection=plan.injection(carried, cross=cross, self_queries=queries),
            recorder=recorder.listen(plan) if recorder else None,
        )
        guided = {row: noise[plan.index(row)].unsqueeze(0) for row in plan.rows}
        target_noise = guided_of(guided, "target", guidance)
        on_step(index, walk.clean(target_noise, index, target))
        target = walk.step(target_noise, index, target)
        if path is not None:
            source = path[-2 - index].unsqueeze(0)
        else:
            source = walk.step(guided_of(guided, "source", guidance), index, source)
        blending = not within(index, settings.local_blend_start, walk.steps)
        if recorder is not None and blending:
            blend = recorder.blend_mask(latents.shape[-2:], settings.local_blend_threshold)
        if blend is not None and blending:
            target = source + blend * (target - source)
    return Sampled(target, blend)


def _carried(alignment: Alignment, device: torch.device) -> Injection:
    """An alignment on the device, not yet in force: every step says for which rows and layers it holds."""
    arrays = (alignment.mapper, alignment.alphas, alignment.equalizer)
    mapper, alphas, equalizer = (torch.from_numpy(array).to(device) for array in arrays)
    reweights = bool((alignment.equalizer != 1).any())
    return Injection(0, 0, mapper, alphas, equalizer, cross=False, self_queries=0, reweights=reweights)


class Recording:
    """The changed words' maps of both branches, summed over all steps so far."""

    def __init__(self, alignment: Alignment, shape: tuple[int, int]) -> None:
        self._columns = {"source": alignment.changed_source, "target": alignment.changed_target}
        self._sums: dict[str, Tensor] = {}
        self._shape = shape
        self._last: tuple[Recorder, RowPlan] | None = None

    @property
    def both(self) -> bool:
        """Whether the source branch has a changed word of its own."""
        return bool(self._columns["source"])

    def listen(self, plan: RowPlan) -> Recorder:
        """A recorder for the rows of the next step."""
        self._collect()
        columns = {plan.index(row): columns for row, columns in self._columns.items() if columns and row in plan.rows}
        self._last = (Recorder(self._shape, columns), plan)
        return self._last[0]

    def blend_mask(self, size: tuple[int, ...], threshold: float) -> Tensor:
        """Where the edit may differ from the source: the union of both branches' LocalBlend masks.

        Args:
            size: (h, w) of the latent. threshold: of each map divided by its maximum, 0 to 1.
        Returns:
            h×w bool.
        Raises:
            MaskError: `mask_empty`, where the changed words attend to nothing.
        """
        self._collect()
        masks = [local_blend_mask(found, (size[0], size[1]), threshold) for found in self._sums.values()]
        union = torch.stack(masks).any(dim=0) if masks else torch.zeros(())
        if not bool(union.any()):
            raise MaskError(
                "The model finds no place for the change in the picture.",
                code="mask_empty",
                hint="Paint where the picture may change, or word the target prompt differently.",
            )
        return union

    def _collect(self) -> None:
        if self._last is not None:
            recorder, plan = self._last
            for row, found in recorder.maps.items():
                name = plan.rows[row]
                self._sums[name] = self._sums[name] + found if name in self._sums else found
            self._last = None


def _injected_queries(settings: EditSettings, height: int, width: int) -> int:
    """The largest layer whose self-attention is injected: the bound is a square picture's, and grows with its shape.

    Thus 512×768 px get what 512×512 px get, the layers from 32×48 on.
    """
    return settings.self_replace_max_queries * max(height, width) // min(height, width)


def _plan(*, guided: bool, sampled: bool, guided_source: bool, needs_source: bool) -> RowPlan:
    """The rows of a step; `sampled`: whether the source branch goes its own way, by guidance with `guided_source`."""
    rows = [*(["null source"] if guided and sampled and guided_source else []), *(["null target"] if guided else [])]
    return RowPlan((*rows, *(["source"] if sampled or needs_source else []), "target"))


def _null(inversion: Inversion, branches: Branches, index: int) -> Encoding:
    null = branches.null
    return null if inversion.null is None else null.with_states(inversion.null[index : index + 1])


def batch(plan: RowPlan, source: Tensor, target: Tensor, branches: Branches, null: Encoding) -> tuple[Tensor, Encoding]:
    """Latents and encodings of a step's rows."""
    latents = {"null source": source, "source": source, "null target": target, "target": target}
    encodings = {"null source": null, "null target": null, "source": branches.source, "target": branches.target}
    return torch.cat([latents[row] for row in plan.rows]), Encoding.cat([encodings[row] for row in plan.rows])


def masks_of(plan: RowPlan, branches: Branches) -> list[TokenMask]:
    """Eq. 3 with the placeholder rows replaced by those of this step."""
    chosen = {
        "source": branches.source_masks,
        "target": branches.target_masks,
        "null source": branches.null_masks,
        "null target": branches.null_masks,
    }
    return [TokenMask((plan.index(row),), mask.positions, mask.pyramid) for row in plan.rows for mask in chosen[row]]


def guided_of(noise: dict[str, Tensor], row: str, guidance: float) -> Tensor:
    """Classifier-free guidance of one branch."""
    null = noise.get(f"null {row}")
    return noise[row] if null is None else null + guidance * (noise[row] - null)
