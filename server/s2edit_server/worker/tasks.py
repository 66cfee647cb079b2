"""The four kinds of job: each takes the order and the engine, and gives a record and the frames of its result."""

from __future__ import annotations

import platform
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

from s2edit_marks import watermark
from s2edit_wire.errors import WireError

from s2edit.requests import EditResult

from .. import worker_link as link
from . import frames
from .captions import captioner_for, propose
from .choices import settings_for
from .engines import Engines
from .reporting import Reporter
from .requests import compose_request, edit_request, read_inputs

Outcome = tuple[dict[str, Any], list[link.FrameFile]]
Task = Callable[[link.Run, Engines, Reporter], Outcome]
_PACKAGES = ("s2edit", "torch", "diffusers", "transformers")


def _edit(run: link.Run, engines: Engines, report: Reporter) -> Outcome:
    request = edit_request(run, read_inputs(run.frames))
    engine = engines.get(run)
    return _keep(engine.edit(request, progress=report, cancelled=report.cancelled), run)


def _compose(run: link.Run, engines: Engines, report: Reporter) -> Outcome:
    request = compose_request(run, read_inputs(run.frames))
    engine = engines.get(run)
    return _keep(engine.compose(request, progress=report, cancelled=report.cancelled), run)


def _mask(run: link.Run, engines: Engines, report: Reporter) -> Outcome:
    inputs = read_inputs(run.frames)
    if not run.edit["objects"]:
        raise WireError("bad_prompt", "There is no word to make a mask for.", "Type the word that names the object.")
    engine = engines.get(run)
    report.step("editing")
    settings = settings_for(run.edit, Path(run.model.path))
    mask = engine.automatic_mask(inputs.image, run.edit["source"], run.edit["objects"][0]["word"], settings)
    return {}, [frames.write(Path(run.out), "mask", mask)]


def _caption(run: link.Run, engines: Engines, report: Reporter) -> Outcome:
    picture = frames.to_rgb8(read_inputs(run.frames).image)
    if report.cancelled():
        raise WireError("cancelled", "The job was cancelled.")
    captioner = captioner_for(run.model, engines.state)
    return {"caption": propose(captioner, picture, engines.threads(run), run.device)}, []


TASKS: dict[str, Task] = {"edit": _edit, "compose": _compose, "mask": _mask, "caption": _caption}
"""By the wire's job kind."""


def _keep(result: EditResult, run: link.Run) -> Outcome:
    patch, watermark = _watermarked(result, wanted=run.edit.get("watermark", True))
    pixels = {"patch": patch, "alpha": result.alpha, "mask": result.object_mask}
    record = {**result.record, "box": list(result.box), "watermark": watermark}
    return record, [frames.write(Path(run.out), role, samples) for role, samples in pixels.items()]


def _watermarked(result: EditResult, *, wanted: bool) -> tuple[Any, dict[str, Any]]:
    """The patch with the mark in it, and what the record says of it."""
    if not wanted:
        return result.patch, {"carried": False, "why": "switched off"}
    patch, score = watermark.embed(result.patch, result.alpha)
    carried = score >= watermark.SELF_CHECK
    pixels = int((result.alpha > 0).sum())
    told = {"carried": carried, "score": round(score, 1), "pixels": pixels}
    why = f"the edit, of {pixels:,} pixels, is too small or too faint to carry one"
    return patch, told if carried else {**told, "why": why}


def provenance(run: link.Run, device: str, seconds: float) -> dict[str, Any]:
    """What a result's record says besides the method's own entries: enough to do the very same again.

    Digests are SHA-256 of the frames as they were sent, so a client can tell which picture and masks were meant.
    """
    digests = {_frame_name(frame): frame.sha256 for frame in run.frames}
    return {
        "job": run.job,
        "attempt": run.attempt,
        "kind": run.edit["kind"],
        "model": run.model.id,
        "profile": run.edit["profile"],
        "seed": run.edit["seed"],
        "lower_memory": run.lower,
        "inputs": digests,
        "seconds": round(seconds, 3),
        "device": device,
        "versions": {"python": platform.python_version()} | {name: metadata.version(name) for name in _PACKAGES},
    }


def _frame_name(frame: link.FrameFile) -> str:
    return f"{frame.role}.{frame.index}" if frame.role == "object_mask" or frame.index else frame.role
