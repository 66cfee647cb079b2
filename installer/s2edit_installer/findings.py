"""What the doctor finds: one line each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was examined.

    Args:
        what: its name. state: `ok`, `warning` or `wrong`. message: one plain sentence. hint: how to mend it, or "".
        mend: mends it safely, when that is possible; returns a sentence on what it did.
    """

    what: str
    state: str
    message: str
    hint: str = ""
    mend: Callable[[], str] | None = None

    def as_dict(self) -> dict[str, str]:
        """For `--json`."""
        return {"what": self.what, "state": self.state, "message": self.message, "hint": self.hint}


def ok(what: str, message: str) -> Finding:
    """All is well."""
    return Finding(what, "ok", message)


def warning(what: str, message: str, hint: str = "") -> Finding:
    """Worth knowing."""
    return Finding(what, "warning", message, hint)


def wrong(what: str, message: str, hint: str, mend: Callable[[], str] | None = None) -> Finding:
    """Has to be mended."""
    return Finding(what, "wrong", message, hint, mend)
