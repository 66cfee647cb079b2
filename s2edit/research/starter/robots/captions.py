"""Sentences about a robot in the portraits' style: "a smiling blue robot with big eyes and an antenna"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s2edit.research.starter.captions import sentence
from s2edit.research.starter.robots.attributes import VALUES

if TYPE_CHECKING:
    import numpy as np

    from s2edit.research.starter.robots.attributes import Robot

# How often a sentence mentions each thing that could be mentioned; the rest must be guessed by the model.
_MENTION = {
    "color": 0.88,
    "head": 0.5,
    "eyes": 0.85,
    "mouth": 0.85,
    "top": 0.9,
    "sides": 0.85,
    "texture": 0.88,
    "background": 0.75,
}
_PHRASES = {
    "eyes": {
        "small": "small eyes",
        "big": "big eyes",
        "heart": "heart eyes",
        "crossed": "crossed eyes",
        "visor": "a visor",
        "sunglasses": "sunglasses",
    },
    "mouth": {"grille": "a grille"},
    "top": {"antenna": "an antenna", "bulb": "a bulb", "horns": "horns", "radar": "a radar", "pyramid": "a pyramid"},
    "sides": {"ears": "ears", "cables": "cables"},
    "texture": {"circuits": "circuits", "camouflage": "camouflage"},
}
NOUNS = ("robot", "machine")


def caption(robot: Robot, rng: np.random.Generator | None = None, mention: set[str] | None = None) -> str:
    """Describe a robot in one lower-case sentence; the arguments are those of `starter.captions.caption`.

    The parts that can be mentioned are the fields of `VALUES`. What is missing or plain stays unmentioned.
    """
    if mention is None:
        mention = set(_MENTION) if rng is None else {part for part, odds in _MENTION.items() if rng.random() < odds}
    adjectives = [robot.mouth] if "mouth" in mention and robot.mouth != "grille" else []
    if "texture" in mention and robot.texture == "dirty":
        adjectives.append("dirty")
    if "head" in mention:
        adjectives.append(robot.head)
    if rng is not None:
        rng.shuffle(adjectives)
    if "color" in mention:
        adjectives.append(robot.color)
    noun = NOUNS[0] if rng is None or rng.random() < 0.94 else NOUNS[1]
    named = robot.named()
    held = [phrases[named[part]] for part, phrases in _PHRASES.items() if part in mention and named[part] in phrases]
    place = f"on a {robot.background} background" if "background" in mention else ""
    return sentence([*adjectives, noun], held, [], place, rng)


def vocabulary() -> list[str]:
    """Every word that a robot's caption can contain, and words that edits are likely to use, sorted."""
    words = {word for phrases in _PHRASES.values() for phrase in phrases.values() for word in phrase.split()}
    words |= {value for values in VALUES.values() for value in values}
    likely = "background clean rusty shiny metal head ear cable circuit horn mouth"
    words |= {*NOUNS, *likely.split()}
    return sorted(words)
