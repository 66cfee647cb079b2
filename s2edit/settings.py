"""Every knob of the method, its range and its default. Torch-free.

Defaults are the paper's for Stable Diffusion v1-4; `profiles` replaces what depends on the weights or the patience.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_type_hints

from .errors import SettingError

Level = Literal["auto", "full", "checkpointing", "adam8bit", "kv", "lora"]
Timesteps = Literal["uniform", "stratified"]
InversionMode = Literal["direct", "null_text", "npi"]
EditMode = Literal["auto", "replace", "refine"]
MaskSemantics = Literal["post_softmax", "renormalise"]

_FRACTIONS = (
    "guidance_until",
    "cross_replace",
    "self_replace",
    "local_blend_threshold",
    "local_blend_start",
    "mask_threshold",
)
"""Settings of an edit between 0 and 1."""

Number = int | float
Scalar = bool | int | float | str


def _within(name: str, value: Number, low: Number, high: Number) -> None:
    if isinstance(value, bool) or not math.isfinite(value) or not low <= value <= high:
        raise SettingError(f"The setting “{name}” has to be between {low} and {high}, not {value}.")


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise SettingError(f"The setting “{name}” has to be one of {', '.join(choices)}, not {value}.")


@dataclass(frozen=True)
class IdentitySettings:
    """Stage 1 (the paper's sections 3.1 and 3.2).

    Args:
        steps: optimiser steps. learning_rate: AdamW's.
        timesteps: how t of Eq. 2 is drawn: "uniform", independently, as the paper has it; "stratified", from each of
            `steps` equal parts of the 1,000 training steps once, in random order: a few steps then miss no part.
        semantic_weight: λ of Eq. 2. semantic, spatial: whether Eq. 1 and Eq. 3 are in force.
        detach_prompt: stop the gradient of Eq. 1 at e_P (ours; the paper states no stop-gradient).
        mask_noun: Eq. 3 for the object's word too (ours: the text encoder is causal, so it carries [I]).
        clean_padding: take the end and padding states from P without [I] (ours, for the same reason).
        mask_semantics: "renormalise" spreads the masked attention over the other words instead of removing it.
        level: "full" is the paper's. "checkpointing" computes the same with less memory; "adam8bit" quantises the
            optimiser's state; "kv" trains the cross-attention keys and values and the text encoder only; "lora" trains
            low-rank factors. The paper (section 4.1) found parameter-efficient tuning worse. "auto" takes the first of
            "full", "checkpointing", "kv" and "lora" that fits into the device's free memory.
        lora_rank: of level "lora". max_grad_norm: gradients are clipped to it.
        enabled: False leaves stage 1 and the [I] token out (the baselines without identity).
    """

    steps: int = 200
    learning_rate: float = 2e-6
    timesteps: Timesteps = "uniform"
    semantic_weight: float = 0.1
    semantic: bool = True
    spatial: bool = True
    detach_prompt: bool = False
    mask_noun: bool = False
    clean_padding: bool = False
    mask_semantics: MaskSemantics = "post_softmax"
    level: Level = "full"
    lora_rank: int = 8
    max_grad_norm: float = 1.0
    enabled: bool = True

    def validate(self) -> None:
        """Raise SettingError, naming the setting, unless all are in range."""
        _within("identity.steps", self.steps, 0, 10_000)
        _within("identity.learning_rate", self.learning_rate, 0, 1)
        _within("identity.semantic_weight", self.semantic_weight, 0, 100)
        _one_of("identity.timesteps", self.timesteps, get_args(Timesteps))
        _one_of("identity.level", self.level, get_args(Level))
        _one_of("identity.mask_semantics", self.mask_semantics, get_args(MaskSemantics))
        _within("identity.lora_rank", self.lora_rank, 1, 256)
        _within("identity.max_grad_norm", self.max_grad_norm, 1e-6, 1e6)


@dataclass(frozen=True)
class InversionSettings:
    """The map from the picture to noise.

    Args:
        mode: "null_text" is the paper's; "direct" stores the trajectory instead of optimising (Ju et al., 2024); "npi"
            takes the source prompt for the empty one (Miyake et al., 2023), for a preview.
        steps: T, the DDIM steps of inversion and editing.
        inner_steps: Adam steps per timestep at most, in mode "null_text".
        learning_rate, early_stop, early_stop_growth: step i has the rate `learning_rate` (1 - i/100) and stops
            below `early_stop` + `early_stop_growth` · i (Mokady et al., 2023).
    """

    mode: InversionMode = "direct"
    steps: int = 50
    inner_steps: int = 10
    learning_rate: float = 1e-2
    early_stop: float = 1e-5
    early_stop_growth: float = 2e-5

    def validate(self) -> None:
        """Raise SettingError, naming the setting, unless all are in range."""
        _one_of("inversion.mode", self.mode, get_args(InversionMode))
        # Above 100 the published learning rate 1e-2 (1 - i/100) would turn negative.
        _within("inversion.steps", self.steps, 2, 100)
        _within("inversion.inner_steps", self.inner_steps, 1, 100)
        _within("inversion.learning_rate", self.learning_rate, 0, 1)
        _within("inversion.early_stop", self.early_stop, 0, 1)
        _within("inversion.early_stop_growth", self.early_stop_growth, 0, 1)


@dataclass(frozen=True)
class EditSettings:
    """Stage 2: Prompt-to-Prompt injection and LocalBlend (Hertz et al., 2022).

    Args:
        guidance: w of classifier-free guidance; 3.5 to 5.5 is balanced (the paper's section 4.4).
        guidance_until: fraction of the steps, from noise on, that are guided; 1 means all, as in the paper. The rest,
            where details are drawn, take the conditional prediction alone (Kynkäänniemi et al., 2024). Null-text
            inversion is fitted in all steps all the same: so the source keeps to the picture's own path.
        mode: "auto" replaces when the target is the source with words swapped in place, and refines otherwise.
        cross_replace, self_replace: fraction of the steps in which cross- and self-attention is injected; 1 means all.
        self_replace_max_queries: largest layer (H·W) of a square picture whose self-attention is injected; 1024 is SD's
            32×32. A longer picture's layers are longer by as much, and so is the bound.
        local_blend: keep the source outside the changed words' attention. local_blend_threshold: of the maps
            divided by their maximum. local_blend_start: fraction of the steps before blending begins.
        mask_threshold: of the automatic object mask (ours; the paper states none).
        map_stride: latent cells per side of a cell of the recorded maps; 0 takes 4 (SD's 16×16) at a native size of
            256 px and above, else 2.
        emphasize: factor on a target word's attention, by word ("reweight").
    """

    guidance: float = 4.5
    guidance_until: float = 1.0
    mode: EditMode = "auto"
    cross_replace: float = 0.8
    self_replace: float = 0.4
    self_replace_max_queries: int = 1024
    local_blend: bool = True
    local_blend_threshold: float = 0.3
    local_blend_start: float = 0.2
    mask_threshold: float = 0.3
    map_stride: int = 0
    emphasize: Mapping[str, float] = field(default_factory=dict)

    def validate(self) -> None:
        """Raise SettingError, naming the setting, unless all are in range."""
        _within("edit.guidance", self.guidance, 0, 50)
        _one_of("edit.mode", self.mode, get_args(EditMode))
        for name in _FRACTIONS:
            _within(f"edit.{name}", getattr(self, name), 0, 1)
        _within("edit.self_replace_max_queries", self.self_replace_max_queries, 0, 1 << 24)
        if self.map_stride not in (0, 1, 2, 4, 8):
            raise SettingError(f"The setting “edit.map_stride” has to be 0, 1, 2, 4 or 8, not {self.map_stride}.")
        for word, factor in self.emphasize.items():
            _within(f"edit.emphasize.{word}", factor, -10, 10)


@dataclass(frozen=True)
class BlendSettings:
    """How the edited crop goes back into the picture.

    Args:
        feather: width of the soft edge, px of the model's size; 8 is one latent cell.
        grow: how far the edit may reach beyond the mask, px of the model's size.
        context: surroundings of the mask that the crop takes along, as a fraction of the mask's longer side.
        colour_match: undo the decoder's colour shift, measured around the mask.
    """

    feather: float = 8.0
    grow: float = 0.0
    context: float = 0.35
    colour_match: bool = True

    def validate(self) -> None:
        """Raise SettingError, naming the setting, unless all are in range."""
        _within("blend.feather", self.feather, 0, 256)
        _within("blend.grow", self.grow, 0, 256)
        _within("blend.context", self.context, 0, 4)


@dataclass(frozen=True)
class Settings:
    """All settings of one edit. `native_size`: the model's short side in px; 0 takes the checkpoint's own."""

    identity: IdentitySettings = field(default_factory=IdentitySettings)
    inversion: InversionSettings = field(default_factory=InversionSettings)
    edit: EditSettings = field(default_factory=EditSettings)
    blend: BlendSettings = field(default_factory=BlendSettings)
    native_size: int = 0

    def validate(self) -> None:
        """Raise SettingError, naming the setting, unless all are in range."""
        for part in (self.identity, self.inversion, self.edit, self.blend):
            part.validate()
        if self.native_size:
            _within("native_size", self.native_size, 64, 4096)

    def replace_from(self, changes: Mapping[str, Any]) -> Settings:
        """A copy with some settings replaced.

        Args:
            changes: value by dotted name, such as {"edit.guidance": 5, "edit.emphasize.beard": 1.5}. Whole numbers
                are taken for fractions where a fraction is meant, never the other way round.
        Raises:
            SettingError: a name is unknown, or a value of the wrong kind or out of range; the message names it.
        """
        settings = self
        for name, value in changes.items():
            settings = _replaced(settings, name, value)
        settings.validate()
        return settings

    def as_dict(self) -> dict[str, Any]:
        """JSON-able, nested like the settings."""
        found = dataclasses.asdict(self)
        found["edit"]["emphasize"] = dict(self.edit.emphasize)
        return found

    def by_name(self) -> dict[str, Scalar]:
        """Every setting's value by its dotted name, as `replace_from` takes them; emphasised words are left out."""
        named: dict[str, Scalar] = {"native_size": self.native_size}
        for part in dataclasses.fields(self):
            if part.name != "native_size":
                values = dataclasses.asdict(getattr(self, part.name))
                named |= {f"{part.name}.{key}": value for key, value in values.items() if key != "emphasize"}
        return named


def _replaced(settings: Settings, name: str, value: Any) -> Settings:
    part_name, _, key = name.partition(".")
    if name == "native_size":
        return dataclasses.replace(settings, native_size=_coerced(name, int, value))
    part = getattr(settings, part_name, None)
    if part is None or not dataclasses.is_dataclass(part) or not key:
        raise SettingError(f"There is no setting “{name}”.")
    field_name, _, word = key.partition(".")
    kinds = get_type_hints(type(part))
    if field_name not in kinds:
        raise SettingError(f"There is no setting “{name}”.")
    if field_name == "emphasize":
        if not word:
            raise SettingError("The setting “edit.emphasize” needs a word: “edit.emphasize.WORD”.")
        new: Any = {**settings.edit.emphasize, word: _coerced(name, float, value)}
    elif word:
        raise SettingError(f"There is no setting “{name}”.")
    else:
        new = _coerced(name, kinds[field_name], value)
    changed: Any = dataclasses.replace(part, **{field_name: new})  # type: ignore[type-var]
    return dataclasses.replace(settings, **{part_name: changed})


def _coerced(name: str, kind: Any, value: Any) -> Any:
    choices = get_args(kind)
    expected: type = str if choices else kind
    if expected is float and type(value) is int:
        return float(value)
    if type(value) is not expected:
        words = {bool: "true or false", int: "a whole number", float: "a number", str: "a word"}
        raise SettingError(f"The setting “{name}” has to be {words[expected]}, not {value!r}.")
    return value
