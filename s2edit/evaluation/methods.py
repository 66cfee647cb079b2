"""What is compared: the full method, the paper's ablation of it, and its baselines, each as changes to one setting.

The engine is the same for all, so a difference in scores is a difference in the method and in nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from s2edit.settings import Settings


@dataclass(frozen=True)
class Method:
    """A name for tables, what it is in a few words, and what it changes in the full method's settings."""

    name: str
    title: str
    changes: Mapping[str, Any]

    def settings(self, full: Settings) -> Settings:
        """The method's settings, derived from the full method's."""
        return full.replace_from(self.changes)


_NO_IDENTITY = {"identity.enabled": False}
_PLAIN = {"identity.semantic": False, "identity.spatial": False}

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method("s2edit", "S²Edit: identity fine-tuning, semantic and spatial control", {}),
        Method("ift+sec", "identity fine-tuning + semantic control", {"identity.spatial": False}),
        Method("ift+spc", "identity fine-tuning + spatial control", {"identity.semantic": False}),
        Method("ift", "identity fine-tuning alone (DreamBooth on one picture)", _PLAIN),
        Method("direct+p2p", "direct inversion + Prompt-to-Prompt, no identity", _NO_IDENTITY),
        Method("npi+p2p", "negative-prompt inversion + Prompt-to-Prompt", _NO_IDENTITY | {"inversion.mode": "npi"}),
        Method("nti+p2p", "null-text inversion + Prompt-to-Prompt", _NO_IDENTITY | {"inversion.mode": "null_text"}),
        Method("s2edit-nti", "S²Edit with null-text inversion (the paper's own)", {"inversion.mode": "null_text"}),
    )
}
