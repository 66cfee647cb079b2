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

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from . import sentences
from .host import NORMAL, Layer

LONGEST_NAME = 60
"""Characters of a layer's name that layer lists show."""


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
    return sentences.title(str(edit.get("source", "")), str(edit.get("target", "")).strip(), LONGEST_NAME) or "S²Edit"
