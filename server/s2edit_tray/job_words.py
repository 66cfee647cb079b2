"""A job in words: what it is about, where it comes from, what is happening to it."""

from __future__ import annotations

from typing import Any

from .text import _, duration


def title(job: dict[str, Any]) -> str:
    """What the job is about, in one line: the target prompt, or the source where there is none."""
    edit = job["edit"]
    return str(edit.get("target") or edit.get("source") or edit["kind"])


def tool_tip(job: dict[str, Any]) -> str:
    """Both prompts and what is happening, whole: a card has room for less."""
    edit = job["edit"]
    prompts = " → ".join(str(edit[name]) for name in ("source", "reference_prompt", "target") if edit.get(name))
    return "\n".join(part for part in (prompts, state_line(job)) if part)


def headline(job: dict[str, Any]) -> str:
    """Where the job comes from and what it works with."""
    edit = job["edit"]
    document = edit.get("document", {})
    host = {"gimp": "GIMP", "krita": "Krita", "cli": _("Command line"), "tray": _("Tray")}.get(document.get("host", ""))
    parts = (host or _("Other program"), document.get("title"), document.get("layer"), edit["model"])
    return " · ".join(part for part in parts if part)


def state_line(job: dict[str, Any]) -> str:
    """What is happening to the job, in words."""
    state = job["state"]
    if state == "queued":
        return _("Waiting, number {place} in the queue", place=job["position"])
    if state == "paused":
        return _("On hold")
    if state == "done":
        took = job.get("finished", 0) - job.get("started", job["created"])
        return _("Done in {time}", time=duration(took)) + ("" if job["acknowledged"] else " · " + _("not fetched yet"))
    if state == "failed":
        return _("Failed: {why}", why=f"{job.get('message', '')} {job.get('hint', '')}".strip())
    if state == "cancelled":
        return _("Cancelled")
    steps = f" {job['step']}/{job['total']}" if job["total"] else ""
    left = " · " + _("about {time} left", time=duration(job["eta"])) if "eta" in job else ""
    attempt = " · " + _("attempt {number}", number=job["attempt"]) if job["attempt"] > 1 else ""
    return phase_name(job["phase"]) + steps + left + attempt


def phase_name(phase: str) -> str:
    """A phase in words."""
    names = {
        "waiting": _("Waiting"),
        "loading": _("Loading the model"),
        "identity": _("Learning the identity"),
        "inversion": _("Inverting the picture"),
        "editing": _("Editing"),
        "compositing": _("Putting it together"),
    }
    return names.get(phase, phase)
