"""A job's profile, guidance and settings as the method's `Settings`. Torch-free: the planner checks with it too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from s2edit.settings import Settings, profile

LOWER_LEVELS: dict[str, str] = {"full": "checkpointing", "checkpointing": "kv", "adam8bit": "kv", "kv": "lora"}
"""What to try after running out of memory, by the level of identity fine-tuning that failed.

`checkpointing` computes the same; `adam8bit` is never chosen unasked, since it needs a package of its own.
"""


def recommended(model: Path) -> dict[str, Any] | None:
    """What the checkpoint's maker recommends: `recommended.json` in its folder, or beside its single file."""
    file = (model if model.is_dir() else model.parent) / "recommended.json"
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return found if isinstance(found, dict) else None


def settings_for(edit: Mapping[str, Any], model: Path, *, lower: bool = False) -> Settings:
    """The method's settings for a wire record `EDIT`.

    Args:
        edit: at least `profile`; `guidance` and `settings` (dotted names) where given.
        model: the checkpoint's folder or file.
        lower: take the next lower memory level than asked for.
    Raises:
        S2EditError: a setting is unknown or out of range; the message names it.
    """
    settings = profile(edit["profile"], recommended(model))
    changes: dict[str, Any] = {}
    if "guidance" in edit:
        changes["edit.guidance"] = edit["guidance"]
    changes |= edit.get("settings", {})
    settings = settings.replace_from(changes)
    if lower:
        level = settings.identity.level
        settings = settings.replace_from({"identity.level": LOWER_LEVELS.get(level, level)})
    return settings
