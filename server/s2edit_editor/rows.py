"""The list of jobs, once for both editors: what a row says, how far its bar is, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from s2edit_wire.records import ENDED, EditRecord

from . import words
from .delivery import source_of
from .desk import Desk
from .errand import Errand
from .host import Host
from .jobs import Job, sent_from
from .planning import can_retry
from .submission import known
from .text import _

CANCEL, APPLY, SHOW, AGAIN, START, RETRY, EDIT, REMOVE = (
    "cancel",
    "apply",
    "show",
    "again",
    "start",
    "retry",
    "edit",
    "remove",
)
"""What can be done with a job: stop it; make its layer, or choose the one that is there; the form with its values, or
with what its result shows; hand it in again as it is, or changed; take it off the list."""


@dataclass(frozen=True)
class Row:
    """One job as lists show it.

    Args:
        title: what changes; document: what the picture was called that it was sent from. tip: both sentences.
        said: where it is, in one line.
        part: how far it is, 0.0 to 1.0; None where no bar is shown.
        actions: what can be done with it, the likeliest first.
    """

    title: str
    document: str
    tip: str
    said: str
    part: float | None
    actions: tuple[str, ...]


class Question(NamedTuple):
    """What is asked before something is done that nothing brings back.

    Args:
        asked: the question. details: what would be lost.
        yes, no: what the two buttons say; a closed window means no.
    """

    asked: str
    details: str
    yes: str
    no: str


Ask = Callable[[Question, Callable[[], None]], None]
"""Asks, and acts after a yes."""


def before_removing(job: Job | None, *, there: bool) -> Question | None:
    """What to ask before a job is taken off the list; None where no result would be lost.

    Args:
        job: as the daemon has it; None where it has none.
        there: whether its result is a layer that can be seen now.
    """
    if job is None or job["state"] != "done" or job["acknowledged"] or there:
        return None
    details = _("It is in no saved picture yet, and nothing brings a deleted result back.")
    return Question(_("Delete the result “{title}”?", title=words.title(job["edit"])), details, _("Delete"), _("Keep"))


def remove(desk: Desk, job: str, ask: Ask) -> None:
    """Take a job off the list, where its result would be lost after a yes only.

    Args:
        ask: asks, and acts after a yes.
    """

    def go() -> None:
        if job in desk.book.all or job in desk.errands:  # not gone while the question stood there
            desk.remove(job)

    question = before_removing(desk.book.all.get(job), there=desk.is_layer(job))
    if question is None:
        go()
    else:
        ask(question, go)


def apply(desk: Desk, host: Host | None, job: str, *, choose: bool = False) -> None:
    """Make a job's layer, or choose the one that is there; the document in front may be the only one that knows it."""
    there = host.results().get(job) if host is not None else None
    if host is not None and there is not None:
        host.choose(there)
        desk.on_layer(job)
    else:
        desk.fetch(job, choose=choose)


def source(desk: Desk, host: Host, job: str, edit: EditRecord) -> str:
    """Mark of the layer that a job was about; "" when it is gone."""
    return source_of(host, known(host), edit, desk.pending(host, job))


def row(desk: Desk, job: str, *, there: bool = False) -> Row:
    """A job that the desk knows.

    Args:
        there: whether its result is a layer that can be seen now.
    """
    record = desk.book.all.get(job)
    coming = desk.is_coming(job) or (record is not None and record["state"] not in ENDED)
    return _row(desk.edit(job), record, desk.errands.get(job), there=there, coming=coming)


def kept_row(job: Job | Mapping[str, Any], *, there: bool) -> Row:
    """An edit that only its document remembers (its recipe as a job): the daemon has forgotten it."""
    return _row(job["edit"], None, None, there=there, coming=False)


def _row(edit: Mapping[str, Any], record: Job | None, errand: Errand | None, *, there: bool, coming: bool) -> Row:
    part = None if not coming else words.fraction(record or {}) if record is None or record["state"] != "done" else 1.0
    return Row(
        words.title(edit),  # type: ignore[arg-type]
        sent_from({"edit": edit}),
        " → ".join(filter(None, (edit["source"], edit.get("target", "")))),
        _said(record, errand, there=there),
        part,
        tuple(_actions(edit["kind"], record, errand, there=there)),
    )


def _said(record: Job | None, errand: Errand | None, *, there: bool) -> str:
    if errand is not None and errand.trouble:
        return errand.trouble
    if record is not None and record["state"] == "done" and (remark := words.remark(record)):
        return remark
    if there:
        return _("Added as a new layer.")
    if record is None:
        if errand is None:
            return _("Done")
        return _("Sending… {share} %", share=round(100 * errand.gone)) if 0 < errand.gone < 1 else _("Sending…")
    return _("Finished; not in the picture yet.") if record["state"] == "done" else words.state(record)


def _actions(kind: str, record: Job | None, errand: Errand | None, *, there: bool) -> list[str]:
    state = record["state"] if record is not None else "done" if errand is None else "failed" if errand.trouble else ""
    again = [AGAIN, START] if kind in ("edit", "compose") else []
    removable = [REMOVE] if record is not None or errand is not None else []
    if state == "done":
        result = [SHOW] if there else [APPLY] if record is not None else []
        return [*result, *again, *removable]
    if state not in ENDED:
        return [CANCEL]
    code = errand.code if errand is not None else ""
    code = code if record is None else record.get("error", code)
    return [*([RETRY] if can_retry(code) else []), EDIT, *removable]
