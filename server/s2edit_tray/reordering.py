"""Moves of waiting jobs to other places in the queue, one after the other.

Where a job goes depends on where those before it went, but the daemon keeps only requests about one and the same job
in order. So a move is sent when the one before it has been answered, and what a key means is worked out then too: an
answer comes after the events that tell of the new places.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from s2edit_wire.errors import WireError

from .connection import Daemon
from .jobs_model import JobsModel

Moves = list[tuple[str, str]]
"""Job ids, and before which waiting job each goes ("" for the end of the queue)."""


class Reordering:
    """What is still to be moved, and the one move that is under way.

    Args:
        daemon: the line to the daemon.
        model: the jobs with their places.
    """

    def __init__(self, daemon: Daemon, model: JobsModel) -> None:
        self._daemon = daemon
        self._model = model
        self._wishes: deque[Callable[[], Moves]] = deque()
        self._moves: deque[tuple[str, str]] = deque()
        self._moving = False

    def put_before(self, job_ids: Sequence[str], before: str) -> None:
        """Put jobs, in this order, before another waiting one, or ("") at the end of the queue."""
        self._wish(lambda: [(job_id, before) for job_id in job_ids])

    def shift(self, job_ids: Sequence[str], *, up: bool) -> None:
        """Move waiting jobs by one place, together; those that do not wait any more stay out of it."""
        self._wish(lambda: shifted(self._model.waiting(), job_ids, up=up))

    def _wish(self, wish: Callable[[], Moves]) -> None:
        self._wishes.append(wish)
        if not self._moving:
            self._next()

    def _next(self) -> None:
        while self._wishes and not self._moves:
            self._moves.extend(self._wishes.popleft()())
        self._moving = bool(self._moves)
        if self._moving:
            job_id, before = self._moves.popleft()
            fields: dict[str, object] = {"job": job_id, "before": before} if before else {"job": job_id}
            self._daemon.ask("move", fields, lambda _header, _frames: self._next(), self._refused)

    def _refused(self, error: WireError) -> None:
        """Say so (a job may have begun meanwhile) and go on with the others."""
        self._daemon.failed.emit(error.message, error.hint)
        self._next()


def shifted(waiting: Sequence[str], job_ids: Sequence[str], *, up: bool) -> Moves:
    """The moves that bring jobs of a queue one place up or down; gaps between them close."""
    moved = [job_id for job_id in waiting if job_id in job_ids]
    if not moved:
        return []
    others = [job_id for job_id in waiting if job_id not in job_ids]
    # Counted among the others: how many of them come before the moved ones afterwards.
    ahead = max(0, waiting.index(moved[0]) - 1) if up else waiting.index(moved[-1]) + 2 - len(moved)
    before = others[ahead] if ahead < len(others) else ""
    return [(job_id, before) for job_id in moved]
