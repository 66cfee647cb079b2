"""The arguments of the edit procedure, one for each choice; scripts and “last values” use them."""

from __future__ import annotations

from gi.repository import Gimp, GObject
from s2edit_editor.host import AUTOMATIC
from s2edit_editor.masks import titles
from s2edit_editor.text import _
from s2edit_editor.wish import DEFAULT_PROFILE
from s2edit_editor.words import knob_hint, knob_title, profiles
from s2edit_wire.knobs import GUIDANCE, knobs

from .choices import ARGUMENT_OF, UNSET, dials

FLAGS = GObject.ParamFlags.READWRITE


def _masks() -> dict[str, str]:
    return {ARGUMENT_OF[kind]: title for kind, title in titles().items()}


def add_edit_arguments(procedure: Gimp.Procedure) -> None:
    """Declare them; a method's number of -1 leaves the choice to the model and the profile."""
    for name, title, blurb in (
        ("source", _("Picture shows"), _("What the picture shows now")),
        ("target", _("Should show"), _("What it should show")),
        ("object", _("Object"), _("The word that names the object; several: separated by commas")),
    ):
        procedure.add_string_argument(name, title, blurb, "", FLAGS)
    _add_choice(procedure, "mask", _("Mask"), _("Where the object's mask comes from"), _masks(), ARGUMENT_OF[AUTOMATIC])
    procedure.add_string_argument("channel", _("Channel"), _("Name of the channel, for the mask “channel”"), "", FLAGS)
    procedure.add_string_argument("model", _("Model"), _("Id of the model; empty: the usual one"), "", FLAGS)
    _add_choice(procedure, "profile", _("Profile"), _("How much work is done"), profiles(), DEFAULT_PROFILE)
    strength = knobs()[GUIDANCE]
    guidance = _("{meaning}; 0: the model's own").format(meaning=knob_hint(strength))
    procedure.add_double_argument("guidance", knob_title(strength), guidance, 0.0, strength.high, 0.0, FLAGS)
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
    for name, knob in dials().items():
        blurb = _("{meaning}; -1: the model's own").format(meaning=knob_hint(knob))
        procedure.add_double_argument(name, knob_title(knob), blurb, UNSET, knob.high, UNSET, FLAGS)


def _add_choice(
    procedure: Gimp.Procedure, name: str, title: str, blurb: str, titles: dict[str, str], default: str
) -> None:
    choice = Gimp.Choice.new()
    for number, (nick, label) in enumerate(titles.items()):
        choice.add(nick, number, label, "")
    procedure.add_choice_argument(name, title, blurb, choice, default, FLAGS)
