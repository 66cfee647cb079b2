"""What is compared: the full method, the paper's ablation of it, its profiles, and baselines.

All but the diffusers pipelines share one engine, so a difference in scores is a difference in the method and in nothing
else. Their order is the order of work: neighbours share a fine-tuning or an inversion, which then is made once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from s2edit.profiles import profile
from s2edit.settings import Settings


@dataclass(frozen=True)
class Method:
    """How one column of the tables is made.

    Args:
        name: in tables and file names. title: what it is, in a few words.
        changes: to the full method's settings, by dotted name.
        profile: whose settings are the full ones, or "" for the profile that the run asks for.
        baseline: name for `Workbench.baseline`, or "" for the method's own edits.
        painted_only: it can't find its place by itself.
        core: one of the methods that the paper's claim is about, made for every portrait; the others for some.
    """

    name: str
    title: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    profile: str = ""
    baseline: str = ""
    painted_only: bool = False
    core: bool = False

    def settings(
        self, chosen: str, recommended: Mapping[str, Any], overrides: Mapping[str, Any] | None = None
    ) -> Settings:
        """The method's settings.

        Args:
            chosen: the run's profile. recommended: the checkpoint's. overrides: the run's, by dotted name; the method's
                own changes come after them.
        Raises:
            SettingError: there is no such profile or setting.
        """
        full = profile(self.profile or chosen, recommended)
        return full.replace_from({**(overrides or {}), **self.changes})


_NO_IDENTITY = {"identity.enabled": False, "inversion.mode": "direct"}
_PLAIN = {"identity.semantic": False, "identity.spatial": False}

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method("s2edit", "S²Edit: identity fine-tuning, semantic and spatial control", core=True),
        Method("faithful", "S²Edit in the profile “faithful”: the paper's own, with null-text", profile="faithful"),
        Method("fast", "S²Edit in the profile “fast”: a preview", profile="fast"),
        Method("instant", "S²Edit in the profile “instant”: nothing learned, three steps", profile="instant"),
        Method("ift+sec", "identity fine-tuning + semantic control", {"identity.spatial": False}, core=True),
        Method("ift+spc", "identity fine-tuning + spatial control", {"identity.semantic": False}, core=True),
        Method("ift", "identity fine-tuning alone (DreamBooth on one picture)", _PLAIN, core=True),
        Method("sine", "SINE-style guidance by a fine-tuned model, from noise", _PLAIN, baseline="sine"),
        Method("direct+p2p", "direct inversion + Prompt-to-Prompt, no identity", _NO_IDENTITY, core=True),
        Method("npi+p2p", "negative-prompt inversion + Prompt-to-Prompt", _NO_IDENTITY | {"inversion.mode": "npi"}),
        Method("ddim+p2p", "DDIM inversion + Prompt-to-Prompt", _NO_IDENTITY, baseline="ddim+p2p"),
        Method(
            "nti+p2p",
            "null-text inversion + Prompt-to-Prompt",
            _NO_IDENTITY | {"inversion.mode": "null_text", "edit.attempts": 1},
            core=True,
        ),
        Method("sdedit", "SDEdit, strength 0.6", _NO_IDENTITY, baseline="sdedit"),
        Method(
            "inpaint",
            "masked inpainting in krita-ai-diffusion's manner, without inpainting weights (there are none)",
            _NO_IDENTITY,
            baseline="inpaint",
            painted_only=True,
        ),
        Method("ledits++", "LEDITS++ (diffusers)", _NO_IDENTITY, baseline="ledits++"),
        Method("instruct-pix2pix", "InstructPix2Pix (diffusers)", _NO_IDENTITY, baseline="instruct-pix2pix"),
    )
}
FULL = "s2edit"
"""The method that all others are held against."""
NEEDS_WEIGHTS = frozenset({"instruct-pix2pix"})
"""Methods that run only where weights of their own are named."""
SWEPT = (FULL, "direct+p2p")
"""Methods whose trade-off over w is drawn: both keep their inversion whatever w is, so a point costs one edit."""


def chosen(names: str, scales: Sequence[float], *, with_weights: bool) -> list[Method]:
    """Methods in the order of work.

    Args:
        names: comma-separated, or "" for all that can run. scales: values of w at which `SWEPT` ones are made again.
        with_weights: whether the weights of `NEEDS_WEIGHTS` were named.
    Raises:
        ValueError: there is no method of a name.
    """
    wanted = [name for name in names.split(",") if name] or [
        name for name in METHODS if with_weights or name not in NEEDS_WEIGHTS
    ]
    if unknown := [name for name in wanted if name not in METHODS]:
        raise ValueError(f"There is no method “{unknown[0]}”; choose from {', '.join(METHODS)}.")
    found = []
    for name, method in METHODS.items():
        if name in wanted:
            found.append(method)
            found += [at_scale(method, scale) for scale in scales if name in SWEPT]
    return found


def at_scale(method: Method, guidance: float) -> Method:
    """The method at another w, under the name that `scale_of` reads."""
    return replace(
        method,
        name=f"{method.name}@{guidance:g}",
        title=f"{method.title}, w = {guidance:g}",
        changes={**method.changes, "edit.guidance": guidance},
        core=False,
    )


def scale_of(name: str) -> tuple[str, float | None]:
    """The plain method's name, and its w when the name ends in one ("s2edit@6")."""
    found = re.fullmatch(r"(.+)@(\d+(?:\.\d+)?)", name)
    return (found[1], float(found[2])) if found else (name, None)
