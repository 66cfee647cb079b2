"""What a painter chooses for an edit, between GIMP's procedure arguments and the wire's edit record."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from gi.repository import Gimp, Gio
from s2edit_editor.wish import Wish, dial_names
from s2edit_wire.knobs import GUIDANCE, Knob, Value, knobs
from s2edit_wire.records import DocumentRecord, EditRecord, ObjectRecord

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
        source, target: what the picture shows, and what it should show.
        words: the objects' words in `source`; the first is the main one.
        mask: one of `mask_sources.SOURCES`; channel: the channel's name for CHANNEL; earlier: the result whose mask
            EARLIER takes, None for the newest.
        model: a model's id, "" for the daemon's default; profile: one of `records.PROFILES`.
        guidance: the guidance scale, 0 for the model's own.
        seed: of everything random.
        settings: method settings by dotted name; those that are left out are the model's and the profile's.
        kind: one of `records.JOB_KINDS`.
        reference, reference_file: what to take something over from, for `compose`: one of the two;
        reference_prompt: what it shows.
    """

    source: str = ""
    target: str = ""
    words: list[str] = field(default_factory=list)
    mask: str = AUTOMATIC
    channel: str = ""
    model: str = ""
    profile: str = "balanced"
    guidance: float = 0.0
    seed: int = 0
    settings: dict[str, Value] = field(default_factory=dict)
    kind: str = "edit"
    reference_prompt: str = ""
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
        made = cls(
            source=text("source"),
            target=text("target"),
            words=[word for word in words if word],
            mask=config.get_property("mask"),
            channel=text("channel"),
            model=text("model"),
            profile=config.get_property("profile"),
            guidance=config.get_property("guidance"),
            seed=round(config.get_property("seed")),
            settings=settings,
            reference_prompt=text("reference-prompt"),
            reference=config.get_property("reference") or named,
            reference_file=config.get_property("reference-file"),
        )
        made.kind = "compose" if made.composes else "edit"
        return made

    @property
    def composes(self) -> bool:
        """Whether something is to be taken over from another picture, or at least was described."""
        return bool(self.reference or self.reference_file or self.reference_prompt)

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
        values: dict[str, object] = {
            "source": self.source,
            "target": self.target,
            "object": ", ".join(self.words),
            "mask": self.mask,
            "channel": self.channel,
            "model": self.model,
            "profile": self.profile,
            "guidance": self.guidance,
            "seed": float(self.seed),
            "reference-prompt": self.reference_prompt,
            # GIMP keeps no layers among last values.
            "reference": None,
            "reference-name": "" if self.reference is None else self.reference.get_name(),
            "reference-file": self.reference_file,
        }
        for name, knob in dials().items():
            values[name] = float(self.settings.get(knob.name, UNSET))
        for name, value in values.items():
            config.set_property(name, value)

    @classmethod
    def from_edit(cls, edit: EditRecord) -> Choices:
        """The choices that an edit record (of a recipe or a job) was made of; its mask is not known any more."""
        made = cls(kind=edit["kind"])
        made.take(Wish.from_edit(edit))
        return made

    def habits(self) -> Choices:
        """What goes along from one picture to the next: model, profile and dials, no words, mask or reference."""
        return Choices(model=self.model, profile=self.profile, guidance=self.guidance, settings=self.settings)

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
        made = cls(mask=str(held.get("mask", AUTOMATIC)), channel=str(held.get("channel", "")))
        made.take(wish)
        made.recall_reference(image, str(held.get("reference", "")))
        if made.reference is None and made.reference_file is None:  # it is gone, and so is what it showed
            made.kind, made.reference_prompt = "edit", ""
        return made

    @property
    def wish(self) -> Wish:
        """What is wanted, without where it is taken from."""
        guidance: dict[str, Value] = {GUIDANCE: self.guidance} if self.guidance else {}
        return Wish(
            kind=self.kind,
            model=self.model,
            profile=self.profile,
            source=self.source,
            target=self.target,
            reference_prompt=self.reference_prompt,
            words=tuple(self.words),
            seed=self.seed,
            settings=self.settings | guidance,
        )

    def take(self, wish: Wish) -> None:
        """Want that from now on; masks and reference stay."""
        for name in ("kind", "model", "profile", "source", "target", "reference_prompt", "seed"):
            setattr(self, name, getattr(wish, name))
        self.words = list(wish.words)
        guidance = wish.settings.get(GUIDANCE, 0.0)
        self.guidance = float(guidance) if not isinstance(guidance, str) else 0.0
        self.settings = {name: value for name, value in wish.settings.items() if name != GUIDANCE}

    def objects(self, masked: int) -> list[ObjectRecord]:
        """The wire's objects; the first `masked` of them have a mask of their own."""
        return self.wish.objects([True] * masked)

    def to_edit(self, masked: int, document: DocumentRecord, model: str) -> EditRecord:
        """The wire's edit record; `model` stands in where none is chosen."""
        return self.wish.to_edit([True] * masked, document, model)


def masked_words(choices: Choices, words: Sequence[str]) -> list[str]:
    """The objects' words: what was typed, else what the mask layers were painted for."""
    return choices.words or [word for word in words if word]
