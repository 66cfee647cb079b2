"""Portraits as a domain: the paper's own subject, and what the benchmark edits on them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from s2edit.research.starter.attributes import MOODS, Portrait, sample_attributes, visible
from s2edit.research.starter.captions import caption, vocabulary
from s2edit.research.starter.domain import Domain, Edit, Parts, by_word
from s2edit.research.starter.regions import PARTS, part_regions
from s2edit.research.starter.renderer import render

if TYPE_CHECKING:
    from collections.abc import Iterable

_USUAL = frozenset({"mood", "hair"})
_PROPOSAL = frozenset({"mood", "hair", "facial_hair", "accessory", "hat", "eyes"})
_AS_IN_USE = 0.35
_SAID_IN_USE = ("hair", "facial_hair", "accessory", "hat", "eyes", "background", "clothes", "skin")


def _man(portrait: Portrait) -> bool:
    return portrait.person == "man"


def _hairy(portrait: Portrait) -> bool:
    return portrait.hair != "bald" and portrait.hat == "none"


def _asked(portrait: Portrait) -> dict[str, str]:
    fields = ["mood", "accessory", "facial_hair", "skin", "background", "hat"]
    if portrait.hat == "none":
        fields += ["hair"] if portrait.hair == "bald" else ["hair", "hair_color"]
    else:
        fields += ["hat_color"]
    fields += ["clothes"] if portrait.clothes == "suit" else ["clothes", "clothes_color"]
    named = portrait.named()
    return {field: named[field] for field in fields}


EDITS: tuple[Edit[Portrait], ...] = (
    Edit("add glasses", "add", lambda p: p.accessory == "none", {"accessory": "glasses"}, frozenset({"accessory"})),
    Edit(
        "add sunglasses", "add", lambda p: p.accessory == "none", {"accessory": "sunglasses"}, frozenset({"accessory"})
    ),
    Edit(
        "add a beard",
        "add",
        lambda p: _man(p) and p.facial_hair == "none",
        {"facial_hair": "beard"},
        frozenset({"facial_hair"}),
    ),
    Edit(
        "add a hat",
        "add",
        lambda p: p.hat == "none",
        {"hat": "hat", "hat_color": "red"},
        frozenset({"hat"}),
    ),
    Edit(
        "remove glasses", "remove", lambda p: p.accessory == "glasses", {"accessory": "none"}, frozenset({"accessory"})
    ),
    Edit(
        "remove the beard",
        "remove",
        lambda p: _man(p) and p.facial_hair == "beard",
        {"facial_hair": "none"},
        frozenset({"facial_hair"}),
    ),
    Edit("smiling to sad", "replace", lambda p: p.mood == "smiling", {"mood": "sad"}, frozenset({"mood"})),
    Edit("mood to smiling", "replace", lambda p: p.mood != "smiling", {"mood": "smiling"}, frozenset({"mood"})),
    Edit(
        "glasses to sunglasses",
        "replace",
        lambda p: p.accessory == "glasses",
        {"accessory": "sunglasses"},
        frozenset({"accessory"}),
    ),
    Edit(
        "hair to blonde",
        "recolour",
        lambda p: _hairy(p) and p.hair_color in {"black", "brown", "red"},
        {"hair_color": "blonde"},
        frozenset({"hair"}),
    ),
    Edit(
        "hair to red",
        "recolour",
        lambda p: _hairy(p) and p.hair_color in {"black", "brown", "blonde", "gray"},
        {"hair_color": "red"},
        frozenset({"hair"}),
    ),
    Edit(
        "background to pink",
        "recolour",
        lambda p: p.background not in {"pink", "purple"},
        {"background": "pink"},
        frozenset({"background"}),
    ),
    Edit(
        "clothes to red",
        "recolour",
        lambda p: p.clothes != "suit" and p.clothes_color not in {"red", "pink"},
        {"clothes_color": "red"},
        frozenset({"clothes"}),
    ),
    Edit(
        "sunglasses and a beard",
        "double",
        lambda p: _man(p) and p.accessory == "none" and p.facial_hair == "none",
        {"accessory": "sunglasses", "facial_hair": "beard"},
        frozenset({"accessory", "facial_hair"}),
    ),
)


def caption_as_in_use(
    portrait: Portrait, /, rng: np.random.Generator | None = None, mention: Iterable[str] | None = None
) -> str:
    """`caption`, but a third of the random ones are as edits' prompts are: mood, hair and one more thing, in order."""
    if rng is not None and mention is None and rng.random() < _AS_IN_USE:
        if rng.random() < 0.5:
            return caption(portrait, mention=set(_PROPOSAL))
        return caption(portrait, mention={*_USUAL, str(rng.choice(_SAID_IN_USE))})
    return caption(portrait, rng, None if mention is None else set(mention))


PORTRAITS = Domain(
    name="portraits",
    thing=Portrait,
    sample=sample_attributes,
    render=render,
    caption=caption_as_in_use,
    visible=visible,
    asked=_asked,
    noun=lambda portrait: portrait.person,
    nouns=("man", "woman", "person"),
    words=vocabulary,
    usual=_USUAL,
    proposal=_PROPOSAL,
    edits=EDITS,
    parts=Parts(
        names=PARTS,
        details=("facial_hair", "accessory", "mood", "eyes"),
        regions=part_regions,
        nouns=by_word(
            {
                "figure": "man woman person",
                "hair": "hair afro bob bun mohawk quiff dreadlocks",
                "facial_hair": "beard moustache",
                "accessory": "glasses sunglasses eyepatch",
                "skin": "skin",
                "eyes": "eyes",
                "clothes": "t-shirt hoodie sweater overalls suit",
                "hat": "hat turban",
                "background": "background",
            }
        ),
        alone=by_word({"mood": " ".join(MOODS), "eyes": "winking"}),
        skipped=frozenset({"bald"}),
    ),
    classifier=Path(__file__).resolve().parent / "classifier.safetensors",
)
