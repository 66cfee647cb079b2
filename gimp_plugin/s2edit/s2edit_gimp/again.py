"""Results as beginnings: the edit that made a result layer once more, and a result as the start of the next edit."""

from __future__ import annotations

from s2edit_editor.host import AUTOMATIC, EARLIER, LAYER_MASK, PAINTED
from s2edit_editor.masks import painted_for
from s2edit_editor.notes import REFERENCE
from s2edit_editor.submission import known
from s2edit_editor.text import _
from s2edit_editor.wish import Wish
from s2edit_wire.errors import WireError
from s2edit_wire.recipe import NAME as RECIPE
from s2edit_wire.recipe import Recipe

from .choices import Choices
from .host import GimpHost


def made_again(host: GimpHost, result: str) -> tuple[str, Choices]:
    """What a result was made of, and how; masks that were painted since are preferred to those of then.

    Raises WireError for other layers, and for a damaged recipe.
    """
    choices = Choices(_wish_of(host, result))
    choices.recall_reference(host.image, host.note(REFERENCE, result))
    layers = known(host)
    source = layers[result].made_from if layers[result].made_from in layers else result
    painted = any(layers[mask].visible for mask in painted_for(host.layers(), source))
    choices.mask, choices.mark = (PAINTED, "") if painted else (EARLIER, result)
    return source, choices


def as_start(host: GimpHost, result: str) -> Choices:
    """For an edit of the result itself: it shows now what was wished for then. Raises as `made_again` does."""
    return Choices(_wish_of(host, result).as_start(), LAYER_MASK if known(host)[result].own_mask else AUTOMATIC)


def _wish_of(host: GimpHost, result: str) -> Wish:
    text = host.note(RECIPE, result)
    if not text:
        told = _("This layer is no result of S²Edit. Select a layer that S²Edit has made.")
        raise WireError("bad_image", told)
    return Wish.from_edit(Recipe.from_json(text).edit)
