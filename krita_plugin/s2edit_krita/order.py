"""What a painter asks for, gathered from the docker: one record carries everything that a job needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from s2edit_editor.host import AUTOMATIC, MaskChoice
from s2edit_editor.wish import Wish
from s2edit_wire.knobs import Value

MAX_TITLE = 300


@dataclass(frozen=True)
class Target:
    """An object of the edit: its word in the source prompt and where its mask comes from."""

    word: str
    mask: MaskChoice


@dataclass(frozen=True)
class Reference:
    """The picture that a composition takes from: a layer of an open document, or a file.

    Args:
        document: the open document, None for a file.
        layer: the layer's id, "" for the whole picture.
        path: the file, "" for a layer.
        prompt: what it shows.
        label: what the painter reads.
    """

    document: Any
    layer: str
    path: str
    prompt: str
    label: str


@dataclass(frozen=True)
class Order:
    """One job before it is sent.

    Args:
        kind: `edit`, `compose`, `mask` or `caption`.
        settings: method settings by dotted name, `edit.guidance` among them.
        whole: take the visible picture instead of the layer.
        edit_mask: where pixels may change, when that is not the object's mask.
        by_itself: whether the result becomes a layer as soon as it is there.
    """

    kind: str
    model: str
    profile: str
    source: str
    target: str = ""
    objects: tuple[Target, ...] = ()
    edit_mask: MaskChoice | None = None
    seed: int = 0
    settings: Mapping[str, Value] = field(default_factory=dict)
    whole: bool = False
    reference: Reference | None = None
    by_itself: bool = True

    def painted(self) -> list[MaskChoice]:
        """All mask sources that are not left to the model."""
        chosen = [target.mask for target in self.objects] + ([self.edit_mask] if self.edit_mask else [])
        return [mask for mask in chosen if mask.kind != AUTOMATIC]

    @property
    def masked(self) -> list[bool]:
        """Of each object, whether a mask goes with it."""
        return [target.mask.kind != AUTOMATIC for target in self.objects]

    @property
    def wish(self) -> Wish:
        """What is wanted, without where it is taken from."""
        return Wish(
            kind=self.kind,
            model=self.model,
            profile=self.profile,
            source=self.source,
            target=self.target,
            reference_prompt=self.reference.prompt if self.reference is not None else "",
            words=tuple(target.word for target in self.objects),
            seed=self.seed,
            settings=self.settings,
        )

    def variations(self, targets: Sequence[str], seeds: int, guidances: Sequence[float]) -> list[Order]:
        """This order as `Wish.variations` has it; no layer comes by itself."""
        return [
            replace(self, target=wish.target, seed=wish.seed, settings=wish.settings, by_itself=False)
            for wish in self.wish.variations(targets, seeds, guidances)
        ]
