"""The base weights and what fine-tuning adds to them: every identity starts from the checkpoint as published."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

import torch
from torch import Tensor, nn


class Learned(Protocol):
    """What identities add to a published model, one at a time."""

    def keep(self, weights: Sequence[Tensor]) -> None:
        """Be told of weights that are about to be changed."""

    def restore(self) -> None:
        """Put the published model back."""

    def take_deltas(self) -> dict[str, Tensor]:
        """What training made of it, by name, in main memory; the networks are left as `apply` of that makes them."""

    def apply(self, deltas: Mapping[str, Tensor], strength: float = 1.0) -> None:
        """Have the networks carry what `take_deltas` gave, or a part of it, 0 to 1."""


class BaseWeights:
    """A copy in main memory of those of the trainable networks' weights that were ever changed.

    Weights that were published in half precision are kept so (the copy is exact); others in float32. What nothing
    changes is never copied: levels that train little, and edits without learning, are spared gigabytes.
    """

    def __init__(self, modules: Mapping[str, nn.Module]) -> None:
        self._modules = dict(modules)
        self._base: dict[str, Tensor] = {}

    def named(self) -> Iterator[tuple[str, nn.Parameter]]:
        """All parameters by unique name."""
        for module_name, module in self._modules.items():
            for name, weight in module.named_parameters():
                yield f"{module_name}.{name}", weight

    def keep(self, weights: Iterable[Tensor]) -> None:
        """Copy the published numbers of weights that are about to be changed.

        Args:
            weights: parameters of the networks; all others must stay as they are.
        """
        wanted = {id(weight) for weight in weights}
        self._keep(name for name, weight in self.named() if id(weight) in wanted)

    def _keep(self, names: Iterable[str]) -> None:
        wanted = set(names) - self._base.keys()
        self._base |= {name: _compact(weight.detach()) for name, weight in self.named() if name in wanted}

    @torch.no_grad()
    def restore(self) -> None:
        """Put the published weights back."""
        for name, weight in self._kept():
            weight.copy_(self._base[name])

    @torch.no_grad()
    def take_deltas(self) -> dict[str, Tensor]:
        """The differences that training made, float16, in main memory, by the weight's name.

        The networks are left with base + delta as rounded, so that an edit with freshly trained weights and one with
        weights from the cache are the same. (A delta is at most a few 1e-3 and float16 keeps 11 bits of it; in bfloat16
        the *sum* would lose it.)
        """
        deltas = {}
        for name, weight in self._kept():
            base = self._base[name].to(weight.device, torch.float32)
            delta = (weight - base).to(torch.float16)
            if bool(delta.any()):
                deltas[name] = delta.cpu()
                weight.copy_(base + delta.float())
            else:
                weight.copy_(base)
        return deltas

    @torch.no_grad()
    def apply(self, deltas: Mapping[str, Tensor], strength: float = 1.0) -> None:
        """Set the networks to base + strength · delta.

        Args:
            deltas: as `take_deltas` gives them; weights that it does not name are set to their base.
            strength: 0 to 1.
        Raises:
            KeyError: it names a weight that there is not; nothing has changed then.
        """
        if unknown := deltas.keys() - {name for name, _ in self.named()}:
            raise KeyError(min(unknown))
        self._keep(deltas)
        for name, weight in self._kept():
            base = self._base[name].to(weight.device, torch.float32)
            delta = deltas.get(name)
            weight.copy_(base if delta is None else base + strength * delta.to(weight.device).float())

    def _kept(self) -> Iterator[tuple[str, nn.Parameter]]:
        return ((name, weight) for name, weight in self.named() if name in self._base)


def _compact(weight: Tensor) -> Tensor:
    half = weight.to(torch.float16)
    exact = bool(torch.equal(half.float(), weight.float()))
    return half.to("cpu", copy=True) if exact else weight.to("cpu", copy=True)
