"""A job in words: what it is about, where it comes from, what is happening to it."""

from __future__ import annotations

from typing import Any

from s2edit_editor import words

from .text import _, duration, language, moment

LITTLE = 0.05
"""What `progress` is at the beginning: enough to be seen."""


def title(job: dict[str, Any]) -> str:
    """What the job is about, in one line: the target prompt, or the source where there is none."""
    edit = job["edit"]
    return str(edit.get("target") or edit.get("source") or edit["kind"])


def tool_tip(job: dict[str, Any]) -> str:
    """Both prompts and what is happening, whole: a card has room for less."""
    edit = job["edit"]
    prompts = " → ".join(str(edit[name]) for name in ("source", "reference_prompt", "target") if edit.get(name))
    return "\n".join(part for part in (prompts, state_line(job)) if part)


def origin(job: dict[str, Any]) -> str:
    """What the picture shows before the edit, where that isn't the title already."""
    source = str(job["edit"].get("source", ""))
    return _("before: {prompt}", prompt=source) if source and source != title(job) else ""


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
    if state == "done":
        ended = job.get("finished", job["created"])
        took = _("Done in {time}", time=duration(ended - job.get("started", job["created"])))
        parts = (took, moment(ended), "" if job["acknowledged"] else _("not fetched yet"), words.remark(job))
        return " · ".join(part for part in parts if part)
    language()
    return _("Failed: {why}", why=words.reason(job)) if state == "failed" else words.state(job)


def progress(job: dict[str, Any], now: float) -> float:
    """How much of the time that a running job takes is over: 0.0 to 1.0.

    Its steps count anew in every phase; the ring would be full once for each. Little as long as no end is foreseen.

    Args:
        job: its record.
        now: seconds since 1970.
    """
    return max(LITTLE, words.fraction(job, now)) if "eta" in job else LITTLE
