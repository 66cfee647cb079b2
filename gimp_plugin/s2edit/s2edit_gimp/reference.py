"""The second picture of a composition, from a layer or a file, as it is sent."""

from __future__ import annotations

from gi.repository import Gimp, Gio, GLib
from s2edit_editor.pixels import Picture
from s2edit_editor.planning import Facts, lacks
from s2edit_editor.text import _

from .choices import Choices
from .pixels import read_preview
from .snapshot import CannotEdit

LONGEST = 1024
"""Pixels per side of what is sent of a reference: models see no more."""


def given_reference(choices: Choices) -> Picture | None:
    """The reference's pixels, shrunk to what models see; None for plain edits.

    Raises CannotEdit when something is missing, and for files that GIMP can't open.
    """
    facts = Facts(reference=choices.has_reference)
    lack = lacks(choices.wish, facts).get("reference")
    if lack:
        raise CannotEdit(lack)
    if choices.reference is not None:
        return _read_layer(choices.reference)
    return None if choices.reference_file is None else _read_file(choices.reference_file)


def _read_layer(layer: Gimp.Drawable) -> Picture:
    return read_preview(layer, (0, 0, layer.get_width(), layer.get_height()), LONGEST)


def _read_file(file: Gio.File) -> Picture:
    try:
        image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, file)
    except GLib.Error as error:
        raise CannotEdit(_("The reference can't be opened: {error}").format(error=error.message)) from error
    if image is None:  # so GIMP answers for files of no kind that it knows
        why = Gimp.get_pdb().get_last_error()
        raise CannotEdit(_("The reference can't be opened: {error}").format(error=why))
    try:
        return _read_layer(Gimp.Layer.new_from_visible(image, image, "reference"))
    finally:
        image.delete()
