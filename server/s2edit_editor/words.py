"""Everything that is said about jobs: states, phases, times, sizes, forecasts; by editors, tray and command line.

Sizes are in the units that disks and downloads are sold in (SI: 1 GB = 10^9 bytes).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from s2edit_wire.knobs import Knob
from s2edit_wire.records import PHASES, PROFILES, EditRecord, ForecastRecord, JobRecord, PlanReply

from . import sentences
from .pixels import Box
from .text import _, language, translated
from .wish import MOST_VARIATIONS, Wish

_COMMA = frozenset({"de"})
"""Languages that write 3,4."""
_MINUTES, _HOURS = 90, 90 * 60
"""Seconds from which minutes and hours are said."""


def duration(seconds: float) -> str:
    """A time as people say it: `8 s`, `3 min`, `1 h 5 min`."""
    whole = max(0, round(seconds))
    if whole < _MINUTES:
        return _("{n} s", n=max(1, whole))
    if whole < _HOURS:
        return _("{n} min", n=round(whole / 60))
    return _("{hours} h {minutes} min", hours=whole // 3600, minutes=whole % 3600 // 60)


def size(count: float) -> str:
    """Bytes as people say them: `38 MB`, `3.4 GB`."""
    if count < 1e9:
        return _("{n} MB", n=max(1, round(count / 1e6)))
    return _("{n} GB", n=number(count / 1e9))


def number(value: float, decimals: int = 1) -> str:
    """A number with its decimals as the language in use writes it."""
    text = f"{value:.{decimals}f}"
    return text.replace(".", ",") if language() in _COMMA else text


def phase(name: str) -> str:
    """What the worker is doing; a newer daemon's phase keeps its name."""
    names = {
        "waiting": _("Waiting"),
        "loading": _("Loading the model"),
        "identity": _("Learning the object"),
        "inversion": _("Reading the picture"),
        "editing": _("Editing"),
        "compositing": _("Fitting it in"),
    }
    return names.get(name, name)


def fraction(job: JobRecord | Mapping[str, Any], now: float | None = None) -> float:
    """How far a job is, 0 to 1: by the time that it takes once an end is foreseen, else by its phases, alike.

    Args:
        job: its record, {} before the daemon has answered. now: seconds since 1970, None to go by phases.
    """
    if not job:
        return 0.0
    if now is not None and "eta" in job:
        gone = max(0.0, now - job.get("started", job["created"]))
        return min(1.0, gone / (gone + job["eta"])) if gone + job["eta"] else 0.0
    within = job["step"] / job["total"] if job["total"] else 0.0
    place = PHASES.index(job["phase"]) if job["phase"] in PHASES else 0
    return min(1.0, (place + min(1.0, within)) / len(PHASES))


def progress(job: JobRecord | Mapping[str, Any]) -> str:
    """What a running job does: `Editing 3/20 · about 8 s left`."""
    steps = f" {job['step']}/{job['total']}" if job["total"] else ""
    left = " · " + _("about {time} left", time=duration(job["eta"])) if "eta" in job else ""
    attempt = " · " + _("attempt {n}", n=job["attempt"]) if job.get("attempt", 1) > 1 else ""
    return phase(job["phase"]) + steps + left + attempt


def remark(job: JobRecord | Mapping[str, Any]) -> str:
    """What the daemon says of how a job ended, and what to do; "" for one that is as it should be."""
    return " ".join(part for part in (job.get("message", ""), job.get("hint", "")) if part)


def reason(job: JobRecord | Mapping[str, Any]) -> str:
    """Why a job has failed, and what to do."""
    return remark(job) or _("Failed")


def state(job: JobRecord | Mapping[str, Any]) -> str:
    """Where a job is, in one line."""
    name = job["state"]
    if name == "running":
        return progress(job)
    if name == "queued":
        return _("Number {n} in the queue", n=job["position"]) if job["position"] else _("Waiting")
    if name == "failed":
        return reason(job)
    if name == "done":
        return remark(job) or _("Done")
    return {"paused": _("On hold"), "cancelled": _("Cancelled")}.get(name, name)


def forecast(told: ForecastRecord) -> str:
    """How long an edit would take."""
    if told["cached"]:
        said = _("This picture is known: about {time}.", time=duration(told["next_s"]))
    else:
        first, following = duration(told["first_s"]), duration(told["next_s"])
        said = _("First edit: about {first}; each further one: about {next}.", first=first, next=following)
    return said if told["measured"] else f"{said} {_('(an estimate)')}"


def resolution(told: PlanReply) -> str:
    """How finely an edit can be drawn; "" where nothing was painted and it is as sharp as the picture."""
    if "resolution" not in told:
        return ""
    fine, (height, width) = told["resolution"], told["model_size"]
    said = ""
    if fine["size"] != [width, height]:
        shares = {"object": "×".join(map(str, fine["size"])), "whole": f"{width}×{height}"}
        if fine["framed"]:
            said = _("What is painted gets at least {object} of the model's {whole} pixels.", **shares)
        else:
            said = _("What is painted gets {object} of the model's {whole} pixels.", **shares)
    if fine["finest"] < 1.5:
        return said
    return f"{said} {_('The finest detail is about {count} px wide.', count=round(fine['finest']))}".strip()


def foreseen(plan: PlanReply) -> str:
    """What is said of an edit that could be sent: how long it would take, and how finely it can be drawn."""
    return "\n".join(filter(None, (forecast(plan["forecast"]), resolution(plan))))


def several(count: int) -> str:
    """What is said of so many variations; "" of a single edit."""
    if count > MOST_VARIATIONS:
        return _("At most {count} variations can be made at a time.", count=MOST_VARIATIONS)
    return _("{n} results; the object is learned once.", n=count) if count > 1 else ""


def part_sent(crop: Box, layer: Box) -> str:
    """How much of a layer is sent."""
    return _(
        "{width} × {height} of the layer's {layer_width} × {layer_height} pixels are sent.",
        width=crop.width,
        height=crop.height,
        layer_width=layer.width,
        layer_height=layer.height,
    )


def memory(told: ForecastRecord) -> str:
    """What an edit would need; "" where it isn't known how much there is."""
    if not told["memory_free"]:
        return ""
    return _("Needs {needed} of {free} free memory.", needed=size(told["memory"]), free=size(told["memory_free"]))


def profiles() -> dict[str, str]:
    """The profiles' titles by name, in the order in which they are offered."""
    titles = {
        "faithful": _("Faithful"),
        "balanced": _("Balanced"),
        "fast": _("Fast"),
        "instant": _("Instant (rough)"),
    }
    return {name: titles[name] for name in PROFILES}


def title(edit: EditRecord) -> str:
    """What a job and its layer are called: by the difference."""
    if edit["kind"] == "mask":
        return _("Automatic mask")
    if edit["kind"] == "caption":
        return _("Description")
    return sentences.title(edit["source"], edit.get("target", ""))


def unseen(wish: Wish) -> str:
    """The settings that are kept from an earlier edit though no form has a dial for them; "" without any."""
    kept = ", ".join(f"{name} = {value}" for name, value in wish.unseen.items())
    return _("As in the earlier edit: {settings}", settings=kept) if kept else ""


def knob_title(knob: Knob) -> str:
    """A setting's name beside its dial."""
    return translated(knob.title, language())


def knob_hint(knob: Knob) -> str:
    """What turning it does, in a sentence."""
    return translated(knob.hint, language())
