"""The kinds of value a header field may hold, each with its limits, its check and its line in PROTOCOL.md.

A check never converts and never allocates in proportion to what it is given: it accepts the value or raises.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Protocol, get_args, get_type_hints

from .errors import WireError
from .limits import MAX_ITEMS, MAX_SAFE_INTEGER


class Kind(Protocol):
    """What a field's value has to be."""

    def check(self, value: object, where: str) -> None:
        """Raise WireError("bad_request") naming `where` unless `value` is of this kind."""

    def describe(self) -> str:
        """A few words for PROTOCOL.md."""


def _reject(where: str, expected: str) -> WireError:
    return WireError("bad_request", f"“{where}” must be {expected}.")


@dataclass(frozen=True)
class Text:
    """Unicode text of `shortest` to `longest` characters, free of control characters but newline and tab."""

    longest: int
    shortest: int = 0

    def check(self, value: object, where: str) -> None:
        """See `Kind.check`."""
        if not isinstance(value, str) or not self.shortest <= len(value) <= self.longest:
            raise _reject(where, self.describe())
        if any((ord(c) < 32 and c not in "\n\t") or 0xD800 <= ord(c) <= 0xDFFF for c in value):
            raise _reject(where, "text without control characters")

    def describe(self) -> str:
        """See `Kind.describe`."""
        return f"text of {self.shortest} to {self.longest} characters"


@dataclass(frozen=True)
class Hex:
    """Lower-case hexadecimal of exactly `length` characters."""

    length: int

    def check(self, value: object, where: str) -> None:
        """See `Kind.check`."""
        if not isinstance(value, str) or len(value) != self.length or any(c not in "0123456789abcdef" for c in value):
            raise _reject(where, self.describe())

    def describe(self) -> str:
        """See `Kind.describe`."""
        return f"{self.length} lower-case hexadecimal digits"


@dataclass(frozen=True)
class Integer:
    """A whole number from `low` to `high`."""

    low: int = 0
    high: int = MAX_SAFE_INTEGER

    def check(self, value: object, where: str) -> None:
        """See `Kind.check`."""
        if isinstance(value, bool) or not isinstance(value, int) or not self.low <= value <= self.high:
            raise _reject(where, self.describe())

    def describe(self) -> str:
        """See `Kind.describe`."""
        return f"whole number, {self.low} to {self.high}"


@dataclass(frozen=True)
class Real:
    """A finite number from `low` to `high`; a whole number will do."""

    low: float
    high: float

    def check(self, value: object, where: str) -> None:
        """See `Kind.check`."""
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise _reject(where, self.describe())
        if not math.isfinite(value) or not self.low <= value <= self.high:
            raise _reject(where, self.describe())

    def describe(self) -> str:
        """See `Kind.describe`."""
        return f"number, {self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class Flag:
    """True or false."""

    def check(self, value: object, where: str) -> None:
        """See `Kind.check`."""
        if not isinstance(value, bool):
            raise _reject(where, self.describe())

    def describe(self) -> str:
        """See `Kind.describe`."""
        return "true or false"


@dataclass(frozen=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]

    def check(self, value: object, where: str) -> None:
        """See `Kind.check`."""
        if not isinstance(value, str) or value not in self.words:
            raise _reject(where, self.describe())

    def describe(self) -> str:
        """See `Kind.describe`."""
        return "one of " + ", ".join(f"`{word}`" for word in self.words)


@dataclass(frozen=True)
class Scalar:
    """A number, a flag or a short text: the value of one method setting, which the method itself checks further."""

    longest: int = 200

    def check(self, value: object, where: str) -> None:
        """See `Kind.check`."""
        if isinstance(value, str):
            Text(self.longest).check(value, where)
        elif not isinstance(value, bool):
            Real(-1e12, 1e12).check(value, where)

    def describe(self) -> str:
        """See `Kind.describe`."""
        return f"number, flag or text of at most {self.longest} characters"


@dataclass(frozen=True)
class ListOf:
    """A list of `fewest` to `most` values of one kind."""

    item: Kind
    most: int
    fewest: int = 0

    def check(self, value: object, where: str) -> None:
        """See `Kind.check`."""
        if not isinstance(value, list) or not self.fewest <= len(value) <= self.most:
            raise _reject(where, f"a list of {self.fewest} to {self.most} entries")
        for index, entry in enumerate(value):
            self.item.check(entry, f"{where}[{index}]")

    def describe(self) -> str:
        """See `Kind.describe`."""
        size = f"{self.most}" if self.fewest == self.most else f"{self.fewest} to {self.most}"
        return f"list of {size}: {self.item.describe()}"


@dataclass(frozen=True)
class MapOf:
    """A map from short names to values of one kind."""

    item: Kind
    most: int = 64
    longest_name: int = 64

    def check(self, value: object, where: str) -> None:
        """See `Kind.check`."""
        if not isinstance(value, dict) or len(value) > self.most:
            raise _reject(where, f"a map of at most {self.most} entries")
        for name, entry in value.items():
            Text(self.longest_name, 1).check(name, f"{where}: a name")
            self.item.check(entry, f"{where}.{name}")

    def describe(self) -> str:
        """See `Kind.describe`."""
        return f"map of at most {self.most} names to {self.item.describe()}"


@dataclass(frozen=True)
class Anything:
    """Any value the codec's own limits admit: a result's record, which only the worker writes."""

    def check(self, value: object, where: str) -> None:
        """See `Kind.check`."""
        if not isinstance(value, dict) or len(value) > MAX_ITEMS:
            raise _reject(where, "a map")

    def describe(self) -> str:
        """See `Kind.describe`."""
        return "map"


@dataclass(frozen=True)
class Field:
    """One named entry of a message or record."""

    name: str
    kind: Kind
    doc: str
    required: bool = True


@dataclass(frozen=True)
class Record:
    """A map with exactly the named fields; optional ones are left out, never null."""

    name: str
    fields: tuple[Field, ...]
    _by_name: dict[str, Field] = field(init=False, repr=False, compare=False)

    @classmethod
    def of(cls, name: str, shape: type[Any]) -> Record:
        """The record of a TypedDict; see `fields_of`."""
        return cls(name, fields_of(shape))

    def __post_init__(self) -> None:
        """Index the fields once."""
        object.__setattr__(self, "_by_name", {entry.name: entry for entry in self.fields})

    def check(self, value: object, where: str) -> None:
        """See `Kind.check`; unknown and missing names are errors."""
        if not isinstance(value, dict):
            raise _reject(where or self.name, "a map")
        prefix = f"{where}." if where else ""
        for name in value:
            if name not in self._by_name:
                raise WireError("bad_request", f"“{prefix}{str(name)[:64]}” is not a field of `{self.name}`.")
        for entry in self.fields:
            if entry.name in value:
                entry.kind.check(value[entry.name], prefix + entry.name)
            elif entry.required:
                raise WireError("bad_request", f"“{prefix}{entry.name}” is missing.")

    def describe(self) -> str:
        """See `Kind.describe`."""
        return f"`{self.name}` record"


def fields_of(shape: type[Any]) -> tuple[Field, ...]:
    """The fields of a TypedDict whose entries are written `name: Annotated[type, Kind, "meaning"]`."""
    found = []
    for name, hint in get_type_hints(shape, include_extras=True).items():
        _type, kind, doc = get_args(hint)
        found.append(Field(name, kind, doc, required=name in shape.__required_keys__))
    return tuple(found)
