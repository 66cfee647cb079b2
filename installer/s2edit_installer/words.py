"""Saying things on the terminal. Standard library only."""

from __future__ import annotations

import sys


class Trouble(Exception):
    """Something that the user has to mend; the text says what and how."""


def say(text: str = "", end: str = "\n") -> None:
    """A line for the user, at once, also on terminals that lack a character of it."""
    encoding = sys.stdout.encoding or "ascii"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding) + end)
    sys.stdout.flush()
