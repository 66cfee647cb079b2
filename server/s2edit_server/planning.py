"""What a job would do, before it is one: where to crop, what is wrong with it, how long it would take. Torch-free.

`plan` answers the message of that name; `check_submit` refuses what can't succeed, so that no job is made of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from s2edit_wire.errors import WireError
from s2edit_wire.records import PlanReply

from s2edit.errors import PromptError, S2EditError
from s2edit.method.alignment import plan_prompts
from s2edit.method.composition import check_learning, plan_composition
from s2edit.method.prompts import PromptTokenizer, object_words
from s2edit.model.abilities import check_abilities
from s2edit.model.families import FAMILIES, NOTHING_LEARNED, SD1, Family, multiple_of
from s2edit.model.instructed import INSTRUCTED
from s2edit.model.prompting import prompt_tokenizer
from s2edit.picture.region import Box, crop_for
from s2edit.picture.resolution import resolution
from s2edit.settings import Settings

from .estimates import Forecast, forecast
from .instructing import instruction_memory, instruction_problems, instructs, reference_problems
from .problems import Problem, frame_problems, memory_problems, photo_problems, size_problem
from .timings import Pace
from .weights.catalogue import CatalogueEntry
from .weights.manager import Weights
from .wording import wording_problems
from .worker.choices import settings_for
from .worker.faults import to_wire
from .worker.requests import carried_word

MAX_WORD = 100
"""Characters of a word that the wire lets name an object."""


def plan(
    request: Mapping[str, Any],
    weights: Weights,
    *,
    paces: Mapping[str, Pace] | None = None,
    device: str = "",
    memory_free: int = 0,
    memory_used: int = 0,
    cached: bool = False,
) -> PlanReply:
    """The reply to `plan`; blocks for the moments that small files take.

    Args:
        request: the checked header.
        weights: where models are looked up.
        paces: what such jobs took lately (`timings.expected`); an estimate is made without.
        device, memory_free, memory_used: as the worker told last; "" and 0 when it has not.
        cached: whether the identity of this very request is cached.
    Raises:
        WireError: unknown_model, bad_setting, bad_mask: nothing can be planned then.
    """
    entry = weights.entry(request["model"])
    problems: list[Problem] = []
    path = _installed(entry, weights, problems, kind=request["kind"])
    settings = _settings(request, path, problems, FAMILIES.get(entry.family))
    native = settings.native_size or entry.native
    try:
        box = tuple(request["mask_box"]) if "mask_box" in request else None
        crop = crop_for(tuple(request["canvas"]), box, settings, entry.native)
    except S2EditError as error:
        raise WireError("bad_mask", str(error), error.hint) from error
    height, width = _model_size(entry, path, crop, native)
    if instructs(entry):
        problems += instruction_problems(request, entry, partial=True)
    elif "source" in request:
        problems += prompt_problems(request, path, settings, partial=True)
    problems += wording_problems(request, entry.title, path)
    problems += photo_problems(request, entry, weights)
    if memory_free and instructs(entry):
        problems += instruction_memory(entry, memory_free + memory_used)
    elif memory_free and not cached and settings.identity.level == "auto" and settings.identity.enabled:
        problems += memory_problems(entry, memory_free + memory_used)
    fine = resolution(crop, box, (height, width), path)
    if fine.is_coarse:
        problems.append(size_problem(fine.size, (width, height)))
    guess: Forecast = forecast(
        entry, settings, paces or {}, device, pixels=height * width, available=memory_free + memory_used
    )
    return {
        "crop": list(crop),
        "model_size": [height, width],
        "problems": [problem.as_record() for problem in problems[:32]],
        "words": _words(request.get("source", "")),
        "settings": settings.by_name() | {"native_size": native},
        "forecast": {
            "first_s": guess.first_s,
            "next_s": guess.next_s,
            "memory": entry.needs(NOTHING_LEARNED) if cached else guess.memory,
            "memory_free": memory_free,
            "cached": cached,
            "measured": guess.measured,
        },
        "resolution": {"size": list(fine.size), "finest": fine.finest, "framed": fine.framed},
    }


def _model_size(entry: CatalogueEntry, path: Path | None, crop: Box, native: int) -> tuple[int, int]:
    """(height, width) at which the model sees the crop."""
    if instructs(entry):
        return INSTRUCTED[entry.family].model_size(crop[2], crop[3], native)
    family = FAMILIES[entry.family]
    return family.size(crop[2], crop[3], native, multiple_of(path or family.config, family))


def check_submit(
    edit: Mapping[str, Any], frames: Sequence[tuple[Mapping[str, Any], memoryview]], weights: Weights
) -> WireError | None:
    """Why this job can't succeed, or None; blocks while masks are looked at (about a second for a gigabyte).

    Args:
        edit: the wire's record `EDIT`, checked. frames: header entries with the samples.
    """
    problems: list[Problem] = []
    try:
        entry = weights.entry(edit["model"])
        path = _installed(entry, weights, problems, kind=edit["kind"])
    except WireError as error:
        return error
    settings = _settings(edit, path, problems, FAMILIES.get(entry.family))
    problems += instruction_problems(edit, entry) if instructs(entry) else prompt_problems(edit, path, settings)
    problems += frame_problems(edit, frames)
    problems += reference_problems(edit, frames, entry)
    for problem in problems:
        if problem.blocking:
            return WireError(problem.code, problem.message, problem.hint)
    return None


def prompt_problems(
    edit: Mapping[str, Any], path: Path | None, settings: Settings, *, partial: bool = False
) -> list[Problem]:
    """What is wrong with the words, the first thing only.

    Args:
        edit: `EDIT`, or with `partial` a `plan` request, in which what is not given yet is not missed.
        path: the model's folder; without a tokenizer there, only what needs none is checked.
        settings: the job's; where nothing is learned, no [I] takes up room in the prompts.
    """
    kind, source, target = edit["kind"], edit.get("source", ""), edit.get("target", "")
    if kind == "caption":
        return []
    needed = {"source": source} if kind == "mask" else {"source": source, "target": target}
    if kind == "compose":
        needed["reference_prompt"] = edit.get("reference_prompt", "")
    for name, text in needed.items():
        if not text.strip() and (not partial or name in edit):
            title = name.removesuffix("_prompt")
            hint = "Describe in a few words what the picture shows."
            if name == "target":
                hint = "Describe in a few words what it should show."
            field = "source" if name == "reference_prompt" else name
            return [Problem(field, "bad_prompt", f"The {title} prompt is empty.", hint=hint)]
    words = [entry["word"] for entry in edit.get("objects", [])]
    if not words:
        if partial:
            return []
        hint = "Choose the word of the source prompt that names what is edited."
        return [Problem("object", "bad_prompt", "No object is named.", hint=hint)]
    if partial and "target" not in edit and kind != "mask":
        return []
    tokenizer = _tokenizer_of(path)
    return [] if tokenizer is None else _token_problems(tokenizer, edit, words, learns=settings.identity.enabled)


def _token_problems(
    tokenizer: PromptTokenizer, edit: Mapping[str, Any], words: list[str], *, learns: bool
) -> list[Problem]:
    kind, source, target = edit["kind"], edit["source"], edit.get("target", "")
    field = "source"
    try:
        prompt = tokenizer.encode(source, room=len(words), name="source prompt")
        field = "target"
        if kind != "mask":
            tokenizer.encode(target, room=len(words), name="target prompt")
        field = "source"
        if edit.get("reference_prompt"):
            tokenizer.encode(edit["reference_prompt"], room=1, name="reference prompt")
        field = "object"
        for word in words[:1] if kind in ("compose", "mask") else words:
            prompt.positions(word)
        field = "target"
        if kind == "edit":
            plan_prompts(tokenizer, source, target, words, identity=learns, **_prompt_settings(edit))
        elif kind == "compose" and edit.get("reference_prompt"):
            attribute = words[1] if len(words) > 1 else carried_word(edit)
            reference = edit["reference_prompt"]
            plan_composition(
                tokenizer, source, reference, target, word=words[0], attribute=attribute, **_prompt_settings(edit)
            )
    except (PromptError, WireError) as error:
        if getattr(error, "code", "") in ("objects_overlap", "too_many_objects"):
            field = "object"
        return [Problem(field, to_wire(error).code, str(error), word=_quoted(str(error)), hint=error.hint)]
    return []


def _prompt_settings(edit: Mapping[str, Any]) -> dict[str, Any]:
    """What the alignment takes beside the words. A setting that is wrong is told of elsewhere, and counts as given."""
    settings = edit.get("settings", {})
    prefix = "edit.emphasize."
    emphasized = {
        name.removeprefix(prefix): float(factor) if isinstance(factor, int | float) else 2.0
        for name, factor in settings.items()
        if name.startswith(prefix)
    }
    mode = settings.get("edit.mode", "auto")
    return {"emphasize": emphasized, "mode": mode if mode in ("auto", "replace", "refine") else "auto"}


def _installed(entry: CatalogueEntry, weights: Weights, problems: list[Problem], *, kind: str) -> Path | None:
    """The model's path; None, with a problem noted, when it can't be used."""
    if entry.role != "editor" and not (kind == "caption" and entry.role == "captioner"):
        message = f"“{entry.title}” can't edit pictures."
        problems.append(Problem("model", "unknown_model", message, hint="Choose an editing model."))
        return None
    try:
        path = weights.find(entry.id)
        return weights.find(weights.captioner(entry.id).id) if kind == "caption" else path
    except WireError as error:
        problems.append(Problem("model", error.code, error.message, hint=error.hint))
        return None


def _settings(edit: Mapping[str, Any], path: Path | None, problems: list[Problem], family: Family | None) -> Settings:
    """The job's settings; the profile's own, with a problem noted, when one is wrong."""
    try:
        settings = settings_for(edit, path)
        if edit.get("kind") == "compose":
            check_learning(settings)
        if family is not None:
            check_abilities(family, settings)
        return settings
    except S2EditError as error:
        problems.append(Problem("settings", "bad_setting", str(error), word=_quoted(str(error)), hint=error.hint))
    try:
        return settings_for({"profile": edit["profile"]}, path)
    except S2EditError:
        # What is recommended is itself wrong: the problem says so.
        return settings_for({"profile": edit["profile"]}, None)


def _tokenizer_of(path: Path | None) -> PromptTokenizer | None:
    if path is None:
        return None
    # A single file holds no tokenizer, and all families share CLIP's, which comes along with S²Edit.
    folder = path if path.is_dir() else SD1.config
    try:
        return _tokenizer(folder, (folder / "tokenizer").stat().st_mtime_ns)
    except (OSError, S2EditError):
        # The worker says what is wrong with the weights; here it only means that words can't be checked.
        return None


@lru_cache(maxsize=8)
def _tokenizer(path: Path, _changed: int) -> PromptTokenizer:
    return prompt_tokenizer(path)


def _words(prompt: str) -> list[str]:
    return [word for word in object_words(prompt) if len(word) <= MAX_WORD][:64]


def _quoted(message: str) -> str:
    """The first word that a message puts in quotation marks."""
    return message.split("“", 1)[1].split("”", 1)[0] if "“" in message else ""
