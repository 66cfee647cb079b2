"""How much an upscaler gains over the plain sum, on fresh edits, against the renderer's own large pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch.nn.functional as F

from s2edit.picture.upscaling import SCALE, Upscaler, load_upscaler
from s2edit.research.starter.portraits import PORTRAITS
from s2edit.research.training.assess import FIRST_SEED, open_pipeline, psnr
from s2edit.research.training.pairs import draw_edit
from s2edit.research.training.train_upscaler import to_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from s2edit.research.starter.domain import Domain

    Picture = NDArray[np.uint8]
    Finisher = Callable[[Tensor, Tensor, Tensor], Tensor]


def gradient_energy(picture: Picture) -> float:
    """Sum of the squared differences between neighbours, over both directions and all colours."""
    values = picture.astype(np.float64)
    return float(sum(np.square(np.diff(values, axis=axis)).sum() for axis in (0, 1)))


def plain_sum(original: Tensor, before: Tensor, after: Tensor) -> Tensor:
    """The picture and, enlarged, what the edit changed of its reconstruction; shapes as in `Upscaler`."""
    return original + F.interpolate(after - before, scale_factor=SCALE, mode="bicubic")


def pasted(original: Tensor, before: Tensor, after: Tensor) -> Tensor:
    """The edit, enlarged, and nothing of the picture; shapes as in `Upscaler`."""
    del original, before
    return F.interpolate(after, scale_factor=SCALE, mode="bicubic")


def finishers(model: Path) -> dict[str, Finisher]:
    """Ways to make an edit four times as large: the plain ones, and the checkpoint's if it has one."""
    found: dict[str, Finisher] = {"pasted": pasted, "plain sum": plain_sum}
    upscaler = load_upscaler(model)
    return found | {f"upscaler {upscaler.digest}": upscaler} if isinstance(upscaler, Upscaler) else found


def _finished(finish: Finisher, edit: Mapping[str, Picture]) -> Picture:
    given = (to_unit(edit[part][None]) for part in ("source", "before", "after"))
    return np.asarray(finish(*given)[0].clamp(0, 1).permute(1, 2, 0).mul(255).round().numpy(), dtype=np.uint8)


def upscaler_report(model: Path, out: Path | None, *, count: int, domain: Domain[Any] = PORTRAITS) -> str:
    """Say PSNR and share of the truth's gradient energy for every way, as text; with `out`, write the pictures.

    Each picture is that of an edit of a fresh thing, made as those of the training are.
    """
    ways, pipeline = finishers(model), open_pipeline(model)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    for seed in range(FIRST_SEED, FIRST_SEED + count):
        edit = draw_edit(pipeline, domain, seed)
        row = [edit["source"]]
        for name, finish in ways.items():
            row.append(_finished(finish, edit))
            figures = psnr(row[-1], edit["truth"]), gradient_energy(row[-1]) / gradient_energy(edit["truth"])
            found[name].append(figures)
        if out is not None:
            _save(out / f"{seed}.png", [*row, edit["truth"]])
    return "\n".join(
        f"{name:25} PSNR {ratio:.2f} dB, sharpness {share:.2f} of the truth's, mean of {len(figures)}"
        for name, figures in found.items()
        for ratio, share in [np.mean(figures, axis=0)]
    )


def _save(path: Path, pictures: list[Picture]) -> None:
    from PIL import Image

    Image.fromarray(np.concatenate(pictures, axis=1)).save(path)
