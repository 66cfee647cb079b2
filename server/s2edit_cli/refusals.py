"""The wire's checks in the command's own words: people know `--object`, not `edit.objects[0].word`."""

from __future__ import annotations

import re

from s2edit_wire.errors import WireError

_FIELD = re.compile(r"“(?P<field>[a-z_]+(?:[.\[:][^”]*)?)” (?P<rest>must be .*|has .*|is .*|does not .*)", re.DOTALL)
_OPTIONS = (
    (r"source", "--source"),
    (r"target", "--target"),
    (r"reference_prompt", "--reference"),
    (r"objects(\[\d+\](\.word)?)?", "--object"),
    (r"model", "The model’s id"),
    (r"profile", "--profile"),
    (r"seed", "--seed"),
    (r"guidance", "--guidance"),
    (r"settings: a name", "The name of a setting"),
    (r"settings\.edit\.emphasize\..*", "--emphasize"),
    (r"settings.*", "--set"),
    (r"job", "JOB"),
    (r"limit", "--limit"),
    (r"document\.title", "The picture’s name"),
)
"""What field of a request comes from what option; what is no option's is S²Edit's own doing."""
_ENTRIES = re.compile(r"must be a list of \d+ to (\d+) entries\.")
_OF_TWO_VERSIONS = re.compile(
    "is not a field of|” is missing|There is no message|takes no frame|no S²Edit message|[Hh]eader|A map's names"
)
"""What is said only where the two sides take a message for something else; all other sentences are for people."""


def in_options(error: WireError) -> WireError:
    """The error with an option's name for a field's; a fault of our own where no option led to it."""
    if error.code != "bad_request":
        return error
    found = _FIELD.fullmatch(error.message)
    if found is None and not _OF_TWO_VERSIONS.search(error.message):
        return error
    field = found["field"].removeprefix("edit.") if found else ""
    for pattern, option in _OPTIONS if found and not _OF_TWO_VERSIONS.search(error.message) else ():
        if found and re.fullmatch(pattern, field, re.DOTALL):
            said = _ENTRIES.sub(r"can be given \1 times at most.", found["rest"])
            return WireError("bad_request", f"{option} {said}", error.hint)
    words = "S²Edit’s command and its daemon do not understand each other; they may be of different versions."
    return WireError("internal", words, f"Restart the daemon: s2edit daemon stop. It said: {error.message}")
