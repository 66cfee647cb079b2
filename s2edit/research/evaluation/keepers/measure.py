"""Whether an edit is one that a painter would keep, at the picture's own size; all in floating point. Torch-free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Region = NDArray[np.bool_]
Box = tuple[int, int, int, int]

GAIN, DAMAGE, SHARP = 0.6, 35.0, (0.6, 1.6)
"""What a keeper reaches: least gain, least dB, and between which shares of the truth's gradient energy it lies."""
UNTOUCHED = 60.0
"""dB that count where nothing at all has changed, so that means stay finite."""
_QUANTUM = 0.25
"""Mean squared gradient that counts as none, in squared levels: rounding alone makes as much on a plain wall."""


@dataclass(frozen=True)
class Measured:
    """An edit's measure.

    Args:
        gain: 1 - MSE(result, truth) / MSE(source, truth) where something has to change: 0 when nothing happened, 1 when
            it is right, below 0 when it is worse than nothing.
        damage: PSNR(result, source) where nothing has to change, inside the portrait; dB, at most `UNTOUCHED`.
        sharp: gradient energy of the result where something has to change, as a share of the truth's.
        beyond: PSNR(result, source) outside the portrait, in a larger picture; `UNTOUCHED` when there is no outside.
        answer: number of the truth that came nearest.
    """

    gain: float
    damage: float
    sharp: float
    beyond: float
    answer: int

    @property
    def keeper(self) -> bool:
        """Whether a painter would keep it."""
        return is_keeper(self.gain, self.damage, self.sharp)


def is_keeper(gain: float, damage: float, sharp: float) -> bool:
    """The rule: enough of what was asked, nothing else harmed, neither blurred nor rough."""
    return gain >= GAIN and damage >= DAMAGE and SHARP[0] <= sharp <= SHARP[1]


def measure(
    source: Picture, result: Picture, truths: Sequence[Picture], changes: Sequence[Region], portrait: Box
) -> Measured:
    """Judge a result against the nearest of the right answers.

    Args:
        source, result, truths: H x W x 3 uint8 each. changes: H x W, where each truth asks for a change.
        portrait: x, y, width, height of what belongs to the portrait.
    Raises:
        ValueError: a size differs, or a truth asks for no change.
    """
    if result.shape != source.shape or any(truth.shape != source.shape for truth in truths):
        raise ValueError(f"The picture has the size {source.shape}, the result {result.shape}.")
    gains = [_gain(source, result, truth, where) for truth, where in zip(truths, changes, strict=True)]
    nearest = int(np.argmax(gains))
    x, y, width, height = portrait
    inside = np.zeros(source.shape[:2], bool)
    inside[y : y + height, x : x + width] = True
    changed = changes[nearest]
    return Measured(
        gain=gains[nearest],
        damage=_psnr(result, source, inside & ~changed),
        sharp=_energy(result, changed) / _energy(truths[nearest], changed),
        beyond=_psnr(result, source, ~inside & ~changed),
        answer=nearest,
    )


def _gain(source: Picture, result: Picture, truth: Picture, where: Region) -> float:
    asked = _squared(source[where], truth[where])
    if asked == 0:
        raise ValueError("A truth asks for no change.")
    return 1 - _squared(result[where], truth[where]) / asked


def _squared(one: Picture, other: Picture) -> float:
    return float(np.square(one.astype(np.float64) - other).mean())


def _psnr(one: Picture, other: Picture, where: Region) -> float:
    """dB over a region; `UNTOUCHED` for equal pixels, and for no pixels."""
    if not where.any():
        return UNTOUCHED
    error = _squared(one[where], other[where])
    return UNTOUCHED if error == 0 else min(UNTOUCHED, float(10 * np.log10(255.0**2 / error)))


def _energy(picture: Picture, where: Region) -> float:
    """Mean squared gradient of the luminance (the channels' mean) by forward differences, in squared levels."""
    rows, columns = np.flatnonzero(where.any(axis=1)), np.flatnonzero(where.any(axis=0))
    part = np.s_[rows[0] : rows[-1] + 2, columns[0] : columns[-1] + 2]
    light = picture[part].mean(axis=2)
    down = np.diff(light, axis=0, append=light[-1:])
    right = np.diff(light, axis=1, append=light[:, -1:])
    return float((down**2 + right**2)[where[part]].mean()) + _QUANTUM
