"""The contract between the editors' one mind and an editor: what a host can do with its open document.

A host is small: it carries out, and decides nothing. All boxes are in canvas pixels; layers are named by `mark`, a text
that the editor keeps in its own files (Krita's unique id, GIMP's tattoo). Errors are `WireError`s with a sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from .pixels import Box, Picture

AUTOMATIC, SELECTION, PAINTED, LAYER_MASK, CHANNEL, EARLIER = (
    "automatic",
    "selection",
    "layer",
    "layer_mask",
    "channel",
    "earlier",
)
"""Kinds of mask choice: the model's own, the selection, a painted mask layer, the layer's own mask, a saved channel,
and the masks of an earlier result. All but the last are `recipe.MASK_SOURCES`."""
NORMAL = "normal"


@dataclass(frozen=True)
class Layer:
    """What is to be known of a layer.

    Args:
        mark: its name for the host.
        name: what the painter calls it.
        box: its own bounds on the canvas, also outside of it; None of an empty layer.
        parent: mark of its group, "" at the top.
        group: whether it holds other layers.
        visible: whether it is shown.
        opacity: 0.0 to 1.0.
        mode: its blend mode, `NORMAL` or the editor's own name.
        masked: whether a mask of its own hides parts of it. own_mask: whether it has one that a mask can be taken from.
        made_for: of a painted mask layer, the mark of the layer it was made for; word: the object it stands for.
        made_from: of a result, the mark of the layer that was edited. made_with: those of the mask layers used then.
    """

    mark: str
    name: str
    box: Box | None
    parent: str = ""
    group: bool = False
    visible: bool = True
    opacity: float = 1.0
    mode: str = NORMAL
    masked: bool = False
    own_mask: bool = False
    made_for: str = ""
    word: str = ""
    made_from: str = ""
    made_with: tuple[str, ...] = ()


@dataclass(frozen=True)
class MaskChoice:
    """Where an object's mask can come from.

    Args:
        kind: one of the kinds above.
        mark: of PAINTED, LAYER_MASK, CHANNEL and EARLIER, which one.
        label: what the painter reads.
        word: the object that it was painted for, "" when not known.
    """

    kind: str
    mark: str = ""
    label: str = field(default="", compare=False)
    word: str = field(default="", compare=False)


@dataclass(frozen=True)
class Insertion:
    """A result layer to be made, in one undo step.

    Args:
        name: its name.
        box: where its pixels go.
        colour: 1 or 3 channels.
        alpha: 1 channel; it becomes the layer's editable mask.
        parent, above: its group ("": none), and the layer that it comes directly over ("": on top of the group).
        source: the layer that was edited, "" when it is gone.
        blended: whether the colours are to be shown as the source layer would show them: through its mask, at its
            opacity, in its mode, over what lies under it. Else they are shown as they are.
        clipped: whether it may cover only what is covered already, so that soft edges stay as soft as they are.
        hide: mask layers that have done their work.
        choose: whether it becomes the active layer; else that stays.
        notes: texts that it carries, by name.
    """

    name: str
    box: Box
    colour: Picture
    alpha: Picture
    parent: str
    above: str
    source: str = ""
    blended: bool = False
    clipped: bool = False
    hide: Sequence[str] = ()
    choose: bool = False
    notes: dict[str, str] = field(default_factory=dict)


class Host(Protocol):
    """One open document of an editor."""

    def program(self) -> str:
        """`gimp` or `krita`."""

    def language(self) -> str:
        """The painter's language, two letters."""

    def is_open(self) -> bool:
        """Whether the document is still there; nothing else may be asked of one that is not."""

    def title(self) -> str:
        """What the title bar calls it; never a path."""

    def canvas(self) -> tuple[int, int]:
        """Width and height in pixels."""

    def layers(self) -> Sequence[Layer]:
        """All layers from the top down, a group before what is in it."""

    def active(self) -> str:
        """Mark of the active layer, "" without one."""

    def mask_choices(self, layer: str) -> Sequence[MaskChoice]:
        """What there is now to take an object's mask from, for this layer; AUTOMATIC is not among them."""

    def extent(self, choice: MaskChoice) -> Box | None:
        """A box around all that the choice marks; None when it marks nothing, or is gone."""

    def coverage(self, choice: MaskChoice, box: Box, step: int = 1) -> bytes:
        """The mask's 8-bit samples in the box (0 outside of it), every `step`-th of every `step`-th row."""

    def read(self, layer: str, box: Box) -> Picture:
        """A layer's own pixels in a box, without its mask, opacity and mode; transparent black outside of it.

        "" stands for all that is visible, painted mask layers left out.
        """

    def insert(self, result: Insertion) -> str:
        """Make a result layer; returns its mark."""

    def add_mask_layer(self, layer: str, name: str, word: str, filled: tuple[Box, bytes] | None = None) -> str:
        """A layer over `layer` to paint an object's mask on, perhaps already filled; it becomes the active one."""

    def show(self, marks: Sequence[str], *, visible: bool) -> None:
        """Show or hide layers."""

    def note(self, name: str, layer: str = "") -> str:
        """A text that is kept with the document, or with a layer of it; "" when there is none."""

    def keep(self, name: str, text: str, layer: str = "") -> None:
        """Keep such a text; "" removes it."""
