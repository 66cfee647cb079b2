"""Names from data files as parts of paths: one pattern for ids, and one way to join them to the weights folder.

A catalogue comes from somewhere else, and its ids and names end up in paths that are made and deleted.
"""

from __future__ import annotations

import re
from pathlib import Path

from s2edit_wire.errors import WireError

MODEL_ID = re.compile(r"[a-z0-9]+([-_][a-z0-9]+)*\Z")
"""What a model's id looks like: no dots and no separators, so that it is one part of a path and never a file here."""
MAX_ID = 80
FILE_NAME = re.compile(r"([A-Za-z0-9_][A-Za-z0-9_.+-]*/){0,4}[A-Za-z0-9_][A-Za-z0-9_.+-]*\.(safetensors|json|txt)\Z")
"""A model's file inside its folder; no part begins with a dot."""
REPOSITORY = re.compile(r"([A-Za-z0-9_][A-Za-z0-9_.-]*/)?[A-Za-z0-9_][A-Za-z0-9_.-]*\Z")
"""A repository on the model hub; it names a folder of Hugging Face's cache too."""
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?\Z", re.IGNORECASE)
"""Names that are devices on Windows, in whatever folder."""
_TAKEN = frozenset({"token", "combined", "upscaled"})
"""What else lies in the weights folder."""


def is_id(text: str) -> bool:
    """Whether this can be a model's id."""
    return (
        len(text) <= MAX_ID and MODEL_ID.match(text) is not None and text not in _TAKEN and _DEVICES.match(text) is None
    )


def is_file_name(text: str) -> bool:
    """Whether this can be the name of a model's file: a relative path with "/"."""
    return (
        len(text) <= 200
        and FILE_NAME.match(text) is not None
        and not any(_DEVICES.match(part) or part.endswith(".") for part in text.split("/"))
    )


def join(root: Path, *names: str) -> Path:
    """A place below `root` that may be made, written to or deleted.

    Args:
        root: a folder of S²Edit's own; it may itself be a link.
        names: parts of a path, from wherever.

    Raises:
        WireError: wrong_state, when it is not below `root`, or a link leads out of it.
    """
    path = root.joinpath(*names)
    base, place = root.resolve(), path.resolve()
    if ".." in path.parts or place == base or base not in place.parents:
        raise WireError(
            "wrong_state",
            f"“{path.name}” is not inside {root}, and S²Edit changes nothing outside.",
            "If a link leads there, remove the link or change its files yourself.",
        )
    return path
