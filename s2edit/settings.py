"""Every setting of the method with its `Knob` (range, title, hint) and its default. Torch-free.

Defaults are the paper's for Stable Diffusion v1-4; `profiles` replaces what depends on the weights or the patience.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, get_args, get_type_hints

from .errors import SettingError
from .knobs import Knob, check_fields, entries_of

Level = Literal["auto", "full", "checkpointing", "adam8bit", "kv", "lora"]
AUTOMATIC: tuple[Level, ...] = ("full", "checkpointing", "kv", "lora")
"""What "auto" chooses from, from the most faithful to the smallest; "adam8bit" needs a package of its own."""
Timesteps = Literal["uniform", "stratified"]
InversionMode = Literal["direct", "null_text", "npi", "flowedit"]
EditMode = Literal["auto", "replace", "refine"]
MaskSemantics = Literal["post_softmax", "renormalise"]

Scalar = bool | int | float | str


@dataclass(frozen=True)
class IdentitySettings:
    """Stage 1 (the paper's sections 3.1 and 3.2).

    Args:
        steps: optimiser steps. learning_rate: AdamW's.
        timesteps: how t of Eq. 2 is drawn: "uniform", independently, as the paper has it; "stratified", from each of
            `steps` equal parts of the 1,000 training steps once, in random order: a few steps then miss no part.
        semantic_weight: λ of Eq. 2. semantic, spatial: whether Eq. 1 and Eq. 3 are in force.
        null_weight: weight of the same loss under the empty prompt (ours; 0 is Eq. 2 as printed). The picture teaches
            the unconditional prediction as well then, so that guidance amplifies the words, not what was learned.
        removals: whether stage 1 is made for edits that only take something away (ours). What was learned holds on to
            what has to go, so some checkpoints recommend that it is left out.
        strength: s of base + s·Δ, which the inversion and the edit compute with, Δ being what training changed (ours; 1
            is the paper's). Less of it holds on less to what the words want changed; 0 learns nothing.
        detach_prompt: stop the gradient of Eq. 1 at e_P (ours; the paper states no stop-gradient).
        mask_noun: Eq. 3 for the object's word too (ours: the text encoder is causal, so it carries [I]).
        clean_padding: take the end and padding states from P without [I] (ours, for the same reason).
        second_mask: in joint attention (flow models), take the ways out of M that Eq. 3 leaves: other words' attention
            to [I], and [I]'s to the picture outside M (ours).
        mask_semantics: "renormalise" spreads the masked attention over the other words instead of removing it.
        level: "full" is the paper's. "checkpointing" computes the same with less memory; "adam8bit" quantises the
            optimiser's state; "kv" trains the cross-attention keys and values and the text encoder only; "lora" trains
            low-rank factors. The paper (section 4.1) found parameter-efficient tuning worse. "auto" takes the first of
            "full", "checkpointing", "kv" and "lora" that fits into the device's free memory.
        lora_rank: of level "lora". max_grad_norm: gradients are clipped to it.
        rank_by_noise: in a flow model, half of that rank counts at pure noise and all of it near the picture (T-LoRA,
            arXiv 2507.05964).
        enabled: False leaves stage 1 and the [I] token out (the baselines without identity).
    """

    steps: Annotated[int, Knob("Identity steps", "Training steps that learn the object", 0, 10_000, 10, "advanced")] = (
        200
    )
    learning_rate: Annotated[float, Knob("Learning rate", "How fast the object is learned", 0, 1, 1e-6)] = 2e-6
    timesteps: Annotated[Timesteps, Knob("Timesteps", "How the training's noise levels are drawn")] = "uniform"
    semantic_weight: Annotated[
        float, Knob("Semantic weight", "How much the object's name counts against its looks", 0, 100, 0.05)
    ] = 0.1
    semantic: Annotated[bool, Knob("Semantic constraint", "Keeps the learned object near its word")] = True
    spatial: Annotated[bool, Knob("Spatial constraint", "Learns the object inside its mask only")] = True
    null_weight: Annotated[
        float, Knob("Empty prompt's weight", "How much the picture also teaches the model without words", 0, 100, 0.1)
    ] = 0.0
    removals: Annotated[bool, Knob("Learn for removals", "Learn the object before something is taken away, too")] = True
    strength: Annotated[
        float,
        Knob("Likeness", "How much of what was learned is kept; less follows the words more", 0, 1, 0.05, "advanced"),
    ] = 1.0
    detach_prompt: Annotated[bool, Knob("Detached prompt", "The word itself is not trained")] = False
    mask_noun: Annotated[bool, Knob("Masked word", "The object's word looks inside the mask only, too")] = False
    clean_padding: Annotated[bool, Knob("Clean padding", "The sentence's end doesn't carry the object")] = False
    mask_semantics: Annotated[
        MaskSemantics, Knob("Masked attention", "Whether masked attention is removed or goes to the other words")
    ] = "post_softmax"
    level: Annotated[Level, Knob("Tuning level", "How much of the model is trained; less needs less memory")] = "full"
    lora_rank: Annotated[int, Knob("LoRA rank", "Size of the factors at the level “lora”", 1, 256, 1)] = 8
    rank_by_noise: Annotated[
        bool, Knob("Rank by noise", "Flow models learn less of the picture where there is most noise")
    ] = False
    second_mask: Annotated[
        bool, Knob("Second mask", "In flow models the other words don't look at the learned object either")
    ] = False
    max_grad_norm: Annotated[float, Knob("Gradient limit", "Longer steps are cut to this", 1e-6, 1e6, 0.1)] = 1.0
    enabled: Annotated[bool, Knob("Learn the object", "Without, nothing is trained before the edit")] = True

    @property
    def rows(self) -> int:
        """Rows of a step for each picture: the prompt's, and with `null_weight` the empty one's."""
        return 2 if self.null_weight else 1

    @property
    def learns(self) -> bool:
        """Whether stage 1 trains anything."""
        return self.enabled and self.steps > 0 and self.strength > 0

    def validate(self) -> None:
        """Raise SettingError, naming the setting, unless all are in range."""
        check_fields(self, "identity")


@dataclass(frozen=True)
class InversionSettings:
    """The map from the picture to noise.

    Args:
        mode: "null_text" is the paper's; "direct" stores the trajectory instead of optimising (Ju et al., 2024); "npi"
            takes the source prompt for the empty one (Miyake et al., 2023), for a preview; "flowedit" inverts nothing
            and walks from the picture straight to the edit, in flow models (Kulikov et al., 2025).
        steps: T, the DDIM steps of inversion and editing.
        inner_steps: Adam steps per timestep at most, in mode "null_text".
        learning_rate, early_stop, early_stop_growth: step i has the rate `learning_rate` (1 - i/100) and stops
            below `early_stop` + `early_stop_growth` · i (Mokady et al., 2023).
    """

    mode: Annotated[InversionMode, Knob("Inversion", "How the picture is traced back to noise")] = "direct"
    # Above 100 the published learning rate 1e-2 (1 - i/100) would turn negative.
    steps: Annotated[
        int, Knob("Inversion steps", "Steps from the picture to noise and back", 2, 100, 1, "advanced")
    ] = 50
    inner_steps: Annotated[int, Knob("Inner steps", "Null-text steps at each of them, at most", 1, 100, 1)] = 10
    learning_rate: Annotated[float, Knob("Null-text rate", "How fast null-text inversion learns", 0, 1, 1e-3)] = 1e-2
    early_stop: Annotated[float, Knob("Early stop", "Null-text inversion stops below this error", 0, 1, 1e-5)] = 1e-5
    early_stop_growth: Annotated[
        float, Knob("Early stop's growth", "By how much that grows with each step", 0, 1, 1e-5)
    ] = 2e-5

    def validate(self) -> None:
        """Raise SettingError, naming the setting, unless all are in range."""
        check_fields(self, "inversion")


@dataclass(frozen=True)
class EditSettings:
    """Stage 2: Prompt-to-Prompt injection and LocalBlend (Hertz et al., 2022).

    Args:
        guidance: w of classifier-free guidance; 3.5 to 5.5 is balanced (the paper's section 4.4).
        guidance_until: fraction of the steps, from noise on, that are guided; 1 means all, as in the paper. The rest,
            where details are drawn, take the conditional prediction alone (Kynkäänniemi et al., 2024). Null-text
            inversion is fitted in all steps all the same: so the source keeps to the picture's own path.
        source_guidance, skipped: in mode "flowedit", w of the source's own velocity, and the fraction of the steps,
            from noise on, that are left out: what is left is how much may change.
        attempts: stage 2 is made again with a higher w, so often at most, while that changes much more of the picture;
            a little guidance keeps what it can, and is enough for one edit and nothing at all for another (ours;
            `attempts`). An edit that only takes something away ends with the first attempt that
            does anything.
        steps: so many of the inversion's steps, evenly spread, make the edit; 0, or as many and more: all, as in the
            paper.
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

    guidance: Annotated[float, Knob("Guidance", "How strongly the words act", 1, 20, 0.5, "advanced")] = 4.5
    guidance_until: Annotated[
        float,
        Knob(
            "Guided part",
            "Part of the steps in which the words act; the rest keep the picture's details",
            0,
            1,
            0.05,
            "advanced",
        ),
    ] = 1.0
    source_guidance: Annotated[
        float, Knob("Source guidance", "How strongly the old words act where FlowEdit compares with them", 1, 20, 0.5)
    ] = 1.5
    skipped: Annotated[
        float, Knob("Skipped part", "Part of FlowEdit's steps that is left out; the more, the less changes", 0, 1, 0.05)
    ] = 0.15
    attempts: Annotated[
        int,
        Knob("Attempts", "How often guidance is raised at most, while that changes much more of the picture", 1, 6, 1),
    ] = 1
    steps: Annotated[
        int, Knob("Edit steps", "So many of the inversion's steps make the edit; 0: all of them", 0, 100, 1)
    ] = 0
    mode: Annotated[EditMode, Knob("Edit mode", "Whether words are replaced or added")] = "auto"
    cross_replace: Annotated[
        float, Knob("Keep layout", "Part of the steps that keep the old picture's layout", 0, 1, 0.05, "advanced")
    ] = 0.8
    self_replace: Annotated[
        float, Knob("Keep shapes", "Part of the steps that keep the old picture's shapes", 0, 1, 0.05, "advanced")
    ] = 0.4
    self_replace_max_queries: Annotated[
        int, Knob("Largest kept layer", "Shapes are kept up to layers of so many cells", 0, 1 << 24, 64)
    ] = 1024
    local_blend: Annotated[bool, Knob("Local blend", "Keeps what the changed words don't look at")] = True
    local_blend_threshold: Annotated[
        float, Knob("Blend threshold", "How much a place has to be looked at to change", 0, 1, 0.05)
    ] = 0.3
    local_blend_start: Annotated[float, Knob("Blend start", "Part of the steps before that begins", 0, 1, 0.05)] = 0.2
    mask_threshold: Annotated[
        float, Knob("Mask threshold", "How much a place has to be looked at to be the object", 0, 1, 0.05)
    ] = 0.3
    map_stride: Annotated[
        int, Knob("Map stride", "Cells of the model beside each other that count as one", choices=(0, 1, 2, 4, 8))
    ] = 0
    emphasize: Annotated[
        Mapping[str, float], Knob("Emphasis", "Weight of a word of “Should show”; 1 is as it is", -10, 10, 0.1)
    ] = field(default_factory=dict)

    def validate(self) -> None:
        """Raise SettingError, naming the setting, unless all are in range."""
        check_fields(self, "edit")


@dataclass(frozen=True)
class BlendSettings:
    """How the edited crop goes back into the picture.

    Args:
        feather: width of the soft edge, px of the model's size; 8 is one latent cell.
        grow: how far the edit may reach beyond the mask, px of the model's size.
        context: surroundings of the mask that the crop takes along, as a fraction of the mask's longer side.
        colour_match: undo the decoder's colour shift, measured around the mask; `detail` leaves none to undo.
        close: gaps and holes of a painted mask up to this wide are filled, px of the model's size.
        detail: what the edit leaves alone stays the picture's own to the bit, and what it recolours keeps the picture's
            edges; only what is new is drawn by the model (ours; `detail.edited`).
        frame: the model is shown what the checkpoint's own framing network finds, where it brings one.
        upscale: the checkpoint's own upscaler, where it brings one, draws the edit at four times the model's size.
    """

    feather: Annotated[
        float, Knob("Feather", "Width of the result's soft edge, in the model's pixels", 0, 256, 1, "advanced")
    ] = 8.0
    grow: Annotated[
        float,
        Knob("Grow mask", "How far the edit may reach beyond the mask, in the model's pixels", 0, 256, 1, "advanced"),
    ] = 0.0
    context: Annotated[
        float,
        Knob(
            "Context",
            "How far around the mask the model sees, in mask lengths; 4 is mostly the whole picture",
            0,
            4,
            0.05,
            "advanced",
        ),
    ] = 0.35
    colour_match: Annotated[bool, Knob("Match colours", "Undoes the model's colour shift around the mask")] = True
    close: Annotated[
        float, Knob("Close gaps", "Gaps of a painted mask up to this wide are filled, in the model's pixels", 0, 256, 1)
    ] = 0.0
    detail: Annotated[
        bool, Knob("Native detail", "What the edit leaves alone stays the picture's own; only the change is drawn")
    ] = False
    frame: Annotated[bool, Knob("Find the subject", "The model is shown the part that it knows, if it can find it")] = (
        True
    )
    upscale: Annotated[bool, Knob("Upscale", "What is new is drawn sharp by the model's upscaler, if it has one")] = (
        True
    )

    def validate(self) -> None:
        """Raise SettingError, naming the setting, unless all are in range."""
        check_fields(self, "blend")


@dataclass(frozen=True)
class Settings:
    """All settings of one edit. `native_size`: the model's short side in px; 0 takes the checkpoint's own."""

    identity: IdentitySettings = field(default_factory=IdentitySettings)
    inversion: InversionSettings = field(default_factory=InversionSettings)
    edit: EditSettings = field(default_factory=EditSettings)
    blend: BlendSettings = field(default_factory=BlendSettings)
    native_size: Annotated[
        int, Knob("Model size", "Pixels of the model's shorter side; 0: the model's own", 64, 4096, 64, also=0)
    ] = 0

    @property
    def edited_in(self) -> int:
        """Steps of stage 2."""
        return min(self.edit.steps, self.inversion.steps) or self.inversion.steps

    @property
    def attempts(self) -> int:
        """How often stage 2 may be made: `edit.attempts`, but once where null-text fits the empty prompt to one w."""
        return 1 if self.inversion.mode == "null_text" else self.edit.attempts

    def validate(self) -> None:
        """Raise SettingError, naming the setting, unless all are in range and go together."""
        for part in (self.identity, self.inversion, self.edit, self.blend):
            part.validate()
        check_fields(self, "")
        if self.inversion.mode == "null_text" and self.edited_in < self.inversion.steps:
            raise SettingError(
                f"The setting “edit.steps” can't be {self.edit.steps} where “inversion.mode” is null_text, which fits "
                "the empty prompt to every step of the edit.",
                hint="Set edit.steps to 0, or inversion.mode to direct.",
            )

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


def printed() -> str:
    """knobs.json: all settings with their knobs; what painters turn most comes first."""
    parts = (
        (EditSettings, "edit"),
        (BlendSettings, "blend"),
        (InversionSettings, "inversion"),
        (IdentitySettings, "identity"),
        (Settings, ""),
    )
    found = [entry.as_record() for part, prefix in parts for entry in entries_of(part, prefix)]
    lines = ",\n".join(json.dumps(record, ensure_ascii=False) for record in found)
    return f"[\n{lines}\n]\n"


if __name__ == "__main__":
    sys.stdout.write(printed())
