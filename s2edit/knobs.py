"""What a setting says of itself, once: its kind, range, step, title and hint, and where it is offered. Torch-free.

`settings` annotates each of its fields with a `Knob`; ranges are checked against it. `python -m s2edit.settings` prints
all of them as JSON: server/s2edit_wire/knobs.json, from which editors and the command line make what they offer.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints

from .errors import SettingError

Number = int | float
Offered = Literal["basic", "advanced", "cli"]


@dataclass(frozen=True)
class Knob:
    """One setting as people meet it.

    Args:
        title: what it is called, two or three words.
        hint: one sentence about what turning it does.
        low, high: its range, ends included; None for flags and words.
        step: by how much a press turns it; 1 and above: it is shown without decimals.
        offered: "basic" and "advanced" in the editors' forms, "cli" only by name.
        also: a value outside the range that is allowed too. choices: the numbers that it may have, where not a range.
    """

    title: str
    hint: str
    low: Number | None = None
    high: Number | None = None
    step: Number | None = None
    offered: Offered = "cli"
    also: Number | None = None
    choices: tuple[int, ...] = ()

    def check(self, name: str, value: Number) -> None:
        """Raise SettingError, naming the setting, for a number out of range."""
        if self.also is not None and value == self.also:
            return
        if self.choices:
            if value not in self.choices:
                listed = f"{', '.join(map(str, self.choices[:-1]))} or {self.choices[-1]}"
                raise SettingError(f"The setting “{name}” has to be {listed}, not {value}.")
        elif self.low is not None and self.high is not None:
            finite = not isinstance(value, bool) and math.isfinite(value)
            if not finite or not self.low <= value <= self.high:
                raise SettingError(f"The setting “{name}” has to be between {self.low} and {self.high}, not {value}.")


@dataclass(frozen=True)
class PlacedKnob:
    """A knob in its place.

    Args:
        name: the setting's dotted name; kind: "flag", "whole", "number", "word", or "factors": a number for each word.
        default: the paper's value, None for factors. words: what a "word" may be.
    """

    name: str
    kind: str
    knob: Knob
    default: bool | Number | str | None
    words: tuple[str, ...] = ()

    def as_record(self) -> dict[str, Any]:
        """JSON-able, without what doesn't apply."""
        record: dict[str, Any] = {"name": self.name, "kind": self.kind}
        record |= {"title": self.knob.title, "hint": self.knob.hint, "offered": self.knob.offered}
        for key in ("low", "high", "step", "also"):
            if getattr(self.knob, key) is not None:
                record[key] = getattr(self.knob, key)
        choices = [*self.words, *self.knob.choices]
        if choices:
            record["choices"] = choices
        return record if self.default is None else record | {"default": self.default}


def entries_of(part: type[Any], prefix: str) -> Iterator[PlacedKnob]:
    """The knobs of a settings dataclass in its order; TypeError for a field without one."""
    hints = get_type_hints(part, include_extras=True)
    for field in dataclasses.fields(part):
        hint = hints[field.name]
        if dataclasses.is_dataclass(hint):
            continue
        kind, *notes = get_args(hint) if hasattr(hint, "__metadata__") else (hint,)
        knob = next((note for note in notes if isinstance(note, Knob)), None)
        if knob is None:
            raise TypeError(f"{part.__name__}.{field.name} has no Knob")
        name = f"{prefix}.{field.name}" if prefix else field.name
        default: Any = field.default
        if get_origin(kind) is Mapping:
            yield PlacedKnob(name, "factors", knob, None)
        elif get_origin(kind) is Literal:
            yield PlacedKnob(name, "word", knob, default, get_args(kind))
        else:
            yield PlacedKnob(name, {bool: "flag", int: "whole", float: "number"}[kind], knob, default)


def check_fields(part: Any, prefix: str) -> None:
    """Raise SettingError, naming the setting, unless all fields of a settings dataclass are in range."""
    for entry in entries_of(type(part), prefix):
        value = getattr(part, entry.name.rpartition(".")[2])
        if entry.kind == "word":
            if value not in entry.words:
                raise SettingError(
                    f"The setting “{entry.name}” has to be one of {', '.join(entry.words)}, not {value}."
                )
        elif entry.kind == "factors":
            for word, factor in value.items():
                entry.knob.check(f"{entry.name}.{word}", factor)
        elif entry.kind != "flag":
            entry.knob.check(entry.name, value)
