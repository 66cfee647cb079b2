"""A job's profile, guidance and settings as the method's `Settings`. Torch-free: the planner checks with it too."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from s2edit.model.families import family_of
from s2edit.profiles import profile, recommended_by
from s2edit.settings import Settings

LOWER_LEVELS: dict[str, str] = {
    "auto": "kv",
    "full": "checkpointing",
    "checkpointing": "kv",
    "adam8bit": "kv",
    "kv": "lora",
}
"""What to try after running out of memory, by the level of identity fine-tuning that failed.

`checkpointing` computes the same; `adam8bit` is never chosen unasked, since it needs a package of its own. What “auto”
counted to fit and did not, `kv` leaves ample room for.
"""


def settings_for(edit: Mapping[str, Any], model: Path | None, *, lower: bool = False) -> Settings:
    """The method's settings for a wire record `EDIT`.

    Args:
        edit: at least `profile`; `guidance` and `settings` (dotted names) where given: what is not given is as the
            checkpoint's maker recommends.
        model: the checkpoint's folder or file, or None where it isn't here: then the method's defaults stand in.
        lower: take the next lower memory level than asked for.
    Raises:
        S2EditError: a setting is unknown or out of range; the message names it.
    """
    settings = profile(edit["profile"], recommended_by(model) if model else None)
    changes: dict[str, Any] = {}
    if edit["profile"] != "faithful" and settings.identity.level == "full":
        # Whoever asks for no level would rather have a less faithful edit than none on a small card.
        changes["identity.level"] = "auto"
    if "guidance" in edit:
        changes["edit.guidance"] = edit["guidance"]
    changes |= edit.get("settings", {})
    settings = settings.replace_from(changes)
    if lower:
        settings = settings.replace_from({"identity.level": _lower(settings.identity.level, model)})
    return settings


def _lower(level: str, model: Path | None) -> str:
    """The next lower level that the model's family has; its smallest stays."""
    family = family_of(model) if model else None
    below = LOWER_LEVELS.get(level, level)
    while family is not None and below not in family.learns and below in LOWER_LEVELS:
        below = LOWER_LEVELS[below]
    return below
