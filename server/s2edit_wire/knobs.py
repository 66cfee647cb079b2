"""The method's settings as people meet them, from knobs.json: names, kinds, ranges, titles, hints, where offered.

The file is printed by the method itself (`python -m s2edit.settings`); a test holds the two equal. Whatever offers,
checks or explains a setting reads it here.
"""

from __future__ import annotations

import difflib
import json
import math
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from .errors import WireError

PATH = Path(__file__).parent / "knobs.json"
GUIDANCE = "edit.guidance"
"""The one setting for which an edit record has a field of its own."""
Value = bool | int | float | str


@dataclass(frozen=True)
class Knob:
    """One setting.

    Args:
        name: dotted, such as `blend.feather`; of kind "factors" it is followed by a dot and a word.
        kind: a flag, a whole number, a number, one of a few words, or a number for each of the target's words.
        title, hint: English, for a label and a line below it. offered: in editors' forms, folded there, or by name.
        low, high: the range, ends included. step: by how much a press turns it. also: a value beside the range.
        choices: the only values, where it is no range.
        default: the paper's value; which one is in force, only a plan knows (`settings`).
    """

    name: str
    kind: Literal["flag", "whole", "number", "word", "factors"]
    title: str
    hint: str
    offered: Literal["basic", "advanced", "cli"] = "cli"
    low: float = -math.inf
    high: float = math.inf
    step: float = 1.0
    also: float | None = None
    choices: list[int | str] = field(default_factory=list)
    default: Value | None = None

    @property
    def decimals(self) -> int:
        """Digits behind the point that a step needs; 0 for whole steps."""
        return 0 if self.step >= 1 else max(1, -math.floor(math.log10(self.step) + 1e-9))

    @property
    def allowed(self) -> str:
        """What it may be, in a few words: `0 to 256`, `true or false`, `auto, replace, refine`."""
        if self.kind == "flag":
            return "true or false"
        if self.choices:
            return ", ".join(map(str, self.choices))
        also = "" if self.also is None else f"{self.also:g}, or "
        return f"{also}{self.low:g} to {self.high:g}"

    def takes(self, value: Value) -> bool:
        """Whether a value is of its kind and in its range."""
        if self.kind == "flag" or isinstance(value, bool):
            return self.kind == "flag" and isinstance(value, bool)
        if self.choices:
            return value in self.choices
        if isinstance(value, str) or (self.kind == "whole" and not isinstance(value, int)):
            return False
        return value == self.also or (math.isfinite(value) and self.low <= value <= self.high)


@cache
def knobs() -> dict[str, Knob]:
    """All settings by name, in the order in which they are shown."""
    return {record["name"]: Knob(**record) for record in json.loads(PATH.read_text("utf-8"))}


def offered(where: Literal["basic", "advanced"]) -> list[Knob]:
    """The numbers that an editor's form has in its open or in its folded part, in order."""
    return [knob for knob in knobs().values() if knob.offered == where]


def of_setting(name: str) -> Knob | None:
    """The knob of a setting, also of one word's (`edit.emphasize.beard`); None when there is none."""
    found = knobs().get(name)
    if found is not None:
        return None if found.kind == "factors" else found
    family = next(
        (knob for knob in knobs().values() if knob.kind == "factors" and name.startswith(f"{knob.name}.")), None
    )
    return family if family is not None and len(name) > len(family.name) + 1 else None


def check(name: str, value: Value) -> None:
    """Raise WireError("bad_setting") when there is no such setting, or it can't have this value."""
    knob = of_setting(name)
    if knob is None:
        near = difflib.get_close_matches(name, knobs(), 1)
        hint = f"Did you mean “{near[0]}”?" if near else ""
        raise WireError("bad_setting", f"There is no setting “{name}”.", hint)
    if not knob.takes(value):
        raise WireError("bad_setting", f"The setting “{name}” can't be {value!r}.", f"It can be: {knob.allowed}.")
