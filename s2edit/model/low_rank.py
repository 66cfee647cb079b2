"""Low-rank updates of linear layers (Hu et al., 2022): folded into the weights afterwards, or kept beside them.

Where an identity is small and the model large, the factors stay beside weights that nothing changes, and their rank may
shrink with the noise (T-LoRA, arXiv 2507.05964): one picture is learned by heart at the noisiest times first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.utils.hooks import RemovableHandle


class LowRank(nn.Module):
    """W + B A, with A random and B zero at first (Hu et al., 2022)."""

    def __init__(self, weight: Tensor, rank: int, generator: torch.Generator) -> None:
        super().__init__()
        rows, columns = weight.shape
        start = torch.randn(rank, columns, generator=generator) / columns**0.5
        self.down = nn.Parameter(start.to(weight.device))
        self.up = nn.Parameter(weight.new_zeros(rows, rank))

    def forward(self, weight: Tensor) -> Tensor:
        """The weight with its update, both out×in."""
        return weight + self.up @ self.down


def adapt(layers: Iterable[nn.Linear], rank: int, generator: torch.Generator) -> list[nn.Parameter]:
    """Put low-rank updates on layers' weights; returns the factors."""
    found: list[nn.Parameter] = []
    for layer in layers:
        update = LowRank(layer.weight.detach(), rank, generator)
        parametrize.register_parametrization(layer, "weight", update)
        found += update.parameters()
    return found


def fold(layers: Iterable[nn.Linear]) -> None:
    """Make the updated weights those of the layers."""
    for layer in layers:
        if parametrize.is_parametrized(layer):
            parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)


class Factors(nn.Module):
    """Low-rank factors beside the layers of a network, added to what these give.

    Args:
        layers: by name. Their weights stay as they are.
    """

    def __init__(self, layers: Mapping[str, nn.Linear]) -> None:
        super().__init__()
        self._layers = dict(layers)
        self._hooks: list[RemovableHandle] = []
        self.shares: Tensor | None = None
        """B×rank, how much of each rank counts in each row of the batch; None for all of it."""
        self.least: int | None = None
        """Ranks that count at every noise level where the rest depends on it (`ranks_at`); None where all count."""

    @property
    def rank(self) -> int:
        """Of the factors; 0 without any."""
        return next((weight.shape[0] for name, weight in self.named_parameters() if name.endswith("down")), 0)

    def start(self, rank: int, generator: torch.Generator, least: int | None = None) -> list[nn.Parameter]:
        """New factors for all layers: A with orthonormal rows, so that each rank counts by itself, and B zero."""
        made: dict[str, Tensor] = {}
        for name, layer in self._layers.items():
            rows, columns = layer.weight.shape
            most = min(rank, columns)
            basis = torch.linalg.qr(torch.randn(columns, most, generator=generator)).Q.T
            made[_key(name, "down")] = basis.contiguous()
            made[_key(name, "up")] = torch.zeros(rows, most)
        found = self.put(made)
        self.least = least
        return found

    def put(self, tensors: Mapping[str, Tensor]) -> list[nn.Parameter]:
        """Take these factors, by the names of `state_dict`, in the place of any others."""
        self.clear()
        for name, layer in self._layers.items():
            if _key(name, "up") not in tensors:
                continue
            device = layer.weight.device
            for part in ("down", "up"):
                weight = tensors[_key(name, part)].to(device, torch.float32, copy=True)
                self.register_parameter(_key(name, part), nn.Parameter(weight, requires_grad=False))
            self._hooks.append(layer.register_forward_hook(self._hook(name)))
        return list(self.parameters())

    def clear(self) -> None:
        """Take all factors away: the network is as published."""
        for hook in self._hooks:
            hook.remove()
        self._hooks, self.least, self.shares = [], None, None
        for name in list(self._parameters):
            del self._parameters[name]

    def _hook(self, name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], Tensor]:
        def add(_: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> Tensor:
            low = F.linear(given[0], getattr(self, _key(name, "down")))
            if self.shares is not None:
                low = low * self.shares[:, None, : low.shape[-1]].to(low)
            return output + F.linear(low, getattr(self, _key(name, "up"))).to(output.dtype)

        return add


def _key(layer: str, part: str) -> str:
    return f"{layer.replace('.', '/')}:{part}"


def ranks_at(sigmas: Tensor, rank: int, least: int) -> Tensor:
    """T-LoRA's mask (arXiv 2507.05964, section 4.2): B×rank of 0 and 1, fewer ranks the more noise there is.

    r(σ) = ⌊(1 - σ)(rank - least)⌋ + least of the ranks count.

    Args:
        sigmas: B, from 0, the picture, to 1, noise. least: ranks that always count.
    """
    counted = ((1 - sigmas) * (rank - least)).floor() + least
    return (torch.arange(rank, device=sigmas.device) < counted[:, None]).float()


class LearnedBeside:
    """What fine-tuning learns where it changes no weight: factors, and rows of an embedding. See `weights.Learned`.

    Args:
        rows: what the rows are before anything is learned is copied.
    """

    def __init__(self, factors: Factors, rows: nn.Parameter) -> None:
        self._factors, self._rows = factors, rows
        self._first = rows.detach().clone().cpu()

    def keep(self, weights: Sequence[Tensor]) -> None:
        """Nothing has to be kept of weights that nothing changes."""

    @torch.no_grad()
    def restore(self) -> None:
        """The network as published."""
        self._factors.clear()
        self._rows.copy_(self._first)

    @torch.no_grad()
    def take_deltas(self) -> dict[str, Tensor]:
        """The factors and the rows, float32, in main memory."""
        found = {f"factors.{name}": weight.detach().cpu().clone() for name, weight in self._factors.named_parameters()}
        if not found:
            return {}
        least = -1 if self._factors.least is None else self._factors.least
        return found | {"factors.rows": self._rows.detach().cpu().clone(), "factors.least": torch.tensor(least)}

    @torch.no_grad()
    def apply(self, deltas: Mapping[str, Tensor], strength: float = 1.0) -> None:
        """Take what `take_deltas` gave, or a part of it; without anything, the network is as published."""
        self.restore()
        named = {name.removeprefix("factors."): tensor for name, tensor in deltas.items()}
        if named:
            rows, least = named.pop("rows"), int(named.pop("least"))
            if strength == 1:
                self._rows.copy_(rows)
            else:
                self._rows.lerp_(rows.to(self._rows.device), strength)
                # B A is the update: a part of one of them is a part of it.
                named = {name: strength * one if name.endswith(":up") else one for name, one in named.items()}
            self._factors.put(named)
            self._factors.least = None if least < 0 else least
