"""Whether another version was installed since this tray started: read from this computer's disk, never asked for."""

from __future__ import annotations

from .connection import VERSION


def installed_meanwhile() -> str:
    """The version that the next start would run, when it is not this one; "" otherwise, and when run from sources."""
    # Not at the top: it takes longer than everything else that the tray starts with.
    from importlib import metadata

    try:
        found = metadata.version("s2edit")
    except metadata.PackageNotFoundError:
        return ""
    return "" if found == VERSION else found
