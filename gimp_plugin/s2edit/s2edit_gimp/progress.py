"""Where a job is, as a fraction and as words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from s2edit_wire.records import PHASES

from .text import _, duration

if TYPE_CHECKING:
    from .jobs import Job


def fraction(record: Mapping[str, Any]) -> float:
    """How far a job is, 0 to 1; phases count alike, since how long each takes differs from model to model."""
    if not record:
        return 0.0
    phase = PHASES.index(record["phase"])
    within = record["step"] / record["total"] if record["total"] else 0.0
    return float(min(1.0, (phase + min(1.0, within)) / len(PHASES)))


def phase_titles() -> dict[str, str]:
    """The phases as the painter reads them."""
    return {
        "waiting": _("Waiting"),
        "loading": _("Loading the model"),
        "identity": _("Learning the object"),
        "inversion": _("Reading the picture"),
        "editing": _("Editing"),
        "compositing": _("Fitting it in"),
    }


def status_line(job: Job) -> str:
    """One line about a job."""
    if job.trouble:
        return job.trouble
    if job.delivered:
        return _("Added as a new layer.")
    record = job.record
    if job.state == "sending":
        return _("Sending…")
    if job.state == "queued":
        return _("Number {position} in the queue").format(position=record["position"])
    if job.state == "running":
        return _running(record)
    failed = record.get("message") or _("Failed")
    return {
        "paused": _("Held"),
        "done": _("Finished; not in the picture yet."),
        "cancelled": _("Cancelled"),
        "failed": f"{failed} {record.get('hint', '')}".strip(),
    }[job.state]


def _running(record: Mapping[str, Any]) -> str:
    words = phase_titles()[record["phase"]]
    if record["total"]:
        words += _(", step {step} of {total}").format(step=record["step"], total=record["total"])
    if "eta" in record:
        words += _(", about {time} left").format(time=duration(record["eta"]))
    return words
