"""The profiles: how much work is done, and what a checkpoint's maker may say about it. Torch-free.

“faithful” is the paper; “balanced”, the default, “fast” and “instant” give up what the benchmark says they do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .errors import SettingError
from .model.families import family_of
from .settings import Settings

_PROFILES: dict[str, dict[str, Any]] = {
    "faithful": {"inversion.mode": "null_text"},
    "balanced": {
        "inversion.mode": "direct",
        "identity.timesteps": "stratified",
        "blend.detail": True,
    },
    "fast": {
        "inversion.mode": "direct",
        "inversion.steps": 20,
        "identity.timesteps": "stratified",
        "blend.detail": True,
    },
    # Nothing is learned, and an edit is at most 8 rows through the denoiser: 3 of the target, 2 that guide it, 3 of the
    # source. So few steps of an inversion would not lead to noise, so it makes more, once for a picture.
    "instant": {
        "identity.enabled": False,
        "inversion.mode": "direct",
        "inversion.steps": 18,
        "edit.steps": 3,
        "edit.guidance_until": 0.67,
        "edit.cross_replace": 0.34,
        "edit.self_replace": 0.34,
        "blend.detail": True,
    },
}
_FAST_FRACTION = 3
"""“fast” takes one in so many of the fine-tuning steps, at twice the rate."""
_OF_THE_WEIGHTS = frozenset(
    {
        "identity.learning_rate",
        "edit.guidance",
        "edit.cross_replace",
        "edit.self_replace",
        "edit.self_replace_max_queries",
        "edit.mask_threshold",
        "edit.map_stride",
    }
)
"""What “faithful” takes from a checkpoint, besides `native_size` and `blend` (which only say what the model sees).

The paper's rate, 2e-6, and w, 3.5 to 5.5, are fitted to Stable Diffusion v1-4: a rate moves other weights by another
share of their size. Its injection scheme stands in an appendix that is not to be had, and its mask's threshold nowhere.
"""


def profile(name: str, recommended: Mapping[str, Any] | None = None) -> Settings:
    """The settings of a profile.

    “faithful” is the paper's section 4.1: 200 steps over all parameters, λ = 0.1, T = 50 and null-text inversion,
    whatever is recommended. Only what the paper fitted to its own weights, or doesn't state, comes from the checkpoint:
    the learning rate, w, the injection bounds, the automatic mask's threshold, and sizes that follow from the network.

    Args:
        name: "faithful", "balanced", "fast" or "instant".
        recommended: the checkpoint's `recommended.json`: parts ("identity", "inversion", "edit", "blend") with their
            settings, `guidance`, `self_replace_max_queries`, `mask_threshold`, `map_stride` and `native_size`, and
            "profiles" with dotted names for each profile. Other keys are passed over: "domain" is for whoever captions,
            "words", all that the weights have learned, for whoever checks prompts, the rest for people.
    Raises:
        SettingError: no such profile, or a recommended value is unknown or out of range.
    """
    if name not in _PROFILES:
        raise SettingError(f"There is no profile “{name}”.", hint=f"Choose one of {', '.join(_PROFILES)}.")
    recommended = recommended or {}
    changes: dict[str, Any] = {}
    for part in ("identity", "inversion", "edit", "blend"):
        changes |= {f"{part}.{key}": value for key, value in recommended.get(part, {}).items()}
    for key in ("guidance", "self_replace_max_queries", "mask_threshold", "map_stride"):
        if key in recommended:
            changes[f"edit.{key}"] = recommended[key]
    if "native_size" in recommended:
        changes["native_size"] = recommended["native_size"]
    own = recommended.get("profiles", {}).get(name, {})
    if name == "faithful":
        changes, own = _fitted(changes), _fitted(own)
    settings = Settings().replace_from(changes | _PROFILES[name])
    if name == "fast":
        steps = max(1, settings.identity.steps // _FAST_FRACTION)
        rate = settings.identity.learning_rate * 2
        settings = settings.replace_from({"identity.steps": steps, "identity.learning_rate": rate})
    return settings.replace_from(own)


def _fitted(changes: Mapping[str, Any]) -> dict[str, Any]:
    kept = _OF_THE_WEIGHTS | {"native_size"}
    return {name: value for name, value in changes.items() if name in kept or name.startswith("blend.")}


def recommended_by(model: Path) -> dict[str, Any]:
    """What a checkpoint's maker recommends, for `profile`: `recommended.json` in its folder or beside its single file.

    What it leaves open, its family's recommendations say. Raises SettingError when it can't be read.
    """
    family = family_of(model)
    ours = dict(family.recommended) if family is not None else {}
    file = (model if model.is_dir() else model.parent) / "recommended.json"
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ours
    except (OSError, ValueError):
        found = None
    parts = ("identity", "inversion", "edit", "blend", "profiles")
    if not isinstance(found, dict) or not all(isinstance(found.get(part, {}), dict) for part in parts):
        raise SettingError(
            "The model's recommended.json can't be used.",
            hint="Remove it from the model's folder, or download it again.",
        )
    both = {part: ours[part] | found[part] for part in ours.keys() & found.keys() if part in parts}
    return ours | found | both
