"""The arguments of the edit procedure, one for each choice; scripts and “last values” use them."""

from __future__ import annotations

from typing import NamedTuple

from gi.repository import Gimp, GObject
from s2edit_wire.records import PROFILES

from .choices import UNSET
from .mask_sources import AUTOMATIC, CHANNEL, EARLIER, LAYER_MASK, MASK_LAYERS, SELECTION
from .text import _

FLAGS = GObject.ParamFlags.READWRITE


class Number(NamedTuple):
    """One number of the method: its argument's name, title and explanation, the highest value, step and decimals.

    Args:
        name: one of `choices.SETTINGS`.
    """

    name: str
    title: str
    blurb: str
    most: float
    step: float
    digits: int


def numbers() -> tuple[Number, ...]:
    """Those that a painter may want, from 0 up; the daemon knows more."""
    grow = _("Enlarge the mask by so many of the model's pixels")
    context = _("How far around the mask the model sees, in mask lengths; 4 is mostly the whole picture")
    guided = _("Part of the steps in which the words act; the rest keep the picture's details")
    words = _("Part of the steps that keep the old picture's word layout")
    shapes = _("Part of the steps that keep the old picture's shapes")
    inversion = _("Steps from the picture to noise and back")
    return (
        Number("feather", _("Feather"), _("Softness of the result's edge, in the model's pixels"), 256.0, 1.0, 0),
        Number("grow", _("Grow mask"), grow, 256.0, 1.0, 0),
        Number("context", _("Context"), context, 4.0, 0.05, 2),
        Number("guidance-until", _("Guided part"), guided, 1.0, 0.05, 2),
        Number("cross-replace", _("Word injection"), words, 1.0, 0.05, 2),
        Number("self-replace", _("Shape injection"), shapes, 1.0, 0.05, 2),
        Number("identity-steps", _("Identity steps"), _("Training steps that learn the object"), 10_000.0, 10.0, 0),
        Number("inversion-steps", _("Inversion steps"), inversion, 100.0, 1.0, 0),
    )


def mask_titles() -> dict[str, str]:
    """The mask sources as the painter reads them."""
    return {
        AUTOMATIC: _("Found automatically"),
        SELECTION: _("Selection"),
        LAYER_MASK: _("Layer mask"),
        MASK_LAYERS: _("Painted mask layers"),
        CHANNEL: _("Channel"),
        EARLIER: _("Earlier result's mask"),
    }


def profile_titles() -> dict[str, str]:
    """The profiles as the painter reads them."""
    titles = {"faithful": _("Faithful (slow)"), "balanced": _("Balanced"), "fast": _("Fast")}
    return {name: titles[name] for name in PROFILES}


def add_edit_arguments(procedure: Gimp.Procedure) -> None:
    """Declare them; a method's number of -1 leaves the choice to the model and the profile."""
    for name, title, blurb in (
        ("source", _("Picture shows"), _("What the picture shows now")),
        ("target", _("Should show"), _("What it should show")),
        ("object", _("Object"), _("The word that names the object; several: separated by commas")),
    ):
        procedure.add_string_argument(name, title, blurb, "", FLAGS)
    _add_choice(procedure, "mask", _("Mask"), _("Where the object's mask comes from"), mask_titles(), AUTOMATIC)
    procedure.add_string_argument("channel", _("Channel"), _("Name of the channel, for the mask “channel”"), "", FLAGS)
    procedure.add_string_argument("model", _("Model"), _("Id of the model; empty: the usual one"), "", FLAGS)
    _add_choice(procedure, "profile", _("Profile"), _("How much work is done"), profile_titles(), "balanced")
    guidance = _("How strongly the words act; 0: the model's own")
    procedure.add_double_argument("guidance", _("Guidance"), guidance, 0.0, 20.0, 0.0, FLAGS)
    reference = _("A layer to take something over from")
    procedure.add_layer_argument("reference", _("Reference"), reference, True, FLAGS)
    named = _("That layer by its name")
    procedure.add_string_argument("reference-name", _("Reference layer"), named, "", FLAGS)
    file, opening = _("A picture file to take something over from"), Gimp.FileChooserAction.OPEN
    procedure.add_file_argument("reference-file", _("Reference file"), file, opening, True, None, FLAGS)
    shows = _("What the reference shows")
    procedure.add_string_argument("reference-prompt", _("Reference shows"), shows, "", FLAGS)
    # A double, since GIMP's integers end at half of the seeds.
    procedure.add_double_argument("seed", _("Seed"), _("Same seed, same result"), 0.0, 2.0**32 - 1, 0.0, FLAGS)
    for entry in numbers():
        blurb = _("{meaning}; -1: the model's own").format(meaning=entry.blurb)
        procedure.add_double_argument(entry.name, entry.title, blurb, UNSET, entry.most, UNSET, FLAGS)


def _add_choice(
    procedure: Gimp.Procedure, name: str, title: str, blurb: str, titles: dict[str, str], default: str
) -> None:
    choice = Gimp.Choice.new()
    for number, (nick, label) in enumerate(titles.items()):
        choice.add(nick, number, label, "")
    procedure.add_choice_argument(name, title, blurb, choice, default, FLAGS)
