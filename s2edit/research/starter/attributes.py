"""What a portrait is made of: a frozen record whose fields can be changed one at a time, and its random draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from s2edit.research.starter.domain import Thing

if TYPE_CHECKING:
    from collections.abc import Mapping

# Training draws seeds below this bound; tests, benchmarks and the quickstart use seeds from here on.
TRAINING_SEED_LIMIT = 1_000_000

HAIR_COLORS = {
    "black": "#2c1b18",
    "brown": "#724133",
    "blonde": "#d6b370",
    "red": "#c93305",
    "gray": "#b9b4b6",
    "pink": "#f59797",
}
SKINS = {"pale": "#ffdbb4", "tanned": "#e5a873", "brown": "#ae5d29", "dark": "#614335"}
CLOTHING_COLORS = {
    "black": "#262e33",
    "white": "#f2f2f2",
    "gray": "#929598",
    "red": "#e0444a",
    "blue": "#3f7fd0",
    "green": "#4caf6b",
    "yellow": "#f2c94c",
    "pink": "#ff6fa3",
}
BACKGROUNDS = {
    "white": "#f0efea",
    "gray": "#9a9ea3",
    "blue": "#62b4ea",
    "green": "#7cc68a",
    "yellow": "#f1d774",
    "pink": "#f2a3bf",
    "purple": "#a78ad6",
}

# How often each value is drawn. Hair differs between men and women.
WOMEN_HAIR = {"long": 26, "wavy": 17, "curly": 17, "bob": 12, "bun": 9, "afro": 7, "dreadlocks": 6, "short": 6}
MEN_HAIR = {"short": 34, "bald": 17, "quiff": 14, "afro": 9, "mohawk": 8, "curly": 7, "dreadlocks": 6, "long": 5}
MOODS = {"smiling": 36, "serious": 26, "sad": 16, "surprised": 13, "angry": 9}
ACCESSORIES = {"none": 42, "glasses": 26, "sunglasses": 24, "eyepatch": 8}
FACIAL_HAIR = {"none": 44, "beard": 24, "long beard": 14, "moustache": 18}
HATS = {"none": 74, "hat": 12, "winter hat": 9, "turban": 5}
EYES = {"open": 84, "closed": 8, "winking": 8}
CLOTHES = {"t-shirt": 34, "hoodie": 22, "sweater": 20, "overalls": 14, "suit": 10}

VALUES: dict[str, tuple[str, ...]] = {
    "person": ("man", "woman"),
    "hair": ("short", "long", "wavy", "curly", "bob", "bun", "afro", "dreadlocks", "quiff", "mohawk", "bald"),
    "hair_color": tuple(HAIR_COLORS),
    "facial_hair": tuple(FACIAL_HAIR),
    "accessory": tuple(ACCESSORIES),
    "mood": tuple(MOODS),
    "eyes": tuple(EYES),
    "hat": tuple(HATS),
    "hat_color": tuple(CLOTHING_COLORS),
    "skin": tuple(SKINS),
    "clothes": tuple(CLOTHES),
    "clothes_color": tuple(CLOTHING_COLORS),
    "background": tuple(BACKGROUNDS),
}


@dataclass(frozen=True, slots=True)
class Portrait(Thing):
    """One portrait, fully described.

    The named fields take the values listed in `VALUES`. `variant` picks among drawings of the same value (two kinds of
    sunglasses, two cuts of short hair); `scene` seeds the background's shading, texture and tint; `scale` (1.05 to
    1.18) and `shift` (fractions of the picture, x then y, within ±0.03) place the figure. Changing one field leaves the
    drawing of all others as it was.

    Raises:
        ValueError: a field has a value that the renderer does not know.
    """

    VALUES: ClassVar[Mapping[str, tuple[str, ...]]] = VALUES

    person: str = "man"
    hair: str = "short"
    hair_color: str = "brown"
    facial_hair: str = "none"
    accessory: str = "none"
    mood: str = "smiling"
    eyes: str = "open"
    hat: str = "none"
    hat_color: str = "blue"
    skin: str = "pale"
    clothes: str = "t-shirt"
    clothes_color: str = "blue"
    background: str = "white"
    variant: int = 0
    scene: int = 0
    scale: float = 1.1
    shift: tuple[float, float] = (0.0, 0.0)


def draw_value(rng: np.random.Generator, weights: dict[str, int]) -> str:
    """A key of `weights`, each as likely as its share of the sum."""
    odds = np.array(list(weights.values()), dtype=np.float64)
    return str(rng.choice(list(weights), p=odds / odds.sum()))


def sample_attributes(seed: int) -> Portrait:
    """Draw a portrait from the training distribution; the same seed gives the same portrait.

    Seeds below `TRAINING_SEED_LIMIT` belong to training.
    """
    rng = np.random.default_rng([0x5E0, seed])
    person = str(rng.choice(["man", "woman"]))
    man = person == "man"
    return Portrait(
        person=person,
        hair=draw_value(rng, MEN_HAIR if man else WOMEN_HAIR),
        hair_color=str(rng.choice(list(HAIR_COLORS))),
        facial_hair=draw_value(rng, FACIAL_HAIR) if man else "none",
        accessory=draw_value(rng, ACCESSORIES),
        mood=draw_value(rng, MOODS),
        eyes=draw_value(rng, EYES),
        hat=draw_value(rng, HATS),
        hat_color=str(rng.choice(list(CLOTHING_COLORS))),
        skin=str(rng.choice(list(SKINS))),
        clothes=draw_value(rng, CLOTHES),
        clothes_color=str(rng.choice(list(CLOTHING_COLORS))),
        background=str(rng.choice(list(BACKGROUNDS))),
        variant=int(rng.integers(1 << 16)),
        scene=int(rng.integers(1 << 31)),
        scale=float(rng.uniform(1.05, 1.18)),
        shift=(float(rng.uniform(-0.03, 0.03)), float(rng.uniform(-0.02, 0.03))),
    )


def visible(portrait: Portrait) -> frozenset[str]:
    """The named fields that the picture shows: hair under a hat, eyes behind dark lenses, … are not among them."""
    hidden = set()
    if portrait.hat != "none":
        hidden.add("hair")
    else:
        hidden.add("hat_color")
    if (portrait.hat != "none" or portrait.hair == "bald") and portrait.facial_hair == "none":
        hidden.add("hair_color")
    if portrait.accessory == "sunglasses":
        hidden.add("eyes")
    if portrait.clothes == "suit":
        hidden.add("clothes_color")
    return frozenset(VALUES) - hidden
