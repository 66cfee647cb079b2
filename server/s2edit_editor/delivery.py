"""Where a result goes, once for both editors: over which layer, how it is shown there, what it is called.

A result is one layer over its source, and shows the picture as if the source itself had been edited: hidden by the
source's mask, as faint as its opacity, blended in its mode. With C the source's colour, B what lies under it, e its
opacity times mask times alpha, and M the mode's function, the picture shows X = (1 - e) B + e M(B, C). Edited to
(1 - a) C + a P within the patch's alpha a, it shows (1 - a) X + a Q with Q = (1 - e) B + e M(B, P), exactly for every
mode that is linear in its source (Porter and Duff 1984; W3C Compositing and Blending Level 1, section 10; all of
Normal, Multiply, Screen, Addition, Overlay). So the result holds Q, at full opacity in mode Normal, under the mask a.
Alpha stays what it was where the result is clipped to what it covers.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, NamedTuple

from .host import NORMAL, Layer

LONGEST_NAME = 60
"""Characters of a layer's name that layer lists show."""
_FILLERS = frozenset(
    "a an and the with in on of at by is are has having wearing her his its their some".split()  # noqa: SIM905 - prose
)
"""Words that only join what follows to the sentence."""


class Spot(NamedTuple):
    """A place in the stack: the group's mark ("" at the top), and the layer that lies directly under it, or ""."""

    parent: str
    above: str


def spot_over(layers: Sequence[Layer], source: str) -> Spot:
    """The newest result's place: over its source and over all that was made of that before, in the source's group.

    Args:
        layers: all of the document, from the top down.
        source: mark of the edited layer; "" or one that is gone: on top of all.
    """
    known = {layer.mark: layer for layer in layers}
    if source not in known:
        return Spot("", next((layer.mark for layer in layers if not layer.parent), ""))
    parent, family = known[source].parent, descendants(layers, source)
    return Spot(parent, next(layer.mark for layer in layers if layer.parent == parent and layer.mark in family))


def descendants(layers: Sequence[Layer], source: str) -> Collection[str]:
    """A layer, its results, their results, and so on."""
    family = {source}
    while more := {layer.mark for layer in layers if layer.made_from in family} - family:
        family |= more
    return family


class Manner(NamedTuple):
    """How a result is to be shown; see `host.Insertion`."""

    blended: bool
    clipped: bool


def manner_over(source: Layer | None, *, opaque: bool) -> Manner:
    """What it takes that the picture looks as if the source had been edited.

    Args:
        source: None when it is gone: the result is then shown as it is.
        opaque: whether its own pixels are opaque all over the result's box.
    """
    if source is None:
        return Manner(blended=False, clipped=False)
    plain = source.mode == NORMAL and source.opacity == 1.0 and not source.masked
    return Manner(blended=not (plain and opaque), clipped=not (plain and opaque))


def layer_name(edit: Mapping[str, Any]) -> str:
    """What a result is called: by what it changes (“+ sunglasses”, “hat → crown”), not by what all results share."""
    source, target = str(edit.get("source", "")), str(edit.get("target", ""))
    return _shortened(difference(source, target) or target.strip() or "S²Edit")


def difference(source: str, target: str) -> str:
    """The words that one sentence has and the other has not, as a painter notes them; "" when there are none."""
    old, new = _words(source), _words(target)
    matcher = SequenceMatcher(a=[word.lower() for word in old], b=[word.lower() for word in new], autojunk=False)
    changes = []
    for kind, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        gone, come = _said(old[old_from:old_to]), _said(new[new_from:new_to])
        if kind == "equal" or not (gone or come):
            continue
        changes.append(f"{gone} → {come}" if gone and come else f"+ {come}" if come else f"− {gone}")
    return ", ".join(changes)


def _words(sentence: str) -> list[str]:
    return re.findall(r"[^\s,.;:!?]+", sentence)


def _said(words: Sequence[str]) -> str:
    """The words without what only joins them to the rest."""
    start, end = 0, len(words)
    while start < end and words[start].lower() in _FILLERS:
        start += 1
    while end > start and words[end - 1].lower() in _FILLERS:
        end -= 1
    return " ".join(words[start:end])


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_NAME else text[: LONGEST_NAME - 1] + "…"
