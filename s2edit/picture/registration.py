"""Where an answer lies over its source: the shift and stretch that a model gave to what it was not asked to change.

Models that redraw a whole picture from an instruction move and zoom it by some pixels, and tint it. Both pictures are
compared by what neither a tint nor a gradient of light alters, each colour channel less its local mean over its local
spread, and only outside the mask. The first guess is the highest masked normalised cross-correlation (Padfield, 2012)
over shifts and stretches; Gauss-Newton steps on enlarging pictures (Lucas and Kanade, 1981; Baker and Matthews, 2004)
refine it to parts of a pixel, with weights that pass over what the edit changed (Geman and McClure, 1987). A guess is
taken only if it is the one way to lay one picture over the other, and they show the same then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .imaging import resample

LARGEST_SHIFT, LARGEST_STRETCH = 0.1, 0.08
"""Shares of a side by which an answer may be off, and by which its sides may be longer or shorter."""
_COARSE, _FINEST = 96, 256
"""Side of a square with as many pixels as the first and the last picture that is compared."""
_LEAST = 24
"""Shortest side on which anything is told apart, px of the first picture."""
_STRETCHES = tuple(step / 100 for step in range(-6, 7))
"""What is tried first; both sides alike."""
_APART = 4
"""Px of the first picture from which two guesses count as different."""
_AMBIGUOUS = 0.8
"""Share of the best guess's correlation that a different guess may not reach."""
_LOCAL, _FLAT = 0.03, 0.015
"""Of the local mean and spread: reach, as a share of the side; and the spread, of 1, that counts as none."""
_BLOCKS, _SAME, _FEWEST, _AGREEING = 16, 0.5, 8, 0.55
"""Blocks along the longer side; the correlation from which a block shows the same; how many blocks with something in
them there have to be; and the share of them that has to show the same."""
_STEPS, _STILL = 25, 0.005
"""Most steps at a size, and the movement of a corner, px, that ends them."""
_UNSURE = 0.5
"""Px by which a corner's place may be in doubt (a standard deviation), at the finest size."""
_STRAY = 0.5
"""Residuals of this size weigh a quarter; features have a spread of 1."""


@dataclass(frozen=True, eq=False)
class Registered:
    """How an answer lies: what the source shows at x, it shows at (1 + stretch) · x + shift.

    Args:
        stretch, shift: down and across, in a picture that reaches from -1 to 1 on both sides.
        agrees: h×w of the answer in [0, 1], on the source's pixels: where both show the same, once laid over.
        share: of the blocks outside the mask with something in them, those that show the same.
    """

    stretch: tuple[float, float]
    shift: tuple[float, float]
    agrees: Tensor
    share: float

    def moved(self, size: tuple[int, int]) -> float:
        """The furthest way of a corner, px of a picture of that (h, w)."""
        ways = [(abs(s) + abs(t)) * n / 2 for s, t, n in zip(self.stretch, self.shift, size, strict=True)]
        return max(ways)

    def laid(self, answer: Tensor) -> tuple[Tensor, Tensor]:
        """The answer on the source's pixels, bicubic.

        Args:
            answer: 1×C×h×w.
        Returns:
            1×C×h×w, and h×w bool: where the answer has anything to show. Elsewhere its border is repeated.
        """
        grid = _grid(_parameters(self.stretch, self.shift), (answer.shape[-2], answer.shape[-1]))
        values = F.grid_sample(answer.float(), grid, mode="bicubic", padding_mode="border", align_corners=False)
        return values.to(answer.dtype), (grid[0].abs() <= 1).all(dim=-1)


@dataclass(frozen=True)
class Unmatched:
    """That an answer can't be laid over its source, and why: a sentence for a painter."""

    why: str


def register(source: Tensor, answer: Tensor, inside: Tensor | None = None) -> Registered | Unmatched:
    """Find how an answer lies over its source, from what was not to change.

    Args:
        source, answer: 1×3×h×w in [0, 1], any range being tolerated. inside: h×w bool, where the edit was meant to be;
            None where anything may have changed.
    Returns:
        The way, sub-pixel, at most `LARGEST_SHIFT` and `LARGEST_STRETCH`; or why there is none.
    """
    size = (source.shape[-2], source.shape[-1])
    if answer.shape != source.shape:
        raise ValueError(f"an answer of {tuple(answer.shape)} for a source of {tuple(source.shape)}")
    if not bool(torch.isfinite(answer).all()):
        return Unmatched("The model's answer is no picture: it has values that are not numbers.")
    outside = torch.ones(size) if inside is None else 1 - inside.float()
    levels = list(_levels(source.float(), answer.float(), outside))
    if min(levels[0].weight.shape) < _LEAST:
        return Unmatched("The picture is too small or too narrow to be compared with the model's answer.")
    found = _way(levels)
    if isinstance(found, Unmatched):
        return found
    stretch, shift = (float(found[0]), float(found[1])), (float(found[2]), float(found[3]))
    share, _ = _share(levels[-1], found)
    agrees = F.interpolate(_kept(levels[-1], found)[None, None], size, mode="bilinear", align_corners=False)[0, 0]
    return Registered(stretch, shift, agrees, share)


def _way(levels: Sequence[_Level]) -> Tensor | Unmatched:
    """Stretch and shift, guessed at the first size and refined at each."""
    guesses = _guesses(levels[0])
    if not guesses:
        return _too_little()
    if guesses[1][0] > _AMBIGUOUS * guesses[0][0]:
        return Unmatched("What is outside the mask repeats itself: the model's answer fits at several places.")
    parameters, doubt = guesses[0][1], 0.0
    for level in levels:
        found = _refined(level, parameters)
        if found is None:
            return _too_little()
        parameters, doubt = found
        share, blocks = _share(level, parameters)
        if share < _AGREEING / 2:  # larger pictures would say the same, later
            return _other()
    if blocks < _FEWEST or doubt > _UNSURE:
        return _too_little()
    stretch, shift = parameters[:2].abs().max(), parameters[2:].abs().max()
    within = float(stretch) <= LARGEST_STRETCH and float(shift) <= 2 * LARGEST_SHIFT
    return parameters if within and share >= _AGREEING else _other()


def _too_little() -> Unmatched:
    return Unmatched("There is too little outside the mask by which the model's answer could be laid over it.")


def _other() -> Unmatched:
    return Unmatched("The model's answer shows something else than the picture, also where nothing was to change.")


@dataclass(frozen=True, eq=False)
class _Level:
    """Both pictures at a size: features 1×3×h×w, and how much of a pixel counts, h×w in [0, 1]."""

    source: Tensor
    answer: Tensor
    weight: Tensor


def _levels(source: Tensor, answer: Tensor, outside: Tensor) -> Iterator[_Level]:
    """The pictures compared, from the smallest to the largest."""
    height, width = outside.shape
    side = float(_COARSE)
    own = (height * width) ** 0.5
    while True:
        scale = min(1.0, side / own)
        size = (max(1, round(height * scale)), max(1, round(width * scale)))
        reach = max(1, round(_LOCAL * (size[0] * size[1]) ** 0.5))
        weight = F.interpolate(outside[None, None], size, mode="area")
        # What the edit changed reaches into the local means around it.
        weight = -F.max_pool2d(-weight, 2 * reach + 1, stride=1, padding=reach)
        features = [_features(resample(each, size), reach) for each in (source, answer)]
        yield _Level(features[0], features[1], (weight[0, 0] > 0.99).float())
        if scale == 1.0 or side >= _FINEST:
            return
        side = min(2 * side, float(_FINEST))


def _features(picture: Tensor, reach: int) -> Tensor:
    """Each channel less its local mean, over its local spread: what no slowly varying gain or offset alters."""
    smooth = _blurred(picture, reach)
    rest = picture - smooth
    spread = _blurred(rest * rest, reach).clamp(min=0)
    return rest / (spread + _FLAT**2).sqrt()


def _blurred(values: Tensor, reach: int) -> Tensor:
    """Twice the mean over a square: near a Gaussian. The border is repeated."""
    for _ in range(2):
        padded = F.pad(values, (reach, reach, reach, reach), mode="replicate")
        values = F.avg_pool2d(padded, 2 * reach + 1, stride=1)
    return values


def _guesses(level: _Level) -> list[tuple[float, Tensor]]:
    """The best way to lay the answer over the source, and the best one that differs from it: (correlation, way)."""
    height, width = level.weight.shape
    reach = (max(_APART, round(LARGEST_SHIFT * height)), max(_APART, round(LARGEST_SHIFT * width)))
    surface = torch.stack([_correlation(level, stretch, reach) for stretch in _STRETCHES])
    if not bool((surface > 0).any()):
        return []
    found = []
    for _ in range(2):
        best = int(surface.argmax())
        index, row = divmod(best, surface.shape[1] * surface.shape[2])
        y, x = divmod(row, surface.shape[2])
        shift = (2 * (y - reach[0]) / height, 2 * (x - reach[1]) / width)
        found.append((float(surface[index, y, x]), _parameters((_STRETCHES[index],) * 2, shift)))
        surface[:, max(0, y - _APART) : y + _APART + 1, max(0, x - _APART) : x + _APART + 1] = -1
    return found


def _correlation(level: _Level, stretch: float, reach: tuple[int, int]) -> Tensor:
    """Masked normalised cross-correlation by shift, (2·reach + 1)², of an answer that is stretched back.

    The features' local mean is 0 already; only the answer's energy below the mask has to be found for each shift.
    """
    height, width = level.weight.shape
    grid = _grid(_parameters((stretch, stretch), (0.0, 0.0)), (height, width))
    answer = F.grid_sample(level.answer, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    size = (height + 2 * reach[0], width + 2 * reach[1])

    def spectrum(values: Tensor) -> Tensor:
        found: Tensor = torch.fft.rfft2(values, s=size)
        return found

    def against(one: Tensor, other: Tensor) -> Tensor:
        """Sum over x of one(x) · other(x + shift)."""
        product = (spectrum(one).conj() * spectrum(other)).sum(dim=(0, 1))
        whole: Tensor = torch.fft.irfft2(product, s=size)
        return torch.roll(whole, reach, dims=(0, 1))[: 2 * reach[0] + 1, : 2 * reach[1] + 1]

    weight = level.weight[None, None]
    together = against(level.source * weight, answer)
    energy = against(weight.expand_as(answer), answer * answer).clamp(min=0)
    own = against(level.source**2 * weight, torch.ones_like(answer)).clamp(min=0)
    least = 0.02 * 3 * height * width  # so much of the picture has to have something in it, and be seen by both
    product = (energy * own).sqrt()
    return torch.where((energy > least) & (own > least), together / product.clamp(min=1e-6), torch.zeros(()))


def _refined(level: _Level, parameters: Tensor) -> tuple[Tensor, float] | None:
    """Gauss-Newton at one size: the way, and the doubt about its corners in px; None where nothing determines it."""
    height, width = level.weight.shape
    doubt = float("inf")
    for _ in range(_STEPS):
        slope, residual, weight = _system(level, parameters)
        normal = (slope * weight[:, None]).T @ slope
        scale = normal.diagonal().clamp(min=1e-12).sqrt()
        conditioned = normal / scale[:, None] / scale
        if float(torch.linalg.eigvalsh(conditioned)[0]) < 1e-3:
            return None
        change = torch.linalg.solve(normal, -(slope * weight[:, None]).T @ residual)
        parameters = parameters + change.float()
        spread = (weight * residual**2).sum() / weight.sum().clamp(min=1)
        # Features are alike over their reach: neighbouring residuals count as one observation, roughly.
        sure = torch.linalg.inv(normal).diagonal().clamp(min=0) * spread * _correlated(level)
        size = torch.tensor([height, width, height, width]) / 2
        doubt = float((sure.sqrt() * size).max())
        if bool(((change.abs() * size) < _STILL).all()):
            break
        if not bool(torch.isfinite(parameters).all()) or float(parameters.abs().max()) > 1:
            return None
    return parameters, doubt


def _correlated(level: _Level) -> float:
    """Px of the area over which features are alike."""
    return float(max(1, round(_LOCAL * (level.weight.shape[0] * level.weight.shape[1]) ** 0.5)) ** 2)


def _system(level: _Level, parameters: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of each counting pixel and channel: slope by stretch and shift (n×4), residual, weight; float64."""
    laid, weight = _laid(level, parameters)
    residual = laid - level.source
    height, width = level.weight.shape
    # Central differences, per unit of a picture that reaches from -1 to 1.
    down = (
        F.pad(laid, (0, 0, 1, 1), mode="replicate")[:, :, 2:] - F.pad(laid, (0, 0, 1, 1), mode="replicate")[:, :, :-2]
    )
    across = (
        F.pad(laid, (1, 1, 0, 0), mode="replicate")[..., 2:] - F.pad(laid, (1, 1, 0, 0), mode="replicate")[..., :-2]
    )
    down, across = down * height / 4, across * width / 4
    y, x = _axis(height)[:, None].expand(height, width), _axis(width)[None].expand(height, width)
    counts = weight > 0
    robust = weight * (_STRAY**2 / (_STRAY**2 + residual**2)) ** 2
    columns = [
        down[0, :, counts] * y[counts],
        across[0, :, counts] * x[counts],
        down[0, :, counts],
        across[0, :, counts],
    ]
    slope = torch.stack([each.flatten() for each in columns], dim=1).double()
    return slope, residual[0, :, counts].flatten().double(), robust[0, :, counts].flatten().double()


def _laid(level: _Level, parameters: Tensor) -> tuple[Tensor, Tensor]:
    """The answer's features on the source's pixels, and the weight of a pixel where both are seen."""
    grid = _grid(parameters, (level.weight.shape[0], level.weight.shape[1]))
    laid = F.grid_sample(level.answer, grid, mode="bicubic", padding_mode="border", align_corners=False)
    seen = (grid[0].abs() <= 1).all(dim=-1)
    return laid, level.weight * seen


def _kept(level: _Level, parameters: Tensor) -> Tensor:
    """Where both show the same, h×w in [0, 1], the mask's inside included."""
    laid, _ = _laid(level, parameters)
    reach = max(1, round(_correlated(level) ** 0.5))
    residual = _blurred(((laid - level.source) ** 2).mean(dim=1, keepdim=True), reach)[0, 0]
    return _STRAY**2 / (_STRAY**2 + residual)


def _share(level: _Level, parameters: Tensor) -> tuple[float, int]:
    """Of blocks outside the mask with something in them, the share that shows the same; and how many there are."""
    laid, weight = _laid(level, parameters)
    block = max(4, round(max(weight.shape) / _BLOCKS))

    def total(values: Tensor) -> Tensor:
        return F.avg_pool2d((values * weight).sum(dim=1, keepdim=True), block)[0, 0]

    own, other, both = total(level.source**2), total(laid**2), total(level.source * laid)
    seen = F.avg_pool2d(weight[None, None], block)[0, 0]
    filled = (seen > 0.3) & (own + other > 0.6 * seen)
    alike = both / (own * other).sqrt().clamp(min=1e-6) > _SAME
    blocks = int(filled.sum())
    return (float((alike & filled).sum()) / blocks if blocks else 0.0), blocks


def _parameters(stretch: tuple[float, float], shift: tuple[float, float]) -> Tensor:
    return torch.tensor([*stretch, *shift])


def _axis(length: int) -> Tensor:
    """Places of pixels' middles in a picture that reaches from -1 to 1."""
    return (torch.arange(length) + 0.5) * 2 / length - 1


def _grid(parameters: Tensor, size: tuple[int, int]) -> Tensor:
    """Where in the answer each of the source's pixels lies: 1×h×w×2, x before y, as `grid_sample` wants it."""
    y = _axis(size[0]) * (1 + parameters[0]) + parameters[2]
    x = _axis(size[1]) * (1 + parameters[1]) + parameters[3]
    return torch.stack([x[None].expand(size), y[:, None].expand(size)], dim=-1)[None]
