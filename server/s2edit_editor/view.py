"""What an editor's form is to the editors' one mind: its fields, and what it shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from s2edit_wire.records import PlanReply

from . import models
from .form import Shown
from .host import Host
from .order import Order
from .pixels import Box
from .wish import Wish


class SourceLayer(NamedTuple):
    """What is edited: a document, and the mark of its layer."""

    host: Host
    layer: str


@dataclass(frozen=True)
class Fields:
    """What a form's fields hold.

    Args:
        order: what they ask for.
        typed: the wish as it was typed, perhaps an instruction.
        word: what the main object's field holds.
        masks: how many masks are chosen for objects, also for those without a word.
        trouble: why the chosen mask can't be had, as a sentence; "" when it can.
        wishes: instead of the order's own, where several are asked for.
    """

    order: Order
    typed: str = ""
    word: str = ""
    masks: int = 0
    trouble: str = ""
    wishes: tuple[Wish, ...] = ()

    @property
    def only_the_change(self) -> bool:
        """Whether it is said what should change, and not what the picture shows."""
        wish = self.order.wish
        return wish.kind == "edit" and not wish.instructs and not wish.source and bool(self.typed.strip())


class View(Protocol):
    """A form as the flow needs it."""

    def place(self) -> SourceLayer | None:
        """What would be edited now; None when no layer is chosen."""

    def fields(self) -> Fields:
        """What is typed and chosen now."""

    def look(self, place: SourceLayer) -> None:
        """Offer the masks that there are now."""

    def show_state(self, shown: Shown) -> None:
        """Mark fields, say what is said, and let the buttons that may be pressed be pressed."""

    def show_link(self, state: str, message: str) -> None:
        """The connection is `ready`, `connecting`, or `lost` with a sentence."""

    def show_models(self, line: models.ChosenModel, *, listed: bool) -> None:
        """The chosen model and what is said of it; `listed`: the list of models is another one now."""

    def show_plan(self, plan: PlanReply) -> None:
        """The model's own numbers, the words that can name an object, and the forecast."""

    def show_crop(self, place: SourceLayer | None, crop: Box | None) -> None:
        """The part of the layer that will be sent, with its masks; None of either: nothing."""

    def propose(self, word: str) -> None:
        """Put a word into the main object's field, unless the cursor is there."""

    def describe(self, source: str, target: str) -> None:
        """Fill in both sentences."""

    def fill_settings(self, wish: Wish) -> None:
        """Show a wish's profile and settings; whatever else is typed and chosen stays."""

    def take_mask(self) -> None:
        """The mask that was asked for is on a layer now: choose it."""

    def handed_over(self, fields: Fields) -> None:
        """The edit is on its way."""

    def sent(self, place: SourceLayer, order: Order) -> None:
        """The daemon has it."""
