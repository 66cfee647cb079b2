"""An invisible mark in the pixels of an edit: it survives what strips metadata, and lies inside alpha > 0 only.

A fixed pattern, one tile repeated, is added to the luminance, stronger where the picture is busy (spread spectrum: Cox
et al., "Secure Spread Spectrum Watermarking for Multimedia", IEEE TIP 1997; a tiled pattern that is found by
correlation wherever it was cut: Kalker et al., "A Video Watermarking System for Broadcast Monitoring", SPIE 3657,
1999). It says one thing, that S²Edit made an edit here: no name, no number. The detector whitens the picture,
correlates each block with the tile at all shifts, and adds up blocks within windows of several sizes, at several
scales. The pattern is public, as all of this program: who wants to take the mark out can. Why not a library, and all
figures: `python -m tests.benchmarks.watermark`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

TILE = 64
"""Side of the pattern's tile, px."""
RING = (5.0, 13.0)
"""The pattern's frequencies, cycles per tile: what neither JPEG nor halving takes away, nor the eye sees first."""
KEY = b"S2Edit watermark 1"
STRENGTH = 0.3
"""The pattern's standard deviation as a share of the picture's own around it."""
LEAST, MOST = 1.0, 3.0
"""Bounds of the pattern's standard deviation, 8-bit steps."""
AROUND = 16
"""Side of the square whose standard deviation counts, px."""
THRESHOLD = 7.0
"""Peak of the correlation over its standard deviation from which on the mark counts as found: measured, see above."""
SELF_CHECK = 9.0
"""What a fresh mark has to reach, so that it survives what happens to pictures."""
FLAT = 0.05
"""Standard deviation of a block, 8-bit steps, below which it holds nothing but rounding: it says neither yes nor no."""
STRIDE = TILE // 2
"""From block to block, px."""
PIECE = 1_024
"""Side of the pieces in which large pictures are looked through, px."""
USUAL = (0.5, 1.5, 0.75, 0.8, 2 / 3, 1.25, 2.0)
"""Sizes, as a share of the size that the picture had, that are tried when its own shows nothing."""
SCALES = tuple(sorted((float(1.02**step) for step in range(-38, 26) if step), key=lambda scale: abs(np.log(scale))))
"""Sizes for a thorough search: 0.47 to 1.64 in steps that a window of half a piece bears."""


@dataclass(frozen=True)
class Found:
    """What the detector saw.

    Args:
        score: the highest peak, in standard deviations. scale: the size at which it was, as a share of the size before.
        box: x, y, width, height of the window, px of the picture as given.
    """

    score: float
    scale: float
    box: tuple[int, int, int, int]

    @property
    def sure(self) -> bool:
        """Whether the mark counts as found."""
        return self.score >= THRESHOLD


def tile() -> Plane:
    """The pattern, TILE x TILE, mean 0 and standard deviation 1: phases from a hash, amplitudes all the same."""
    frequency = np.fft.fftfreq(TILE, 1 / TILE)
    radius = np.hypot(frequency[:, None], frequency[None, :])
    digest = b"".join(hashlib.sha256(KEY + number.to_bytes(2, "big")).digest() for number in range(TILE * TILE // 16))
    phases = np.frombuffer(digest, ">u2").reshape(TILE, TILE) * (2 * np.pi / 65_536)
    ring = (radius >= RING[0]) & (radius <= RING[1])
    # The real part of any spectrum is a real picture; its energy stays within the ring.
    drawn = np.fft.ifft2(np.where(ring, np.exp(1j * phases), 0)).real
    return np.asarray(drawn / drawn.std(), np.float32)


def embed(patch: NDArray[Any], alpha: NDArray[Any]) -> tuple[NDArray[Any], float]:
    """The patch with the mark in it, or as it was where it can't carry one.

    Args:
        patch: H x W x {1, 3}, uint8, uint16 or float32 (1.0 is white).
        alpha: H x W (x 1), of any of these; 0 is outside.
    Returns:
        The patch, and the detector's score on it in its place over nothing; below SELF_CHECK the patch is unchanged.
    """
    plane = alpha.reshape(alpha.shape[:2])
    inside = plane > 0
    luma = luminance(patch)
    height, width = luma.shape
    repeated = np.tile(tile(), (-(-height // TILE), -(-width // TILE)))[:height, :width]
    strength = np.clip(STRENGTH * _deviation(luma), LEAST, MOST)
    added = np.where(inside, repeated * strength * _step(patch.dtype), 0)[:, :, None]
    changed = patch.astype(np.float32) + added
    if patch.dtype.kind == "u":
        changed = np.clip(np.rint(changed), 0, np.iinfo(patch.dtype).max)
    marked = np.where(inside[:, :, None], changed.astype(patch.dtype), patch)
    weight = plane.astype(np.float32) / (np.iinfo(plane.dtype).max if plane.dtype.kind == "u" else 1.0)
    seen, score = luma + (luminance(marked) - luma) * weight, 0.0
    for x, y in _places(height, width, PIECE):
        if score < SELF_CHECK and inside[y : y + PIECE, x : x + PIECE].any():
            score = max(score, _look(seen[y : y + PIECE, x : x + PIECE])[0])
    return (marked, score) if score >= SELF_CHECK else (patch, score)


def detect(
    picture: NDArray[Any], scales: Sequence[float] = USUAL, watch: Callable[[float], None] = lambda _done: None
) -> Found:
    """Look for the mark; stops at the first scale at which it is found, its own size first.

    Args:
        picture: H x W x bands, uint8 or uint16: gray or RGB; a band behind those is alpha and left out.
        scales: which sizes besides its own are tried.
        watch: hears how much is done, 0 to 1; what it raises ends the search.
    """
    height, width = picture.shape[:2]
    places = {scale: _places(height, width, round(PIECE * scale)) for scale in (1.0, *scales)}
    every, done = sum(map(len, places.values())), 0
    best = Found(0.0, 1.0, (0, 0, width, height))
    for scale, these in places.items():
        for place in these:
            watch(done / every)
            done += 1
            found = _at(picture, scale, place)
            if found.score > best.score:
                best = found
        if best.score >= SELF_CHECK or (scale == 1.0 and best.sure):
            break
    return best


def luminance(picture: NDArray[Any]) -> Plane:
    """Mean of the colours in 8-bit steps, H x W."""
    colours = picture[:, :, : 1 if picture.shape[2] < 3 else 3]
    plane: Plane = colours.mean(axis=2, dtype=np.float32)
    return plane / np.float32(_step(picture.dtype))


def _step(dtype: np.dtype[Any]) -> float:
    """An 8-bit step in this kind of sample."""
    return {"u1": 1.0, "u2": 257.0}.get(dtype.str[1:], 1 / 255)


def _at(picture: NDArray[Any], scale: float, place: tuple[int, int]) -> Found:
    """What is in the piece whose left upper corner is there."""
    x, y = place
    side = round(PIECE * scale)
    score, (left, top, width, height) = _look(_resized(luminance(picture[y : y + side, x : x + side]), scale))
    left, top, width, height = (round(length * scale) for length in (left, top, width, height))
    return Found(score, scale, (x + left, y + top, width, height))


def _places(height: int, width: int, side: int) -> list[tuple[int, int]]:
    """x and y of pieces of this side, each half over the next."""
    rows, columns = (
        range(0, max(1, length - side // 2), side // 2 if length > side else side) for length in (height, width)
    )
    return [(x, y) for y in rows for x in columns]


def _look(luma: Plane) -> tuple[float, tuple[int, int, int, int]]:
    """Highest peak over all windows of blocks, and the window's x, y, width, height, px."""
    height, width = luma.shape
    if height < TILE or width < TILE:
        luma = np.pad(luma, ((0, max(0, TILE - height)), (0, max(0, TILE - width))), mode="reflect")
    maps = _correlations(luma)
    rows, columns = maps.shape[:2]
    total = np.zeros((rows + 1, columns + 1, TILE, TILE), np.float32)
    np.cumsum(np.cumsum(maps, axis=0), axis=1, out=total[1:, 1:])
    best, where = 0.0, (0, 0, width, height)
    for high, wide in _windows(rows, columns):
        down, right = slice(None, None, max(1, high // 4)), slice(None, None, max(1, wide // 4))
        upper, lower = total[:-high][down], total[high:][down]
        sums = (lower[:, wide:] - upper[:, wide:])[:, right] - (lower[:, :-wide] - upper[:, :-wide])[:, right]
        # One block has a deviation of 1; what is below comes of flat blocks alone, and is rounding.
        peaks = sums.max(axis=(2, 3)) / np.maximum(sums.std(axis=(2, 3)), 1)
        at = np.unravel_index(int(peaks.argmax()), peaks.shape)
        if peaks[at] > best:
            best = float(peaks[at])
            left, top = int(at[1]) * (right.step or 1) * STRIDE, int(at[0]) * (down.step or 1) * STRIDE
            where = (left, top, (wide - 1) * STRIDE + TILE, (high - 1) * STRIDE + TILE)
    return best, where


def _windows(rows: int, columns: int) -> Iterator[tuple[int, int]]:
    """Sizes of windows in blocks: doubling, square and two to one, and the whole."""
    sizes = {(rows, columns)}
    side = 2
    while side <= max(rows, columns):
        for high, wide in ((side, side), (side, 2 * side), (2 * side, side)):
            sizes.add((min(high, rows), min(wide, columns)))
        side *= 2
    yield from sorted(sizes)


def _correlations(luma: Plane) -> Plane:
    """Each block's correlation with the pattern at all shifts: rows x columns x TILE x TILE, of equal energy or 0."""
    blocks = np.lib.stride_tricks.sliding_window_view(luma, (TILE, TILE))[::STRIDE, ::STRIDE]
    spectra = np.fft.rfft2(blocks - blocks.mean(axis=(2, 3), keepdims=True))
    pattern = np.fft.rfft2(tile())
    power = (np.abs(spectra) ** 2).mean(axis=(0, 1))
    frequency = np.fft.fftfreq(TILE, 1 / TILE)
    radius = np.rint(np.hypot(frequency[:, None], np.arange(TILE // 2 + 1)[None, :])).astype(int)
    counts = np.bincount(radius.ravel())
    ring = (np.bincount(radius.ravel(), power.ravel()) / np.maximum(counts, 1))[radius] + 1e-3
    found = np.fft.irfft2(spectra * pattern.conj() / ring).astype(np.float32)
    found -= found.mean(axis=(2, 3), keepdims=True)
    found /= found.std(axis=(2, 3), keepdims=True) + 1e-6
    found[blocks.std(axis=(2, 3)) < FLAT] = 0
    # A block that begins in the middle of a tile sees the pattern moved by half a tile.
    found[1::2] = np.roll(found[1::2], STRIDE, axis=2)
    found[:, 1::2] = np.roll(found[:, 1::2], STRIDE, axis=3)
    return found


def _deviation(luma: Plane) -> Plane:
    """Standard deviation within the square around each pixel."""
    deviation: Plane = np.sqrt(np.maximum(_mean(luma * luma) - _mean(luma) ** 2, 0))
    return deviation


def _mean(plane: Plane) -> Plane:
    near = AROUND // 2
    padded = np.pad(plane, near, mode="reflect" if min(plane.shape) > near else "edge").astype(np.float64)
    total = np.pad(padded, ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    side = 2 * near + 1
    sums = total[side:, side:] - total[:-side, side:] - total[side:, :-side] + total[:-side, :-side]
    return np.asarray(sums / side**2, np.float32)


def _resized(luma: Plane, scale: float) -> Plane:
    """The piece at the size that it had before it was scaled."""
    if scale == 1.0:
        return luma
    import pyvips

    image = pyvips.Image.new_from_array(np.ascontiguousarray(luma))
    resized: Plane = image.resize(1 / scale, kernel="cubic").numpy()
    return resized
