"""Robots as a second domain: DiceBear's drawings of the "bottts" style, their attributes, captions and edits.

The drawings lie in parts.json, which `extract` made from the npm package; who drew them stands in there.
"""

from __future__ import annotations

from pathlib import Path

from s2edit.research.starter.domain import Domain, Parts, by_word
from s2edit.research.starter.robots.attributes import MOUTHS, SIDES, TOPS, Robot, sample_robot, visible
from s2edit.research.starter.robots.captions import NOUNS, caption, vocabulary
from s2edit.research.starter.robots.edits import EDITS
from s2edit.research.starter.robots.regions import PARTS, part_regions
from s2edit.research.starter.robots.renderer import render

__all__ = ["ROBOTS", "Robot"]

ROBOTS = Domain(
    name="robots",
    thing=Robot,
    sample=sample_robot,
    render=render,
    caption=caption,
    visible=visible,
    asked=Robot.named,
    noun=lambda _robot: NOUNS[0],
    nouns=NOUNS,
    words=vocabulary,
    usual=frozenset({"mouth", "color"}),
    proposal=frozenset({"mouth", "color", "eyes", "top", "sides", "texture"}),
    edits=EDITS,
    parts=Parts(
        names=PARTS,
        details=("eyes", "mouth", "top", "sides"),
        regions=part_regions,
        nouns=by_word(
            {
                "figure": f"{' '.join(NOUNS)} circuits camouflage",
                "background": "background",
                "eyes": "eyes visor sunglasses",
                "mouth": "grille",
                "top": " ".join(TOPS),
                "sides": " ".join(SIDES),
            }
        ),
        alone=by_word({"mouth": " ".join(name for name in MOUTHS if name != "grille")}),
    ),
    classifier=Path(__file__).resolve().parent / "classifier.safetensors",
)
