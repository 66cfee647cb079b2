"""What a painter chooses for an edit, between GIMP's procedure arguments and the wire's edit record."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

from gi.repository import Gimp, Gio
from s2edit_editor.wish import Wish, dial_names
from s2edit_wire.knobs import GUIDANCE, Knob, Value, knobs

from . import marks
from .mask_sources import AUTOMATIC

NOTE, PASSING = "s2edit-form", 0
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
        mask: one of `mask_sources.SOURCES`; channel: the channel's name for CHANNEL; earlier: the result whose mask
            EARLIER takes, None for the newest.
        reference, reference_file: what to take something over from, for `compose`: one of the two.
    """

    wish: Wish = field(default_factory=Wish)
    mask: str = AUTOMATIC
    channel: str = ""
    reference: Gimp.Layer | None = None
    reference_file: Gio.File | None = None
    earlier: Gimp.Layer | None = None

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
        reference = config.get_property("reference") or named
        mask, channel = config.get_property("mask"), text("channel")
        made = cls(wish, mask, channel, reference, config.get_property("reference-file"))
        made.wish = replace(wish, kind="compose" if made.composes else "edit")
        return made

    @property
    def composes(self) -> bool:
        """Whether something is to be taken over from another picture, or at least was described."""
        return bool(self.has_reference or self.wish.reference_prompt)

    @property
    def has_reference(self) -> bool:
        """Whether there is something to take over from."""
        return self.reference is not None or self.reference_file is not None

    @property
    def reference_mark(self) -> str:
        """The reference as text for a layer's notes: its tattoo, or a file's URI; "" without one."""
        if self.reference is not None:
            return str(self.reference.get_tattoo())
        return "" if self.reference_file is None else str(self.reference_file.get_uri())

    def recall_reference(self, image: Gimp.Image, mark: str) -> None:
        """Take the reference that such a text stands for, if it is still there."""
        if mark.isdecimal():
            self.reference = image.get_layer_by_tattoo(int(mark))
        elif mark:
            self.reference_file = Gio.File.new_for_uri(mark)

    def to_config(self, config: Gimp.ProcedureConfig) -> None:
        """Remember the choices as the procedure's last values."""
        wish = self.wish
        values: dict[str, object] = {
            "source": wish.source,
            "target": wish.target,
            "object": ", ".join(wish.words),
            "mask": self.mask,
            "channel": self.channel,
            "model": wish.model,
            "profile": wish.profile,
            "guidance": float(wish.settings.get(GUIDANCE, 0.0)),
            "seed": float(wish.seed),
            "reference-prompt": wish.reference_prompt,
            # GIMP keeps no layers among last values.
            "reference": None,
            "reference-name": "" if self.reference is None else self.reference.get_name(),
            "reference-file": self.reference_file,
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
        held = {"mask": self.mask, "channel": self.channel, "reference": self.reference_mark, "wish": self.wish.noted()}
        marks.write(image, NOTE, json.dumps(held), PASSING)

    @classmethod
    def kept_with(cls, image: Gimp.Image) -> Choices | None:
        """What `keep_with` remembered of this picture, None when nothing."""
        held = marks.read_map(image, NOTE)
        wish = Wish.from_note(str(held.get("wish", "")))
        if wish is None:
            return None
        made = cls(wish, mask=str(held.get("mask", AUTOMATIC)), channel=str(held.get("channel", "")))
        made.recall_reference(image, str(held.get("reference", "")))
        if not made.has_reference:  # it is gone, and so is what it showed
            made.wish = replace(wish, kind="edit", reference_prompt="")
        return made
