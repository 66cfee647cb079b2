"""Results as beginnings: the edit that made a result layer once more, and a result as the start of the next edit."""

from __future__ import annotations

from gi.repository import Gimp
from s2edit_editor.text import _
from s2edit_editor.wish import Wish
from s2edit_wire.recipe import Recipe

from .choices import Choices
from .layers import recipe_text, reference_mark, source_layer
from .mask_sources import AUTOMATIC, EARLIER, LAYER_MASK, MASK_LAYERS, mask_layers
from .snapshot import CannotEdit


def made_again(image: Gimp.Image, result: Gimp.Drawable) -> tuple[Gimp.Drawable, Choices]:
    """What a result was made of, and how; masks that were painted since are preferred to those of then.

    Raises CannotEdit for other layers, WireError for a damaged recipe.
    """
    choices = Choices(_wish_of(result))
    choices.recall_reference(image, reference_mark(result))
    source = source_layer(image, result) or result
    painted = any(mask.get_visible() for mask in mask_layers(image, source))
    choices.mask, choices.earlier = MASK_LAYERS if painted else EARLIER, result
    return source, choices


def as_start(result: Gimp.Drawable) -> Choices:
    """For an edit of the result itself: it shows now what was wished for then. Raises as `made_again` does."""
    return Choices(_wish_of(result).as_start(), LAYER_MASK if result.get_mask() is not None else AUTOMATIC)


def _wish_of(result: Gimp.Drawable) -> Wish:
    text = recipe_text(result)
    if text is None:
        raise CannotEdit(_("This layer is no result of S²Edit. Select a layer that S²Edit has made."))
    return Wish.from_edit(Recipe.from_json(text).edit)
