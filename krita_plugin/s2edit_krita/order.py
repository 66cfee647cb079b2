"""What a painter asks for, gathered from the docker: one record carries everything that a job needs."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .masks import AUTOMATIC, MaskSource

SEED_RANGE = 2**32
MAX_TITLE = 300


@dataclass(frozen=True)
class Target:
    """An object of the edit: its word in the source prompt and where its mask comes from."""

    word: str
    mask: MaskSource


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
        guidance: None for the model's own.
        settings: method settings by dotted name.
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
    edit_mask: MaskSource | None = None
    guidance: float | None = None
    seed: int = 0
    settings: Mapping[str, float | str | bool] = field(default_factory=dict)
    whole: bool = False
    reference: Reference | None = None
    by_itself: bool = True

    def painted(self) -> list[MaskSource]:
        """All mask sources that are not left to the model."""
        chosen = [target.mask for target in self.objects] + ([self.edit_mask] if self.edit_mask else [])
        return [mask for mask in chosen if mask.kind != AUTOMATIC]

    def object_records(self) -> list[dict[str, object]]:
        """The wire's `objects`."""
        return [{"word": target.word, "masked": target.mask.kind != AUTOMATIC} for target in self.objects]

    def edit_record(self, document: dict[str, object]) -> dict[str, object]:
        """The wire's `edit`."""
        record: dict[str, object] = {
            "kind": self.kind,
            "model": self.model,
            "profile": self.profile,
            "source": self.source,
            "objects": self.object_records(),
            "seed": self.seed,
            "settings": dict(self.settings),
            "document": document,
        }
        if self.kind in {"edit", "compose"}:
            record["target"] = self.target
        if self.guidance is not None:
            record["guidance"] = self.guidance
        if self.reference is not None:
            record["reference_prompt"] = self.reference.prompt
        return record

    def plan_fields(self, place: Mapping[str, object]) -> dict[str, object]:
        """The wire's `plan`; `place` as `area.plan_within` has it."""
        fields: dict[str, object] = {
            "kind": self.kind,
            "model": self.model,
            "profile": self.profile,
            **place,
            "source": self.source,
            "objects": self.object_records(),
            "settings": dict(self.settings),
        }
        if self.target and self.kind in {"edit", "compose"}:
            fields["target"] = self.target  # not typed yet is no mistake yet
        return fields

    def variations(self, targets: Sequence[str], seeds: int, guidances: Sequence[float]) -> list[Order]:
        """This order with every target, `seeds` seeds from its own on, every guidance; no layer comes by itself."""
        wanted: list[float | None] = [*guidances] or [self.guidance]
        return [
            replace(self, target=target, seed=(self.seed + step) % SEED_RANGE, guidance=guidance, by_itself=False)
            for target in (targets or [self.target])
            for step in range(max(1, seeds))
            for guidance in wanted
        ]


def fresh_seed() -> int:
    """A seed by dice."""
    return random.randrange(SEED_RANGE)  # noqa: S311 - it only has to differ


def mentions(prompt: str, word: str) -> bool:
    """Whether the word stands in the prompt, in whatever case; of no word at all, False."""
    return bool(word) and re.search(rf"\b{re.escape(word)}\b", prompt, re.IGNORECASE) is not None


def form_values(edit: Mapping[str, Any]) -> dict[str, Any]:
    """What the docker's fields show for the wire's `edit`: for “again”."""
    return {
        "kind": edit["kind"],
        "model": edit["model"],
        "profile": edit["profile"],
        "source": edit["source"],
        "target": edit.get("target", ""),
        "words": [entry["word"] for entry in edit["objects"]],
        "guidance": edit.get("guidance"),
        "seed": edit["seed"],
        "settings": dict(edit.get("settings", {})),
        "reference_prompt": edit.get("reference_prompt", ""),
    }


def start_values(edit: Mapping[str, Any]) -> dict[str, Any]:
    """The same to go on from the result: it shows what was wanted, so a word that is gone names nothing any more."""
    values = form_values(edit)
    shown = values["target"]
    words = [word if mentions(shown, word) else "" for word in values["words"]]
    return {**values, "source": shown, "target": "", "words": words}
