"""Which jobs a painter sees, in an editor whose list shows all of the daemon's: what runs, was made, and waits."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from s2edit_wire.records import ENDED

from . import notes
from .desk import Desk
from .host import Host
from .jobs import waits

MOST_OTHERS = 8
"""Results from elsewhere that are shown, the newest ones."""


class Lists(NamedTuple):
    """Jobs by their ids.

    Args:
        queue: those of everybody that have not ended, as they come; then this run's that the daemon does not have yet,
            or has refused.
        history: the ended ones of the document in front, newest first; then those that only that remembers.
        others: finished edits from elsewhere that wait to be put into a picture, newest first.
        kept: of those that only the document remembers, what it remembers.
    """

    queue: list[str]
    history: list[str]
    others: list[str]
    kept: Mapping[str, Mapping[str, Any]]


def _none(_known: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
    return {}


def lists(
    desk: Desk, host: Host | None, forgotten: Callable[[Collection[str]], Mapping[str, Mapping[str, Any]]] = _none
) -> Lists:
    """What to show beside a document; None where none is open.

    Args:
        forgotten: tells the edits of the document that are none of these jobs (`kept.Kept.forgotten`).
    """
    book = desk.book
    queue = [record["job"] for record in book.unfinished()] + [job for job in desk.errands if job not in book.all]
    ours = {*notes.jobs(host), *host.results()} if host is not None else set()
    if host is not None:  # what was sent and not saved since is known by the document's own mark alone
        refs = {job: record["edit"].get("document", {}).get("ref", "") for job, record in book.all.items()}
        ours |= {job for job, ref in refs.items() if host.knows(ref)}
    ended = [record for job, record in book.all.items() if record["state"] in ENDED and job not in desk.dismissed]
    ended.sort(key=lambda record: record["created"], reverse=True)
    history = [record["job"] for record in ended if record["job"] in ours and record["edit"]["kind"] != "caption"]
    others = [
        record["job"] for record in ended if record["job"] not in ours and record["state"] == "done" and waits(record)
    ]
    kept = forgotten({*book.all, *desk.errands} - desk.dismissed)
    return Lists(queue, [*history, *(job for job in kept if job not in history)], others[:MOST_OTHERS], kept)


def waits_for(desk: Desk, host: Host, job: str) -> bool:
    """Whether an edit of an earlier run of this editor, or of another window, is still to come into a picture."""
    record = desk.book.all.get(job)
    if record is None or not waits(record):
        return False
    ours = record["edit"].get("document", {}).get("host") == host.program()
    return ours and not (host.is_open() and job in host.results())
