"""What is asked for, by kind, and every drawing that would answer it."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from s2edit.research.starter.attributes import HAIR_COLORS, Portrait, visible
from s2edit.research.starter.domain import Edit
from s2edit.research.starter.portraits import EDITS as BENCHMARK_EDITS
from s2edit.research.starter.renderer import least_variant

KINDS = ("add", "remove", "replace", "recolour", "mood", "background", "double")
"""In the order in which the cases' numbers go through them."""


def _edit(name: str, kind: str, needs: Callable[[Portrait], bool], **changes: str) -> Edit[Portrait]:
    return Edit(name, kind, needs, changes, frozenset(field.removesuffix("_color") for field in changes))


def _dark_hair(portrait: Portrait) -> bool:
    return portrait.hat == "none" and portrait.hair != "bald" and portrait.hair_color in {"black", "brown"}


_MORE = (
    _edit("remove the hat", "remove", lambda p: p.hat != "none", hat="none"),
    _edit("remove sunglasses", "remove", lambda p: p.accessory == "sunglasses", accessory="none"),
    _edit(
        "hair to curly",
        "replace",
        lambda p: p.hat == "none" and p.hair in {"short", "bob", "wavy", "long"},
        hair="curly",
    ),
    _edit("t-shirt to hoodie", "replace", lambda p: p.clothes == "t-shirt", clothes="hoodie"),
    _edit(
        "glasses and smiling",
        "double",
        lambda p: p.accessory == "none" and p.mood != "smiling",
        accessory="glasses",
        mood="smiling",
    ),
    _edit(
        "blonde hair and sunglasses",
        "double",
        lambda p: p.accessory == "none" and _dark_hair(p),
        hair_color="blonde",
        accessory="sunglasses",
    ),
)
_DRAWN_AS = {
    "accessory": ("accessory",),
    "facial_hair": ("facial_hair",),
    "mood": ("mouth", "brows"),
    "hair": ("hair",),
    # What is under a hat has drawings of its own.
    "hat": ("hat", "hair"),
    "clothes": ("clothes",),
}
"""The renderer's kinds of drawing that a changed field brings with it; fields that only recolour bring none."""
_FIELD_OF = {"mouth": "mood", "brows": "mood"}
_ALL_KINDS = ("hair", "hat", "facial_hair", "accessory", "mouth", "brows", "eyes", "clothes")
_VARIANTS = 1 << 16


def kind_of(edit: Edit[Portrait]) -> str:
    """One of `KINDS`: the mood and the background stand apart from other replacements and colours."""
    changed = set(edit.changes)
    return {frozenset({"mood"}): "mood", frozenset({"background"}): "background"}.get(frozenset(changed), edit.kind)


EDITS: dict[str, tuple[Edit[Portrait], ...]] = {
    kind: tuple(edit for edit in (*BENCHMARK_EDITS, *_MORE) if kind_of(edit) == kind) for kind in KINDS
}
"""The edits of each kind: the benchmark's, and some more where a kind had one or two."""


def answers(source: Portrait, edit: Edit[Portrait]) -> list[Portrait]:
    """Every drawing that a perfect edit may make: both kinds of glasses, of sunglasses, of a smile.

    A beard may have any colour where the source shows no hair. All else stays as it is drawn in the source. The first
    drawing is the one that keeps the source's own `variant`.
    """
    drawings = _drawings(source, edit)
    if "facial_hair" not in edit.changes or "hair_color" in visible(source):
        return drawings
    colours = sorted(HAIR_COLORS, key=lambda colour: colour != source.hair_color)
    return [drawing.change(hair_color=colour) for colour in colours for drawing in drawings]


def _drawings(source: Portrait, edit: Edit[Portrait]) -> list[Portrait]:
    target = source.change(**edit.changes)
    free = [kind for field in edit.changes for kind in _DRAWN_AS.get(field, ())]
    kept = [kind for kind in _ALL_KINDS if kind not in free]

    def drawn(variant: int, kinds: list[str]) -> tuple[int, ...]:
        return tuple(least_variant(kind, _value(target, kind), variant) for kind in kinds)

    found, own = {drawn(source.variant, free): target}, drawn(source.variant, kept)
    there_are = prod(len({drawn(n << bit, [kind]) for n in range(4) for bit in range(15)}) for kind in free)
    # Two kinds may read the same bits, so that some drawings never come without another shirt: those are not found.
    for change in range(_VARIANTS):
        if len(found) == there_are:
            break
        variant = source.variant ^ change
        if drawn(variant, kept) == own:
            found.setdefault(drawn(variant, free), target.change(variant=variant))
    return list(found.values())


def _value(portrait: Portrait, kind: str) -> str:
    value: str = getattr(portrait, _FIELD_OF.get(kind, kind))
    return "hat" if kind == "hat" and value == "none" else value
