"""The wire's checks in the command's own words: people know `--object`, not `edit.objects[0].word`."""

from __future__ import annotations

import re

from s2edit_wire.errors import WireError

_FIELD = re.compile(
    r"“(?P<field>[a-z_]+(?:[.\[][\w.\[\]-]+)?)” (?P<rest>must be .*|has .*|is .*|does not .*)", re.DOTALL
)
_OPTIONS = (
    (r"source", "--source"),
    (r"target", "--target"),
    (r"reference_prompt", "--reference"),
    (r"objects(\[\d+\](\.word)?)?", "--object"),
    (r"model", "--model"),
    (r"profile", "--profile"),
    (r"seed", "--seed"),
    (r"guidance", "--guidance"),
    (r"settings.*", "--set"),
    (r"job", "JOB"),
    (r"limit", "--limit"),
    (r"document\.title", "the picture's name"),
)
"""What field of a request comes from what option; what is no option's is S²Edit's own doing."""


def in_options(error: WireError) -> WireError:
    """The error with an option's name for a field's; a fault of our own where no option led to it."""
    if error.code != "bad_request":
        return error
    found = _FIELD.fullmatch(error.message)
    field = found["field"].removeprefix("edit.") if found else ""
    for pattern, option in _OPTIONS:
        if found and re.fullmatch(pattern, field):
            return WireError("bad_request", f"{option} {found['rest']}", error.hint)
    words = "S²Edit’s command and its daemon do not understand each other; they may be of different versions."
    return WireError("internal", words, f"Restart the daemon: s2edit daemon stop. It said: {error.message}")
