"""Where an object's mask comes from, decided once: what is offered, taken for the painter, and waited for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from s2edit_wire.errors import WireError
from s2edit_wire.limits import MAX_OBJECTS

from . import sentences
from .host import AUTOMATIC, CHANNEL, EARLIER, LAYER_MASK, PAINTED, SELECTION, Host, Layer, MaskChoice
from .pixels import Box
from .text import _


def titles() -> dict[str, str]:
    """The kinds of mask as the painter reads them, where one is chosen for all objects."""
    return {
        AUTOMATIC: _("Found automatically"),
        SELECTION: _("Selection"),
        LAYER_MASK: _("Layer mask"),
        PAINTED: _("Painted mask layers"),
        CHANNEL: _("Channel"),
        EARLIER: _("Earlier result's mask"),
    }


def automatic() -> MaskChoice:
    """The choice that leaves the mask to the model."""
    return MaskChoice(AUTOMATIC, label=_("Automatic"))


def nothing_marked(choice: MaskChoice) -> WireError:
    """The error of a mask that marks nothing of what is edited."""
    told = _("“{name}” marks nothing.", name=choice.label)
    return WireError("bad_mask", told, _("Paint over the object first, or let the model find it."))


def for_objects(host: Host, source: str, area: Box, kind: str, mark: str = "") -> list[MaskChoice]:
    """The masks of an edit where one kind is chosen for all of its objects, in their order; none for `AUTOMATIC`.

    Args:
        source: mark of the edited layer. area: what the edit is about: painted masks beside it are passed over.
        mark: of CHANNEL, its name; of EARLIER, the result, "" for the newest.

    Raises:
        WireError: bad_mask, when there is no such mask, or when it marks nothing of the area.
    """
    if kind == AUTOMATIC:
        return []
    layers = host.layers()
    if kind == EARLIER:
        mark = mark or next((result.mark for result in results_of(layers, source)), "")
    names = _by_mark(layers)
    marks = painted_for(layers, source) if kind == PAINTED else used_by(layers, mark) if kind == EARLIER else []
    found = [MaskChoice(PAINTED, one, names[one].name, names[one].word) for one in marks]
    found = [choice for choice in found if _marks(host, choice, area)][:MAX_OBJECTS]
    if found:
        return found
    offered = [choice for choice in host.mask_choices(source) if choice.kind == kind]
    if kind in (CHANNEL, EARLIER):
        offered = [choice for choice in offered if choice.mark == mark]
    if kind == PAINTED or not offered:
        raise WireError("bad_mask", _missing(kind).format(name=mark))
    if not _marks(host, offered[0], area):
        raise nothing_marked(offered[0])
    return offered[:1]


def _marks(host: Host, choice: MaskChoice, area: Box) -> bool:
    box = host.extent(choice)
    return box is not None and box.cut(area) is not None


def _missing(kind: str) -> str:
    return {
        PAINTED: _("No mask is painted yet. Choose “Paint Object Mask”, paint over the object, and try again."),
        SELECTION: _("Nothing is selected. Select the object first, or choose another mask."),
        LAYER_MASK: _("This layer has no layer mask. Add one, or choose another mask."),
        EARLIER: _("No earlier result of this layer has a mask. Choose another mask."),
        CHANNEL: _("There is no channel “{name}”."),
    }[kind]


def mask_layer(host: Host, source: str, word: str, filled: tuple[Box, bytes] | None = None, job: str = "") -> str:
    """A layer to paint an object's mask on, over the source and all that would hide it; returns its mark.

    Args:
        word: the object, "" when it isn't named yet. filled: what it shows at first: a box, and 8-bit samples of it.
        job: whose result it is, "" of one that is to be painted.
    """
    layers = host.layers()
    earlier = [layer for layer in layers if layer.made_for == source]
    parent = _by_mark(layers)[source].parent
    family = {source, *(layer.mark for layer in (*earlier, *results_of(layers, source)))}
    above = next(layer.mark for layer in layers if layer.parent == parent and layer.mark in family)
    name = _("Object mask: {word}", word=word) if word else _("Object mask {number}", number=len(earlier) + 1)
    return host.add_mask_layer(source, above, name, word, filled, job)


class Waiting:
    """One field's choice: what was chosen and is not there now, as on another layer, is waited for.

    Attributes:
        offered: what there is to choose from; an automatic choice, which is always there, comes first.
        wanted: what was chosen last.
    """

    def __init__(self, first: MaskChoice) -> None:
        self.offered: list[MaskChoice] = [first]
        self.wanted = first
        self._missing = False

    def offer(self, choices: Sequence[MaskChoice]) -> None:
        """There is this to choose from now."""
        self.offered = list(choices)
        self._missing = self.wanted not in self.offered

    def choose(self, choice: MaskChoice) -> None:
        """Want that; it may be offered later, when an editor tells of a new layer only then."""
        self.wanted, self._missing = choice, False

    @property
    def now(self) -> MaskChoice:
        """What counts: the model's own in place of one that is missing."""
        return self.offered[0] if self._missing else self.wanted

    @property
    def place(self) -> int:
        """Where that stands in `offered`."""
        return self.offered.index(self.now) if self.now in self.offered else 0


class Selected:
    """Takes what the painter has just selected for the main object's mask, and never against their own choice."""

    def __init__(self) -> None:
        self._before: dict[str, bool] = {}

    def taken(self, document: str, offered: Sequence[MaskChoice], chosen: MaskChoice) -> MaskChoice | None:
        """The selection, if it is to be chosen now; None to leave the choice as it is.

        Args:
            document: which one is looked at.
            offered: what there is now.
            chosen: what the main object has; only a mask that is left to the model is replaced. A selection that was
                there at the last look was turned down by choosing the model's own since, and is not chosen again.
        """
        selection = next((choice for choice in offered if choice.kind == SELECTION), None)
        new = not self._before.get(document, False)
        self._before[document] = selection is not None
        return selection if new and chosen.kind == AUTOMATIC else None


def to_paint(chosen: Sequence[MaskChoice]) -> int:
    """The first object whose mask is not painted yet; one more than there are for a new one, the last when full."""
    unpainted = (index for index, choice in enumerate(chosen) if choice.kind != PAINTED)
    return next(unpainted, min(len(chosen), MAX_OBJECTS - 1))


def picked_up(word: str, chosen: MaskChoice, offered: Sequence[MaskChoice], source: str) -> tuple[MaskChoice, str]:
    """An object's mask and word after an earlier edit was opened again: the newest mask that was painted for its word.

    Args:
        word: the object's, "" for none yet: then the painted mask brings its own, where the sentence `source` has it.
        chosen: its mask, which stays unless it is left to the model.
    """
    painted = [choice for choice in offered if choice.kind == PAINTED and word in ("", choice.word)]
    if chosen.kind != AUTOMATIC or not painted:
        return chosen, word
    named = word or (painted[-1].word if not source or sentences.mentions(source, painted[-1].word) else "")
    return painted[-1], named


def offered_kinds(host: Host, source: str) -> list[str]:
    """The kinds of mask that have something to offer now for a layer, the likeliest first."""
    there = {choice.kind for choice in host.mask_choices(source)}
    return kinds(host.layers(), source, selected=SELECTION in there, channels=CHANNEL in there)


def kinds(layers: Sequence[Layer], source: str, *, selected: bool, channels: bool) -> list[str]:
    """As `offered_kinds`.

    Args:
        layers: all of the document. source: the layer's mark.
        selected: whether there is a selection. channels: whether there are saved channels.
    """
    known = _by_mark(layers)
    painted, results = painted_for(layers, source), results_of(layers, source)
    shown = any(known[mark].visible for mark in painted)
    offers = [
        (PAINTED, shown),
        (SELECTION, selected),
        (LAYER_MASK, known[source].own_mask),
        (AUTOMATIC, True),
        (PAINTED, bool(painted) and not shown),
        (EARLIER, any(result.own_mask for result in results[:1])),
        (CHANNEL, channels),
    ]
    return [kind for kind, there in offers if there]


def painted_for(layers: Sequence[Layer], source: str) -> list[str]:
    """Marks of the mask layers painted for a layer, from the lowest up: the order in which they were painted.

    Those that an edit has used are hidden; they count only where no other is there, and of them those of the newest
    result. A result has those of the layer that it was made from, unless some were made for itself.
    """
    found = [layer for layer in layers if layer.made_for == source]
    known = _by_mark(layers)
    below = known[source].made_from if source in known else ""
    if not found and below in known:
        return used_by(layers, source) or painted_for(layers, below)
    shown = [layer.mark for layer in reversed(found) if layer.visible]
    used = (used_by(layers, result.mark) for result in results_of(layers, source))
    return shown or next(filter(None, used), [layer.mark for layer in reversed(found)])


def used_by(layers: Sequence[Layer], result: str) -> list[str]:
    """Marks of the mask layers that a result was made with, in their order; none when one of them is gone."""
    known = _by_mark(layers)
    marks = known[result].made_with if result in known else ()
    return list(marks) if all(mark in known for mark in marks) else []


def results_of(layers: Sequence[Layer], source: str) -> list[Layer]:
    """The results that were made from a layer, the topmost first."""
    return [layer for layer in layers if layer.made_from == source]


def next_word(host: Host, source: str, words: Sequence[str]) -> str:
    """The word of the first object without a mask layer that is shown; "" when all have one."""
    known = _by_mark(host.layers())
    painted = [mark for mark in painted_for(host.layers(), source) if known[mark].visible]
    return next(iter(words[len(painted) :]), "")


def edited(layers: Sequence[Layer], active: str) -> str:
    """Mark of the layer that an edit is about: for a painted mask, the one it was made for, while that is there."""
    known = _by_mark(layers)
    owner = known[active].made_for if active in known else ""
    return owner if owner in known else active


def _by_mark(layers: Sequence[Layer]) -> Mapping[str, Layer]:
    return {layer.mark: layer for layer in layers}
