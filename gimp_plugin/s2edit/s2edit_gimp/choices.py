"""What a painter chooses for an edit, between GIMP's procedure arguments and the wire's edit record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gi.repository import Gimp, Gio

from .mask_sources import AUTOMATIC

UNSET = -1.0
"""For a number: let the model and the profile decide."""
SETTINGS = {
    "feather": "blend.feather",
    "grow": "blend.grow",
    "context": "blend.context",
    "guidance-until": "edit.guidance_until",
    "cross-replace": "edit.cross_replace",
    "self-replace": "edit.self_replace",
    "identity-steps": "identity.steps",
    "inversion-steps": "inversion.steps",
}
"""Argument name and dotted name of the method's settings that the dialog offers."""
GUIDANCE = "edit.guidance"
"""Its name among a plan's settings; an edit record has a field of its own for it."""
WHOLE = frozenset({"grow", "identity-steps", "inversion-steps"})


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
    settings: dict[str, float | int] = field(default_factory=dict)
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
        settings: dict[str, float | int] = {}
        for name, dotted in SETTINGS.items():
            value = config.get_property(name)
            if value != UNSET:
                settings[dotted] = round(value) if name in WHOLE else value
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
        for name, dotted in SETTINGS.items():
            values[name] = float(self.settings.get(dotted, UNSET))
        for name, value in values.items():
            config.set_property(name, value)

    @classmethod
    def from_edit(cls, edit: Mapping[str, Any]) -> Choices:
        """The choices that an edit record (of a recipe or a job) was made of; its mask is not known any more."""
        return cls(
            source=edit["source"],
            target=edit.get("target", ""),
            words=[entry["word"] for entry in edit["objects"]],
            model=edit["model"],
            profile=edit["profile"],
            guidance=edit.get("guidance", 0.0),
            seed=edit["seed"],
            settings=dict(edit.get("settings", {})),
            kind=edit["kind"],
            reference_prompt=edit.get("reference_prompt", ""),
        )

    def objects(self, masked: int) -> list[dict[str, object]]:
        """The wire's objects; the first `masked` of them have a mask of their own."""
        return [{"word": word, "masked": index < masked} for index, word in enumerate(self.words)]

    def to_edit(self, masked: int, document: Mapping[str, object], model: str) -> dict[str, Any]:
        """The wire's edit record; `model` stands in where none is chosen."""
        edit: dict[str, Any] = {
            "kind": self.kind,
            "model": self.model or model,
            "profile": self.profile,
            "source": self.source,
            "objects": self.objects(masked),
            "seed": self.seed,
            "document": dict(document),
        }
        if self.kind in ("edit", "compose"):
            edit["target"] = self.target
        if self.kind == "compose":
            edit["reference_prompt"] = self.reference_prompt
        if self.guidance:
            edit["guidance"] = self.guidance
        if self.settings:
            edit["settings"] = dict(self.settings)
        return edit


def title_of(edit: Mapping[str, Any]) -> str:
    """What a result layer and a job are called: the wish, shortened."""
    wish: str = edit.get("target") or edit.get("source", "")
    return wish if len(wish) <= 60 else wish[:59] + "…"


def masked_words(choices: Choices, words: Sequence[str]) -> list[str]:
    """The objects' words: what was typed, else what the mask layers were painted for."""
    return choices.words or [word for word in words if word]
