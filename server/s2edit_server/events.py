"""Who hears of changes: every event gets the next sequence number and goes to all subscribers.

Numbers are of this start of the daemon (`boot` in `hello` tells a new one); subscribing again with the last number seen
yields every job that changed since, as it is now, and the event of every one that was removed since.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from s2edit_wire.frames import FrameRecord

from .envelope import Pixels

REMEMBERED = 200
"""Removals that a client can hear of afterwards; fewer than its queue holds messages."""

Send = Callable[[bytes, dict[str, Any], Sequence[Pixels]], None]


class Events:
    """Sequence numbers and subscriptions.

    Args:
        send: takes (identity, header, frames) and never blocks.
        jobs: ids of all jobs, in the order of their last change.
    """

    def __init__(self, send: Send, jobs: Iterable[str] = ()) -> None:
        self._send = send
        self._subscribers: dict[bytes, bool] = {}
        self._changed = {job: number for number, job in enumerate(jobs, 1)}
        self._removed: deque[tuple[int, str]] = deque(maxlen=REMEMBERED)
        self.seq = len(self._changed)

    def subscribe(self, identity: bytes, *, previews: bool, after: int = 0) -> None:
        """From now on, events go to this client; at once those of jobs removed since `after`, if it knew any then."""
        self._subscribers[identity] = previews
        for seq, job in self._removed:
            if 0 < after < seq:
                self._send(identity, {"op": "event", "seq": seq, "kind": "removed", "removed": job}, ())

    def unsubscribe(self, identity: bytes) -> None:
        """No more events for this client."""
        self._subscribers.pop(identity, None)

    def of(self, job: str) -> int:
        """Number of the job's last change."""
        return self._changed.get(job, 0)

    def since(self, after: int) -> list[str]:
        """Jobs that changed after this number, newest first."""
        found = []
        # `_changed` is in the order of changes, since `touch` moves a job to the end.
        for job in reversed(self._changed):
            if self._changed[job] <= after:
                break
            found.append(job)
        return found

    def touch(self, job: str) -> int:
        """Give the job the next number."""
        self.seq += 1
        self._changed.pop(job, None)
        self._changed[job] = self.seq
        return self.seq

    def job(self, record: dict[str, Any], preview: tuple[FrameRecord, bytes] | None = None) -> None:
        """Tell of a job whose record carries the number that `touch` gave; `preview` only to those who want it."""
        plain = {"op": "event", "kind": "job", "seq": record["seq"], "job": record}
        for identity, previews in list(self._subscribers.items()):
            if preview is not None and previews:
                self._send(identity, {**plain, "frames": [preview[0]]}, [preview[1]])
            else:
                self._send(identity, plain, ())

    def removed(self, job: str) -> None:
        """Tell that a job is gone."""
        self._changed.pop(job, None)
        self._broadcast({"kind": "removed", "removed": job})
        self._removed.append((self.seq, job))

    def state(self, kind: str, **fields: object) -> None:
        """Tell of the queue (`queue`), a model (`model`) or the daemon (`status`)."""
        self._broadcast({"kind": kind, **fields})

    def __bool__(self) -> bool:
        """Whether anybody listens."""
        return bool(self._subscribers)

    def _broadcast(self, fields: dict[str, object]) -> None:
        self.seq += 1
        for identity in list(self._subscribers):
            self._send(identity, {"op": "event", "seq": self.seq, **fields}, ())
