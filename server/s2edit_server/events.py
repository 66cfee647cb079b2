"""Who hears of changes: every event gets the next sequence number and goes to all subscribers who may know of it.

Numbers are of this start of the daemon (`boot` in `hello` tells a new one); subscribing again with the last number seen
yields every job that changed since, as it is now, and the event of every one that was removed since. Each user has
numbers of their own: a gap in them means a missed event, never that something happened to somebody else's job.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from s2edit_wire.auth import USERNAME
from s2edit_wire.frames import FrameRecord

from .envelope import Pixels

REMEMBERED = 200
"""Removals that a client can hear of afterwards; fewer than its queue holds messages."""

Send = Callable[[bytes, dict[str, Any], Sequence[Pixels]], None]


class Ledger:
    """What one user is told: sequence numbers and subscriptions.

    Args:
        send: takes (identity, header, frames) and never blocks.
        jobs: ids of all jobs that this user sees, in the order of their last change.
    """

    def __init__(self, send: Send, jobs: Iterable[str] = ()) -> None:
        self._send = send
        self.subscribers: dict[bytes, bool] = {}
        self._changed = {job: number for number, job in enumerate(jobs, 1)}
        self._removed: deque[tuple[int, str]] = deque(maxlen=REMEMBERED)
        self.seq = len(self._changed)

    def subscribe(self, identity: bytes, *, previews: bool, after: int = 0) -> None:
        """From now on, events go to this client; at once those of jobs removed since `after`, if it knew any then."""
        self.subscribers[identity] = previews
        for seq, job in self._removed:
            if 0 < after < seq:
                self._send(identity, {"op": "event", "seq": seq, "kind": "removed", "removed": job}, ())

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
        for identity, previews in list(self.subscribers.items()):
            if preview is not None and previews:
                self._send(identity, {**plain, "frames": [preview[0]]}, [preview[1]])
            else:
                self._send(identity, plain, ())

    def removed(self, job: str) -> None:
        """Tell that a job is gone."""
        self._changed.pop(job, None)
        self.state("removed", removed=job)
        self._removed.append((self.seq, job))

    def state(self, kind: str, **fields: object) -> None:
        """Tell of the queue (`queue`), a model (`model`) or the daemon (`status`)."""
        self.seq += 1
        for identity in list(self.subscribers):
            self._send(identity, {"op": "event", "seq": self.seq, "kind": kind, **fields}, ())


class Events:
    """All users' ledgers; the daemon's own user sees everybody's jobs.

    Args:
        send: takes (identity, header, frames) and never blocks.
        jobs: (id, owner) of all jobs, in the order of their last change.
    """

    def __init__(self, send: Send, jobs: Iterable[tuple[str, str]] = ()) -> None:
        self._send = send
        known = list(jobs)
        self._ledgers = {USERNAME: Ledger(send, [job for job, _ in known])}
        for owner in {owner for _, owner in known} - {USERNAME}:
            self._ledgers[owner] = Ledger(send, [job for job, other in known if other == owner])

    def of(self, viewer: str) -> Ledger:
        """What this user is told."""
        return self._ledgers.setdefault(viewer, Ledger(self._send))

    def unsubscribe(self, identity: bytes) -> None:
        """No more events for this client."""
        for ledger in self._ledgers.values():
            ledger.subscribers.pop(identity, None)

    def forget(self, viewer: str) -> None:
        """No more events for any client of this user's."""
        self.of(viewer).subscribers.clear()

    def job(self, owner: str, record: dict[str, Any], preview: tuple[FrameRecord, bytes] | None = None) -> None:
        """Give the job of this owner's the next numbers, and tell of it."""
        for ledger in self._told(owner):
            ledger.job({**record, "seq": ledger.touch(record["job"])}, preview)

    def removed(self, owner: str, job: str) -> None:
        """Tell that a job of this owner's is gone."""
        for ledger in self._told(owner):
            ledger.removed(job)

    def state(self, kind: str, **fields: object) -> None:
        """Tell everybody of what is everybody's."""
        for ledger in self._ledgers.values():
            ledger.state(kind, **fields)

    def listening(self) -> list[str]:
        """Users of whom somebody listens."""
        return [user for user, ledger in self._ledgers.items() if ledger.subscribers]

    def __bool__(self) -> bool:
        """Whether anybody listens."""
        return bool(self.listening())

    def _told(self, owner: str) -> list[Ledger]:
        return [self.of(USERNAME)] + ([self.of(owner)] if owner != USERNAME else [])
