"""A painter's choices as GIMP's procedure arguments, and back."""

from __future__ import annotations

from dataclasses import replace

from gi.repository import Gimp, Gio
from s2edit_editor import host
from s2edit_editor.choices import Choices
from s2edit_editor.host import CHANNEL
from s2edit_editor.wish import Wish, dial_names
from s2edit_wire.knobs import GUIDANCE, Knob, Value, knobs

ARGUMENT_OF = {
    host.AUTOMATIC: "automatic",
    host.SELECTION: "selection",
    host.LAYER_MASK: "layer-mask",
    host.PAINTED: "mask-layers",
    host.CHANNEL: "channel",
    host.EARLIER: "earlier-result",
}
"""What the procedure's argument calls the kinds of mask."""
UNSET = -1.0
"""For a number: let the model and the profile decide."""


def argument_of(setting: str) -> str:
    """The name of the procedure argument of a setting that the form has a dial for: `feather`, `identity-steps`."""
    part, _dot, key = setting.partition(".")
    return (key if part in ("edit", "blend") else f"{part}-{key}").replace("_", "-")


def dials() -> dict[str, Knob]:
    """The settings with a dial besides guidance, by their arguments' names, in the form's order."""
    return {argument_of(name): knobs()[name] for name in dial_names() if name != GUIDANCE}


def from_config(config: Gimp.ProcedureConfig, image: Gimp.Image) -> Choices:
    """What a procedure was called with on an image."""

    def text(name: str) -> str:
        # An argument that a script left out is None, whatever its default says.
        return (config.get_property(name) or "").strip()

    named = image.get_layer_by_name(text("reference-name")) if text("reference-name") else None
    words = [word.strip() for word in text("object").split(",")]
    settings: dict[str, Value] = {}
    for name, knob in dials().items():
        value = config.get_property(name)
        if value != UNSET:
            settings[knob.name] = round(value) if knob.kind == "whole" else value
    if config.get_property("guidance"):  # 0: the model's own
        settings[GUIDANCE] = config.get_property("guidance")
    wish = Wish(
        source=text("source"),
        target=text("target"),
        words=tuple(word for word in words if word),
        model=text("model"),
        profile=config.get_property("profile"),
        seed=round(config.get_property("seed")),
        settings=settings,
        reference_prompt=text("reference-prompt"),
    )
    layer, file = config.get_property("reference") or named, config.get_property("reference-file")
    reference = str(layer.get_tattoo()) if layer is not None else "" if file is None else str(file.get_uri())
    mask = next(kind for kind, name in ARGUMENT_OF.items() if name == config.get_property("mask"))
    made = Choices(wish, mask, text("channel") if mask == CHANNEL else "", reference)
    made.wish = replace(wish, kind="compose" if made.composes else "edit")
    return made


def to_config(choices: Choices, config: Gimp.ProcedureConfig, image: Gimp.Image) -> None:
    """Remember the choices about an image as the procedure's last values."""
    wish, reference = choices.wish, choices.reference
    layer = image.get_layer_by_tattoo(int(reference)) if reference.isdecimal() else None
    values: dict[str, object] = {
        "source": wish.source,
        "target": wish.target,
        "object": ", ".join(wish.words),
        "mask": ARGUMENT_OF[choices.mask],
        "channel": choices.mark if choices.mask == CHANNEL else "",
        "model": wish.model,
        "profile": wish.profile,
        "guidance": float(wish.settings.get(GUIDANCE, 0.0)),
        "seed": float(wish.seed),
        "reference-prompt": wish.reference_prompt,
        # GIMP keeps no layers among last values.
        "reference": None,
        "reference-name": "" if layer is None else layer.get_name(),
        "reference-file": Gio.File.new_for_uri(reference) if reference and not reference.isdecimal() else None,
    }
    for name, knob in dials().items():
        values[name] = float(wish.settings.get(knob.name, UNSET))
    for name, value in values.items():
        config.set_property(name, value)
