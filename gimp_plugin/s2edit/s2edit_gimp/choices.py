"""What a painter chooses for an edit, between GIMP's procedure arguments and the wire's edit record."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from gi.repository import Gimp, Gio
from s2edit_editor import host
from s2edit_editor.host import AUTOMATIC, CHANNEL, MaskChoice, Reference
from s2edit_editor.order import Order
from s2edit_editor.wish import Wish, dial_names
from s2edit_wire.knobs import GUIDANCE, Knob, Value, knobs

from . import marks

NOTE, PASSING = "s2edit-form", 0
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


@dataclass
class Choices:
    """One edit as the painter wants it.

    Args:
        wish: what is wanted, without where it is taken from.
        mask: a kind of mask (`host`); mark: the channel's name for CHANNEL; the result whose mask EARLIER takes, "" for
            the newest.
        reference: what to take something over from, for `compose`: a layer's tattoo or a file's URI; "" for nothing.
    """

    wish: Wish = field(default_factory=Wish)
    mask: str = AUTOMATIC
    mark: str = ""
    reference: str = ""

    @classmethod
    def from_config(cls, config: Gimp.ProcedureConfig, image: Gimp.Image) -> Choices:
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
        made = cls(wish, mask, text("channel") if mask == CHANNEL else "", reference)
        made.wish = replace(wish, kind="compose" if made.composes else "edit")
        return made

    def order(self, masks: Sequence[MaskChoice]) -> Order:
        """The order with these masks of its objects (`masks.for_objects`)."""
        return Order(self.wish, tuple(masks), reference=Reference(self.reference) if self.reference else None)

    @property
    def composes(self) -> bool:
        """Whether something is to be taken over from another picture, or at least was described."""
        return bool(self.reference or self.wish.reference_prompt)

    def recall_reference(self, image: Gimp.Image, mark: str) -> None:
        """Take the reference that such a text stands for, if it is still there."""
        gone = mark.isdecimal() and image.get_layer_by_tattoo(int(mark)) is None
        self.reference = "" if gone else mark

    def to_config(self, config: Gimp.ProcedureConfig, image: Gimp.Image) -> None:
        """Remember the choices about an image as the procedure's last values."""
        wish, layer = self.wish, image.get_layer_by_tattoo(int(self.reference)) if self.reference.isdecimal() else None
        file = self.reference and layer is None and not self.reference.isdecimal()
        values: dict[str, object] = {
            "source": wish.source,
            "target": wish.target,
            "object": ", ".join(wish.words),
            "mask": ARGUMENT_OF[self.mask],
            "channel": self.mark if self.mask == CHANNEL else "",
            "model": wish.model,
            "profile": wish.profile,
            "guidance": float(wish.settings.get(GUIDANCE, 0.0)),
            "seed": float(wish.seed),
            "reference-prompt": wish.reference_prompt,
            # GIMP keeps no layers among last values.
            "reference": None,
            "reference-name": "" if layer is None else layer.get_name(),
            "reference-file": Gio.File.new_for_uri(self.reference) if file else None,
        }
        for name, knob in dials().items():
            values[name] = float(wish.settings.get(knob.name, UNSET))
        for name, value in values.items():
            config.set_property(name, value)

    def habits(self) -> Choices:
        """What goes along from one picture to the next: model, profile and dials, no words, mask or reference."""
        return Choices(Wish(model=self.wish.model, profile=self.wish.profile, settings=self.wish.settings))

    def keep_with(self, image: Gimp.Image) -> None:
        """Remember them for the next time that this picture is edited, as long as it is open."""
        held = {"mask": self.mask, "mark": self.mark, "reference": self.reference, "wish": self.wish.noted()}
        marks.write(image, NOTE, json.dumps(held), PASSING)

    @classmethod
    def kept_with(cls, image: Gimp.Image) -> Choices | None:
        """What `keep_with` remembered of this picture, None when nothing."""
        held = marks.read_map(image, NOTE)
        wish = Wish.from_note(str(held.get("wish", "")))
        if wish is None:
            return None
        mask = str(held.get("mask", AUTOMATIC))
        made = cls(wish, mask if mask in ARGUMENT_OF else AUTOMATIC, str(held.get("mark", "")))
        made.recall_reference(image, str(held.get("reference", "")))
        if not made.reference:  # it is gone, and so is what it showed
            made.wish = replace(wish, kind="edit", reference_prompt="")
        return made
