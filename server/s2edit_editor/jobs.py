"""What an editor knows of its jobs: the daemon's newest word on each, and when a result may be forgotten there.

The truth about jobs is the daemon's. A result is acknowledged, and may then be dropped, only when it is a layer of a
document that is saved: a layer in an unsaved document is lost with a crash.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from s2edit_wire.records import ENDED, JobRecord

Job = JobRecord


class Jobs:
    """All jobs that were heard of.

    Attributes:
        all: the newest record of each, by id.
    """

    def __init__(self) -> None:
        self.all: dict[str, Job] = {}
        self._stale: set[str] = set()
        self._unsaved: set[str] = set()
        self._pictured: set[tuple[str, bool]] = set()

    def take(self, record: Job) -> bool:
        """A job as some answer or event has it; False for a word that a newer one has overtaken.

        Answers and events come by different ways, so a late answer may be older than what an event told.
        """
        name, known = record["job"], self.all.get(record["job"])
        if known is not None and name not in self._stale and known["seq"] > record["seq"]:
            return False
        self._stale.discard(name)
        self.all[name] = record
        return True

    def reconnected(self) -> None:
        """A daemon that was killed has forgotten its last numbers: what it says now is newer than all that is known."""
        self._stale = set(self.all)

    def forget(self, job: str) -> None:
        """The daemon has no such job any more."""
        self.all.pop(job, None)
        self._unsaved.discard(job)

    def became_layer(self, job: str) -> None:
        """Its result is a layer now, in a document that isn't saved yet."""
        self._unsaved.add(job)

    def found_layer(self, job: str) -> None:
        """A layer that an earlier run made of it was met."""
        known = self.all.get(job)
        if known is None or not known["acknowledged"]:
            self._unsaved.add(job)

    @property
    def unsaved(self) -> bool:
        """Whether any result waits for its document to be saved."""
        return bool(self._unsaved)

    def saved(self, layers: Collection[str]) -> list[str]:
        """A document was saved: those of its results, by their jobs, that the daemon is to be told of now, once.

        Args:
            layers: jobs whose result is a layer of that very document. What was undone, or is a layer of a copy of the
                document, is not in the file.
        """
        safe = sorted(self._unsaved.intersection(layers))
        self._unsaved.difference_update(safe)
        return safe

    def wants_picture(self, job: str) -> bool:
        """Whether the daemon is to be asked for a small picture of it: once while it waits (of what goes in), and once
        more when it has ended (of what came out)."""
        record = self.all.get(job)
        if record is None:
            return False
        key = (job, record["state"] in ENDED)
        if key in self._pictured:
            return False
        self._pictured.add(key)
        return True

    def unfinished(self) -> list[Job]:
        """All that have not ended, in the order of the queue."""
        waiting = [job for job in self.all.values() if job["state"] not in ENDED]
        return sorted(waiting, key=lambda job: (job["position"], job["created"]))


def waits(job: Job) -> bool:
    """Whether an edit's result is still to come into a picture."""
    return not job["acknowledged"] and job["edit"]["kind"] in ("edit", "compose")


def sent_from(job: Job | dict[str, Any]) -> str:
    """The document that a job came from, as people call it; "" when it didn't say."""
    return str(job["edit"].get("document", {}).get("title", ""))
