"""The contract between the editors' one mind and an editor: what a host can do with its open document.

A host is small: it carries out, and decides nothing. All boxes are in canvas pixels; layers are named by `mark`, a text
that the editor keeps in its own files (Krita's unique id, GIMP's tattoo). Errors are `WireError`s with a sentence.

`order` says what is wanted of a document, `submission` takes it out, `delivery` brings results in; all through a host.
What may take long is `turns.Work`: it yields wherever it can wait, and holds on to what there was at its first turn. A
host that is fast enough wraps what it does at once in `turns.quick`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from .pixels import Box, Picture
from .turns import Work

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
        shows: whether it has something of its own to show, as no adjustment of what lies under it has.
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
    shows: bool = True
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
class Reference:
    """The picture that a composition takes from.

    Args:
        mark: the host's own text to find it again: a layer, another document, a file.
        label: what the painter reads.
    """

    mark: str
    label: str = field(default="", compare=False)


@dataclass(frozen=True)
class Insertion:
    """A result layer to be made, and put into the document in one undo step.

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
        job: whose result it is.
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
    job: str = ""
    notes: dict[str, str] = field(default_factory=dict)


class Previewed(Protocol):
    """A result that is looked at and is no part of the document.

    Attributes:
        over: what it hides, or stands in for: a layer's mark, "" for all that is visible; None for nothing.
    """

    over: str | None

    def is_there(self) -> bool:
        """Whether it can be seen still: a painter may have closed where it was."""

    def end(self) -> None:
        """Take it away; harmless when it is gone."""


class Host(Protocol):
    """One open document of an editor."""

    def program(self) -> str:
        """`gimp` or `krita`."""

    def versions(self) -> dict[str, str]:
        """What made a result, for its recipe: `host` (the editor's name and version) and `plugin`."""

    def is_open(self) -> bool:
        """Whether the document is still there; nothing else may be asked of one that is not."""

    def title(self) -> str:
        """What the title bar calls it; never a path."""

    def ref(self, layer: str) -> str:
        """The wire's `document.ref` of an edit of this layer: the host's own text to find the document again."""

    def knows(self, ref: str) -> bool:
        """Whether such a text is of a layer of this document, or of one that this is a copy of."""

    def canvas(self) -> tuple[int, int]:
        """Width and height in pixels."""

    def layers(self) -> Sequence[Layer]:
        """All layers from the top down, a group before what is in it."""

    def active(self) -> str:
        """Mark of the active layer, "" without one."""

    def shown_box(self, layer: str) -> Box | None:
        """A box around all of the layer's own pixels that are not transparent; None when there are none."""

    def frame(self, layer: str) -> Box:
        """A corner that moves with the layer's pixels, and its size; 0 x 0 where layers have no size of their own."""

    def mask_choices(self, layer: str) -> Sequence[MaskChoice]:
        """What there is now to take an object's mask from, for this layer; AUTOMATIC is not among them."""

    def extent(self, choice: MaskChoice) -> Box | None:
        """A box around all that the choice marks; None when it marks nothing, or is gone."""

    def coverage(self, choice: MaskChoice, box: Box, step: int = 1) -> bytes:
        """The mask's 8-bit samples in the box (0 outside of it), every `step`-th of every `step`-th row."""

    def covering(self, choice: MaskChoice, box: Box) -> Work[bytes | bytearray]:
        """As `coverage` of every pixel, of a large box."""

    def read(self, layer: str, box: Box) -> Picture:
        """A layer's own pixels in a box, without its mask, opacity and mode; transparent black outside of it.

        "" stands for all that is visible, painted mask layers left out; so it does for the next three.
        """

    def reading(self, layer: str, box: Box) -> Work[Picture]:
        """As `read`, of a large box."""

    def glance(self, layer: str, box: Box, step: int) -> Picture:
        """Every `step`-th pixel of every `step`-th row of `read`'s, 8-bit RGBA, so fast that no stroke is disturbed."""

    def is_slow(self, layer: str, box: Box) -> bool:
        """Whether `read` of this box takes so long that it would be felt after each stroke."""

    def looker(self, layer: str) -> Callable[[int, int], int | None]:
        """Tells the layer's green, 0 to 255, at a canvas pixel; None beside the layer."""

    def is_opaque(self, layer: str, box: Box) -> bool:
        """Whether the layer's own pixels are opaque all over the box."""

    def borrowing(self, reference: Reference, longest: int) -> Work[Picture]:
        """What a reference shows, of which no more than `longest` pixels a side are needed.

        Raises WireError with a sentence when it is gone or can't be opened.
        """

    def stretched(self, picture: Picture, width: int, height: int) -> Picture:
        """A picture of 1 or 3 channels at another size, by the editor's own scaling."""

    def refusal(self) -> str:
        """Why no result can be put into this document as it is; "" when one can."""

    def results(self) -> Mapping[str, str]:
        """Marks of the layers that are results and are there now, by their jobs."""

    def making(self, result: Insertion) -> Work[Any]:
        """A result's layer, which hangs nowhere yet: whatever takes time is done with that."""

    def attach(self, layer: Any, result: Insertion) -> str:
        """Put what was made into the document; returns its mark."""

    def previewing(self, layer: Any, result: Insertion) -> Work[Previewed]:
        """Show what was made where it would be put, and leave the document as it is: nothing of it can be saved."""

    def add_mask_layer(
        self, layer: str, above: str, name: str, word: str, filled: tuple[Box, bytes] | None = None, job: str = ""
    ) -> str:
        """A layer to paint the mask of an object of `layer` on, directly over `above`; it becomes the active one.

        Args:
            filled: what it shows at first: a box, and 8-bit samples of it; None for an empty one, with a brush in hand.
            job: whose result it is, "" of one that is to be painted; `results` knows it then.
        """

    def choose(self, mark: str) -> None:
        """Make a layer the active one, because the painter asked for it."""

    def show(self, marks: Sequence[str], *, visible: bool) -> None:
        """Show or hide layers."""

    def note(self, name: str, layer: str = "") -> str:
        """A text that is kept with the document, or with a layer of it; "" when there is none."""

    def keep(self, name: str, text: str, layer: str = "") -> None:
        """Keep such a text; "" removes it."""
