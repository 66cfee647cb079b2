"""Sentences about a portrait in the paper's style: "a smiling woman with glasses and red curly hair"."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from s2edit.research.starter.attributes import Portrait

# How often a sentence mentions each thing that could be mentioned; the rest must be guessed by the model.
_MENTION = {
    "mood": 0.8,
    "hair": 0.78,
    "facial_hair": 0.88,
    "accessory": 0.9,
    "skin": 0.5,
    "eyes": 0.8,
    "clothes": 0.6,
    "hat": 0.9,
    "background": 0.72,
}
_MAX_WORDS = 34  # the text encoder reads 40 tokens, start and end included; every word below is one token
_BARE_STYLES = {"bob": "bob", "bun": "bun", "afro": "afro", "mohawk": "mohawk", "quiff": "quiff"}
_ARTICLE = {"glasses": "glasses", "sunglasses": "sunglasses", "eyepatch": "an eyepatch"}


def hair_phrase(portrait: Portrait, *, color_first: bool = True, colored: bool = True) -> str:
    """Such as "red curly hair", "curly red hair", "a black afro"; a bald head has no phrase of this kind."""
    color = portrait.hair_color if colored else ""
    if portrait.hair in _BARE_STYLES:
        article = "an" if not color and portrait.hair == "afro" else "a"
        return " ".join(part for part in (article, color, portrait.hair) if part)
    if portrait.hair == "dreadlocks":
        return " ".join(part for part in (color, "dreadlocks") if part)
    words = (color, portrait.hair) if color_first else (portrait.hair, color)
    return " ".join(word for word in (*words, "hair") if word)


def _with_phrases(portrait: Portrait, mentioned: set[str], rng: np.random.Generator | None) -> Iterator[str]:
    def chance(odds: float) -> bool:
        return rng is not None and rng.random() < odds

    bare = portrait.hat != "none" or portrait.hair == "bald"
    if "hair" in mentioned and not bare:
        colored = not chance(0.15)
        yield (
            f"{portrait.hair_color} hair"
            if chance(0.25)
            else hair_phrase(portrait, color_first=not chance(0.3), colored=colored)
        )
    if "facial_hair" in mentioned and portrait.facial_hair != "none":
        short = portrait.facial_hair if not chance(0.3) else portrait.facial_hair.removeprefix("long ")
        yield (
            f"a {portrait.hair_color} {short}"
            if chance(0.2) or (rng is not None and bare and chance(0.5))
            else f"a {short}"
        )
    if "accessory" in mentioned and portrait.accessory != "none":
        yield _ARTICLE[portrait.accessory]
    if "skin" in mentioned:
        yield f"{portrait.skin} skin"
    if "eyes" in mentioned and portrait.eyes == "closed":
        yield "closed eyes"


def _worn_phrases(portrait: Portrait, mentioned: set[str], rng: np.random.Generator | None) -> Iterator[str]:
    plain = rng is not None and rng.random() < 0.12
    if "clothes" in mentioned:
        if portrait.clothes == "suit":
            yield "a suit"
        elif portrait.clothes == "overalls":
            yield "overalls" if plain else f"{portrait.clothes_color} overalls"
        else:
            yield f"a {portrait.clothes}" if plain else f"a {portrait.clothes_color} {portrait.clothes}"
    if "hat" in mentioned and portrait.hat != "none":
        yield f"a {portrait.hat}" if plain else f"a {portrait.hat_color} {portrait.hat}"


def _join(phrases: list[str]) -> str:
    return phrases[0] if len(phrases) == 1 else ", ".join(phrases[:-1]) + " and " + phrases[-1]


def caption(portrait: Portrait, rng: np.random.Generator | None = None, mention: set[str] | None = None) -> str:
    """Describe a portrait in one lower-case sentence.

    Args:
        portrait: what to describe.
        rng: drops and reorders the parts at random, as in training; None gives the full sentence in a fixed order.
        mention: name exactly these parts (keys of the mention table: mood, hair, facial_hair, accessory, skin, eyes,
            clothes, hat, background) instead of a random draw.

    Returns:
        A sentence of at most 34 words, commas counted. It only claims what the picture shows: hair under a hat
        stays unmentioned.
    """
    if mention is None:
        mention = set(_MENTION) if rng is None else {part for part, odds in _MENTION.items() if rng.random() < odds}
    noun = portrait.person if rng is None or rng.random() < 0.94 else "person"
    adjectives = [portrait.mood] if "mood" in mention else []
    if "eyes" in mention and portrait.eyes == "winking":
        adjectives.append("winking")
    if "hair" in mention and portrait.hair == "bald" and portrait.hat == "none":
        adjectives.append("bald")
    held = list(_with_phrases(portrait, mention, rng))
    worn = list(_worn_phrases(portrait, mention, rng))
    place = f"on a {portrait.background} background" if "background" in mention else ""
    return sentence([*adjectives, noun], held, worn, place, rng)


def sentence(
    called: list[str], held: list[str], worn: list[str], place: str, rng: np.random.Generator | None = None
) -> str:
    """Put a caption together: "a {called} with {held}, wearing {worn} {place}".

    Args:
        called: adjectives, then the noun.
        held, worn: phrases; with `rng` they are reordered, and the worn ones now and then held.
        place: such as "on a blue background", or empty; with `rng` it is now and then held.
        rng: as for `caption`; it also puts "a portrait of" and the like in front at times.

    Returns:
        At most 34 words, commas counted; the last held phrases are left out when there are more.
    """
    if rng is not None:
        rng.shuffle(held)
        rng.shuffle(worn)
        if worn and rng.random() < 0.3:
            held, worn = [*held, *worn], []
        if place and rng.random() < 0.2:
            held, place = [*held, place.removeprefix("on ")], ""
    opening = ""
    if rng is not None and rng.random() < 0.12:
        opening = str(rng.choice(["a portrait of ", "a cartoon of ", "a photo of "]))
    while True:
        article = "an" if called[0][0] in "aeiou" else "a"
        text = f"{opening}{article} {' '.join(called)}"
        text += f" with {_join(held)}" if held else ""
        text += f"{',' if held else ''} wearing {_join(worn)}" if worn else ""
        text += f" {place}" if place else ""
        if len(text.replace(",", " ,").split()) <= _MAX_WORDS or not held:
            return text
        held.pop()


def vocabulary() -> list[str]:
    """Every word that a caption can contain, and words that edits are likely to use, sorted."""
    from s2edit.research.starter.attributes import VALUES

    words = {word for values in VALUES.values() for value in values for word in value.split()}
    grammar = "a an the of and with without no on in wearing his her has is very he she"
    nouns = "portrait cartoon photo picture person face hair eyes skin background beard shirt lady boy girl"
    words |= {*grammar.split(), *nouns.split(), "skinned", "big", "small"}
    return sorted(words)
