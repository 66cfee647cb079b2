"""How much an upscaler gains over plain enlarging, on fresh pictures, against the renderer's own large ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from s2edit.starter.assess import FIRST_SEED, open_pipeline, psnr
from s2edit.starter.pairs import draw_pair
from s2edit.starter.portraits import PORTRAITS
from s2edit.starter.train_upscaler import to_unit
from s2edit.upscaling import SCALE, load_upscaler

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from s2edit.starter.domain import Domain


def gradient_energy(picture: NDArray[np.uint8]) -> float:
    """Sum of the squared differences between neighbours, over both directions and all colours."""
    values = picture.astype(np.float64)
    return float(sum(np.square(np.diff(values, axis=axis)).sum() for axis in (0, 1)))


def _pillow(filtering: str) -> Callable[[NDArray[np.uint8]], NDArray[np.uint8]]:
    from PIL import Image

    def enlarge(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        size = (SCALE * picture.shape[1], SCALE * picture.shape[0])
        return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling[filtering]))

    return enlarge


def enlargers(model: Path) -> dict[str, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]]:
    """Ways to make (h, w, 3) uint8 pictures four times as large: the plain ones, and the checkpoint's if it has one."""
    found = {"bicubic": _pillow("BICUBIC"), "lanczos": _pillow("LANCZOS")}
    upscaler = load_upscaler(model)
    if upscaler is not None:

        def learned(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
            enlarged = upscaler(to_unit(picture[None]))[0].permute(1, 2, 0).mul(255).round()
            return np.asarray(enlarged.numpy(), dtype=np.uint8)

        found[f"upscaler {upscaler.digest}"] = learned
    return found


def upscaler_report(model: Path, out: Path | None, *, count: int, domain: Domain[Any] = PORTRAITS) -> str:
    """Say PSNR and share of the truth's gradient energy for every enlarger, as text; with `out`, write the pictures.

    Half of the fresh things went through the checkpoint's autoencoder alone, half through its U-Net as well.
    """
    ways, pipeline = enlargers(model), open_pipeline(model)
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    for seed in range(FIRST_SEED, FIRST_SEED + count):
        drawn, truth = draw_pair(pipeline, domain, seed)
        row = []
        for name, enlarge in ways.items():
            enlarged = enlarge(drawn)
            row.append(enlarged)
            figures = psnr(enlarged, truth), gradient_energy(enlarged) / gradient_energy(truth)
            found.setdefault((name, "drawn by the U-Net" if seed % 2 else "autoencoder alone"), []).append(figures)
        if out is not None:
            _save(out / f"{seed}.png", [*row, truth])
    return "\n".join(
        f"{name:25} {through:19} PSNR {ratio:.2f} dB, sharpness {share:.2f} of the truth's, mean of {len(figures)}"
        for (name, through), figures in sorted(found.items(), key=lambda each: each[0][1])
        for ratio, share in [np.mean(figures, axis=0)]
    )


def _save(path: Path, pictures: list[NDArray[np.uint8]]) -> None:
    from PIL import Image

    Image.fromarray(np.concatenate(pictures, axis=1)).save(path)
