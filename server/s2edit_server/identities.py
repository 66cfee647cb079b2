"""What an identity depends on, as the daemon knows it without torch: so that a job can go where its identity lies.

The digest need not be the worker's own key (`s2edit.stages.identity_key`), only change whenever that does: jobs that
share it share an identity, and one too many costs a first edit's time, no more.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import jobs
from .placement import QueuedJob

REMEMBERED = 20_000
"""Waiting jobs whose digest is kept in memory."""


def digest(edit: Mapping[str, Any], frames: Sequence[jobs.StoredFrame]) -> str:
    """Digest of all that the identity and inversion of this `EDIT` with these input frames depend on; "" for none."""
    if edit["kind"] not in {"edit", "compose"}:
        return ""
    settings = edit.get("settings", {}).items()
    learned = sorted([name, value] for name, value in settings if name.startswith(("identity.", "inversion.")))
    pictures = [
        [frame.entry["role"], frame.entry.get("index", 0), frame.sha256]
        for frame in frames
        if frame.entry["role"] != "edit_mask"
    ]
    parts = [
        *(edit[name] for name in ("kind", "model", "profile", "source", "objects", "seed")),
        edit.get("reference_prompt", ""),
        learned,
        pictures,
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Known:
    """What placement and forecasts need of a job: kind and profile say with `job.model` how long such jobs take."""

    job: QueuedJob
    kind: str
    profile: str


class Register:
    """Knows jobs by id: an edit never changes, and to take each apart at every look at the queue costs too much."""

    def __init__(self) -> None:
        self._known: dict[str, Known] = {}

    def get(self, db: sqlite3.Connection, job: str) -> Known:
        """The job, which must be there; one whose edit can't be read is known by its id alone."""
        found = self._known.get(job)
        if found is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            row = jobs.get(db, job)
            try:
                edit = json.loads(row["edit"])
                holds = digest(edit, jobs.frames(db, job, "in"))
                named = QueuedJob(job, row["owner"], row["created"], edit["model"], holds)
                found = Known(named, edit["kind"], edit["profile"])
            except (ValueError, KeyError, TypeError):
                found = Known(QueuedJob(job, row["owner"], row["created"]), "", "")
            self._known[job] = found
        return found

    def waiting(self, db: sqlite3.Connection) -> list[QueuedJob]:
        """All queued jobs in the queue's order."""
        rows = db.execute("SELECT id FROM jobs WHERE state = 'queued' ORDER BY rank").fetchall()
        return [self.get(db, row["id"]).job for row in rows]
