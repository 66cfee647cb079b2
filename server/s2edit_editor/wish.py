"""What a painter wants, between a form's fields, the wire's edit record and the recipe in a layer.

A wish keeps whatever a recipe says, also settings that no form has a dial for: redone, it is the same edit.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from s2edit_wire.errors import WireError
from s2edit_wire.knobs import GUIDANCE, Value, knobs, offered
from s2edit_wire.records import EDIT, DocumentRecord, EditRecord, ObjectRecord, PlanRequest

from . import instructions, sentences
from .pixels import Box, around

SEEDS = 2**32
MOST_VARIATIONS = 16
"""Edits that are handed in at once: as many as a queue takes beside others'."""
DEFAULT_PROFILE = "balanced"


def dial_names() -> list[str]:
    """The settings that forms have dials for, guidance included, in order."""
    return [knob.name for where in ("basic", "advanced") for knob in offered(where)]


@dataclass(frozen=True)
class Wish:
    """One edit, without its pixels.

    Args:
        kind: one of `records.JOB_KINDS`.
        model: a model's id, "" for the program's default. profile: one of `records.PROFILES`.
        source, target: what the picture shows, and what it should show. reference_prompt: what a reference shows.
        words: the objects' words in `source`; the first is the main one.
        seed: of everything random.
        settings: by dotted name, `edit.guidance` among them; what is not named is the model's and the profile's own.
        instructs: whether `target` is an instruction, for a model that takes one; `source` and `words` are empty then.
    """

    kind: str = "edit"
    model: str = ""
    profile: str = DEFAULT_PROFILE
    source: str = ""
    target: str = ""
    reference_prompt: str = ""
    words: tuple[str, ...] = ()
    seed: int = 0
    settings: Mapping[str, Value] = field(default_factory=dict)
    instructs: bool = False

    @classmethod
    def from_edit(cls, edit: EditRecord) -> Wish:
        """The wish of an edit record, of a recipe or a job."""
        settings: dict[str, Value] = dict(edit.get("settings", {}))
        if "guidance" in edit:
            settings[GUIDANCE] = edit["guidance"]
        return cls(
            kind=edit["kind"],
            model=edit["model"],
            profile=edit["profile"],
            source=edit["source"],
            target=edit.get("target", ""),
            reference_prompt=edit.get("reference_prompt", ""),
            words=tuple(entry["word"] for entry in edit["objects"]),
            seed=edit["seed"],
            settings=settings,
            instructs=edit["kind"] == "edit" and not edit["source"] and not edit["objects"],
        )

    def to_edit(self, masked: Sequence[bool], document: DocumentRecord, model: str) -> EditRecord:
        """The wire's record.

        Args:
            masked: of each object, whether a mask frame goes with it; those beyond have none.
            document: where the picture comes from. model: stands in where none is chosen.
        """
        edit: EditRecord = {
            "kind": self.kind,
            "model": self.model or model,
            "profile": self.profile,
            "source": self.source,
            "objects": self.objects(masked),
            "seed": self.seed,
            "document": document,
        }
        if self.kind in ("edit", "compose"):
            edit["target"] = self.target
        if self.kind == "compose":
            edit["reference_prompt"] = self.reference_prompt
        guidance = self.settings.get(GUIDANCE)
        if isinstance(guidance, (int, float)):
            edit["guidance"] = guidance
        settings = {name: value for name, value in self.settings.items() if name != GUIDANCE}
        if settings:
            edit["settings"] = settings
        return edit

    def objects(self, masked: Sequence[bool]) -> list[ObjectRecord]:
        """The wire's objects."""
        return [
            {"word": word, "masked": index < len(masked) and masked[index]} for index, word in enumerate(self.words)
        ]

    def noted(self) -> str:
        """The wish as a text that an editor keeps with a document; see `from_note`."""
        return json.dumps(
            {**vars(self), "words": list(self.words), "settings": dict(self.settings)}, ensure_ascii=False
        )

    @classmethod
    def from_note(cls, text: str) -> Wish | None:
        """What `noted` wrote; None for any other text, as it is data from outside when it is read."""
        try:
            held = json.loads(text)
            wish = cls(**{**held, "words": tuple(held["words"])})
            EDIT.check(wish.to_edit([], {"host": "other"}, "any"), "")
        except (ValueError, TypeError, KeyError, AttributeError, WireError):
            return None
        return wish

    def with_dials(self, chosen: Mapping[str, Value | None]) -> Wish:
        """The wish with what the dials say; settings without a dial stay.

        Args:
            chosen: by name of each dial, None where it is left to the model.
        """
        kept = {name: value for name, value in self.settings.items() if name not in chosen}
        return replace(self, settings=kept | {name: value for name, value in chosen.items() if value is not None})

    @property
    def unseen(self) -> dict[str, Value]:
        """The settings that no form has a dial for: they are kept, and said."""
        dials = frozenset(dial_names())
        return {name: value for name, value in self.settings.items() if name not in dials}

    def instructing(self) -> Wish:
        """The same for a model that takes an instruction; a reference then goes along with a plain edit."""
        return replace(self, kind="edit", source="", words=(), reference_prompt="", instructs=True)

    def as_start(self) -> Wish:
        """For an edit of its result: that shows now what was wished for, and its objects are called as they are now."""
        if self.instructs:  # an instruction tells nothing of what is there now
            return replace(self, target="")
        words = tuple(sentences.words_now(self.words, self.source, self.target))
        return replace(
            self, kind="edit", source=self.target or self.source, target="", words=words, reference_prompt=""
        )

    def variations(self, targets: Sequence[str], seeds: int, guidances: Sequence[float]) -> list[Wish]:
        """Every target with every guidance and `seeds` seeds from its own on; the plain one comes first.

        None of them is left out; more than MOST_VARIATIONS are the form's to refuse.
        """
        by_guidance = [self.with_dials({GUIDANCE: guidance}) for guidance in guidances] or [self]
        return [
            replace(wish, target=target_of(self.source, target), seed=(self.seed + step) % SEEDS)
            for target in (targets or [self.target])
            for wish in by_guidance
            for step in range(max(1, seeds))
        ]

    def plan_request(
        self,
        area: Box,
        masked: Sequence[bool],
        model: str,
        masks: Sequence[Box] = (),
        *,
        image_sha256: str = "",
        photo: float | None = None,
    ) -> PlanRequest:
        """The wire's `plan`, with everything that would be submitted; what is not typed yet is no mistake yet.

        Args:
            area: what the edit is about, as if it were the whole picture (see `area`).
            masked: as in `to_edit`; model: stands in where none is chosen.
            masks: boxes around what the chosen masks mark, in canvas pixels as `area` is.
            image_sha256: digest of the crop. photo: how photo-like it is, 0.0 to 1.0.
        """
        marked = around([common for mask in masks if (common := mask.cut(area))])
        request: PlanRequest = {
            "kind": self.kind,
            "model": self.model or model,
            "profile": self.profile,
            "canvas": [area.width, area.height],
            "source": self.source,
            "objects": self.objects(masked),
            "settings": dict(self.settings),
        }
        if self.kind in ("edit", "compose") and self.target:
            request["target"] = self.target
        if self.kind == "compose" and self.reference_prompt:
            request["reference_prompt"] = self.reference_prompt
        if marked is not None:
            request["mask_box"] = list(marked.within(area))
        if image_sha256:
            request["image_sha256"] = image_sha256
        if photo is not None:
            request["photo"] = photo
        return request


def target_of(source: str, typed: str) -> str:
    """The target sentence of what was typed as the wish: an instruction is carried out on the description."""
    sentence = one_sentence(typed)
    return instructions.target_of(source, sentence) or sentence


def one_sentence(text: str) -> str:
    """A prompt that was typed over several lines, as one: models know no line breaks."""
    return " ".join(text.split())


def several(text: str) -> list[str]:
    """The sentences of a field that takes one a line."""
    return [line for line in map(one_sentence, text.splitlines()) if line]


def guidance_values(text: str) -> list[float]:
    """The numbers of a field such as `3.5 5 7.5` or `3,5; 5`, brought into the range, each once; words are no numbers.

    A comma between two digits is a decimal one where numbers are also parted by blanks or semicolons.
    """
    decimal = re.search(r"\d,\d", text) and re.search(r"[;\s]", text.strip()) and not re.search(r",\s", text)
    found = re.findall(
        r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])", text.replace(",", ".") if decimal else text.replace(",", " ")
    )
    knob = knobs()[GUIDANCE]
    return list(dict.fromkeys(min(knob.high, max(knob.low, float(one))) for one in found))


def seed_of(text: str) -> int:
    """The seed of what was typed; a text that is no number counts as the sum of its bytes, so that any word will do."""
    typed = text.strip()
    return int(typed) % SEEDS if typed.isdecimal() else sum(typed.encode()) % SEEDS


def fresh_seed() -> int:
    """A seed by dice."""
    return random.randrange(SEEDS)  # noqa: S311 - it only has to differ
