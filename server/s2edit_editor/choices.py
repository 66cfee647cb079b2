"""An edit as a form with one choice of mask has it: as a picture keeps it, made once more, or on top of a result."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from s2edit_wire.errors import WireError
from s2edit_wire.recipe import NAME as RECIPE
from s2edit_wire.recipe import Recipe

from .host import AUTOMATIC, CHANNEL, EARLIER, LAYER_MASK, PAINTED, SELECTION, Host, MaskChoice, Reference
from .masks import painted_for
from .notes import REFERENCE
from .order import Order
from .submission import known
from .text import _
from .wish import Wish

KINDS = (AUTOMATIC, SELECTION, LAYER_MASK, PAINTED, CHANNEL, EARLIER)
_URI = "://"


@dataclass
class Choices:
    """One edit as the painter wants it.

    Args:
        wish: what is wanted, without where it is taken from.
        mask: a kind of mask (`host`); mark: the channel's name for CHANNEL; the result whose mask EARLIER takes, "" for
            the newest.
        reference: what to take something over from, for `compose`: a layer's mark or a file's URI; "" for nothing.
    """

    wish: Wish = field(default_factory=Wish)
    mask: str = AUTOMATIC
    mark: str = ""
    reference: str = ""

    def order(self, masks: Sequence[MaskChoice]) -> Order:
        """The order with these masks of its objects (`masks.for_objects`)."""
        return Order(self.wish, tuple(masks), reference=Reference(self.reference) if self.reference else None)

    def choose_mask(self, offers: Sequence[str]) -> None:
        """Take the likeliest kind on offer, unless what was chosen is there and nothing was painted or selected since.

        What is made again keeps its mask even where a selection offers itself.
        """
        again = self.mask == EARLIER and self.mark
        if self.mask not in offers or (not again and offers[0] in (PAINTED, SELECTION)):
            self.mask = offers[0]

    @property
    def composes(self) -> bool:
        """Whether something is to be taken over from another picture, or at least was described."""
        return bool(self.reference or self.wish.reference_prompt)

    def recall_reference(self, host: Host, mark: str) -> None:
        """Take the reference that such a text stands for, if it is still there."""
        self.reference = mark if _URI in mark or mark in known(host) else ""

    def habits(self) -> Choices:
        """What goes along from one picture to the next: model, profile and dials, no words, mask or reference."""
        return Choices(Wish(model=self.wish.model, profile=self.wish.profile, settings=self.wish.settings))

    def noted(self) -> str:
        """As a text that is kept with the picture; see `from_note`."""
        held = {"mask": self.mask, "mark": self.mark, "reference": self.reference, "wish": self.wish.noted()}
        return json.dumps(held)

    @classmethod
    def from_note(cls, host: Host, text: str) -> Choices | None:
        """What `noted` wrote; None for any other text, as it is data from outside when it is read."""
        try:
            held = json.loads(text or "null")
        except ValueError:
            return None
        wish = Wish.from_note(str(held.get("wish", ""))) if isinstance(held, dict) else None
        if wish is None:
            return None
        mask = str(held.get("mask", AUTOMATIC))
        made = cls(wish, mask if mask in KINDS else AUTOMATIC, str(held.get("mark", "")))
        made.recall_reference(host, str(held.get("reference", "")))
        if not made.reference:  # it is gone, and so is what it showed
            made.wish = replace(wish, kind="edit", reference_prompt="")
        return made


def made_again(host: Host, result: str) -> tuple[str, Choices]:
    """What a result was made of, and how; masks that were painted since are preferred to those of then.

    Raises WireError for other layers, and for a damaged recipe.
    """
    choices = Choices(_wish_of(host, result))
    choices.recall_reference(host, host.note(REFERENCE, result))
    layers = known(host)
    source = layers[result].made_from if layers[result].made_from in layers else result
    painted = any(layers[mask].visible for mask in painted_for(host.layers(), source))
    choices.mask, choices.mark = (PAINTED, "") if painted else (EARLIER, result)
    return source, choices


def as_start(host: Host, result: str) -> Choices:
    """For an edit of the result itself: it shows now what was wished for then. Raises as `made_again` does."""
    return Choices(_wish_of(host, result).as_start(), LAYER_MASK if known(host)[result].own_mask else AUTOMATIC)


def _wish_of(host: Host, result: str) -> Wish:
    text = host.note(RECIPE, result)
    if not text:
        told = _("This layer is no result of S²Edit. Select a layer that S²Edit has made.")
        raise WireError("bad_image", told)
    return Wish.from_edit(Recipe.from_json(text).edit)
