"""What settings ask of a model, and whether its family can do it; said before anything is computed. Torch-free."""

from __future__ import annotations

from ..errors import SettingError
from ..settings import Level, Settings
from .families import Family


def check_abilities(family: Family, settings: Settings) -> None:
    """Raise SettingError, saying what to choose instead, for what means nothing in the model's family."""
    mode, known = settings.inversion.mode, family.inverts
    if mode not in known:
        raise SettingError(
            f"Null-text inversion fits the empty prompt to a model that predicts noise; {family.title} does not."
            if mode == "null_text"
            else f"FlowEdit goes along the straight ways of a flow model, and {family.title} is none.",
            hint=f"Choose the profile “balanced”, or set inversion.mode to {' or '.join(known)}.",
        )
    if settings.identity.learns and settings.identity.level != "auto":
        check_level(family, settings.identity.level)


def check_level(family: Family, level: Level | str) -> None:
    """Raise SettingError, naming those that there are, where the family has no such level."""
    if level not in family.learns:
        known = " or ".join(f"“{one}”" for one in family.learns)
        raise SettingError(
            f"The level “{level}” is not for {family.title}, which learns in another way.",
            hint=f"Set identity.level to {known}.",
        )
