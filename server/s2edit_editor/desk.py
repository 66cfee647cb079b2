"""An editor's one link to the daemon, and all that follows from what the daemon says: once for both editors.

The truth about jobs is the daemon's (`jobs.Jobs` holds its newest words); here is what this run of the editor wants of
them. Views set the `on_…` callables and show what `book` and `errands` say.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

from s2edit_wire.client import Incoming, new_job_id
from s2edit_wire.errors import WireError
from s2edit_wire.loop import LoopAdapter
from s2edit_wire.records import ENDED, EditRecord

from . import notes, words
from .delivery import delivering, pictures_of
from .errand import Errand
from .host import Host
from .jobs import Job, Jobs
from .link import Answer, Requests, nothing
from .pixels import Picture
from .submission import Parcel
from .text import _
from .turns import in_turns

PROGRESS_S = 0.5
"""Seconds between two looks at how much of a picture has been sent."""
STROKE_S = 0.3
"""Seconds after which it is looked again whether the painter's hand is free."""


class Desk(Requests):
    """Requests, events and their consequences.

    Args:
        program: `gimp` or `krita`. version: the plug-in's.
        loop: the editor's event loop.
        home: the open document that a job's result belongs to; asked by the painter, also one that it can go to.
        free: whether a layer may be made now; not in the middle of a stroke.

    Attributes:
        book: what the daemon says of jobs. errands: what this run wants of them, by their ids.
        dismissed: jobs that are off the list, though the daemon keeps them until their layer is saved.
        previews: the newest small picture of each job.
        on_job: called with a job's id whenever something about it changed; on_removed: with one that is gone.
        on_layer: called with a job's id when its result is a layer. on_picture: when it has a new small picture.
        on_end: takes the id of a job of this run that has ended without becoming a layer by itself, and what to say.
    """

    def __init__(
        self,
        program: str,
        version: str,
        loop: LoopAdapter,
        home: Callable[[Job, bool], Host | None],
        free: Callable[[], bool] = lambda: True,
    ) -> None:
        self.book = Jobs()
        self.errands: dict[str, Errand] = {}
        self.dismissed: set[str] = set()
        self.previews: dict[str, Picture] = {}
        self.on_job: Callable[[str], None] = nothing
        self.on_removed: Callable[[str], None] = nothing
        self.on_layer: Callable[[str], None] = nothing
        self.on_picture: Callable[[str], None] = nothing
        self.on_end: Callable[[str, str], None] = nothing
        self._home, self._free = home, free
        self._unsent: deque[str] = deque()  # the first is on its way
        self._ticket = 0
        self._watching: object = None
        super().__init__(program, version, loop)

    # Jobs

    def submit(
        self,
        host: Host,
        parcel: Parcel,
        *,
        as_layer: bool = True,
        answer: Answer | None = None,
        sent: Callable[[], None] = nothing,
    ) -> str:
        """Hand a parcel in; returns the job's id. What comes of it is told by the `on_…` callables."""
        job = new_job_id()
        self.errands[job] = Errand(host, parcel, as_layer, answer, sent)
        self._line_up(job)
        return job

    def take(self, record: Job) -> None:
        """A job as the daemon now has it; a finished one's result is fetched at once when it is awaited."""
        job, known = record["job"], self.book.all.get(record["job"])
        if not self.book.take(record):
            return
        errand = self.errands.get(job)
        if errand is not None:
            if known is None or known["state"] != record["state"]:
                self._tell_end(record, errand)
            if record["state"] == "done" and not self.delivered(job) and errand.as_layer:
                self._finish(job)
        self.on_job(job)

    def cancel(self, job: str) -> None:
        """Stop a job; one that waits here to be sent is never sent."""
        errand = self.errands.get(job)
        if errand is not None and job in list(self._unsent)[1:]:
            self._unsent.remove(job)
            self._fail(job, WireError("cancelled", _("Cancelled")))
        else:
            self._do("cancel", job, self._heard)

    def retry(self, job: str) -> None:
        """Queue a failed or cancelled job again; its result becomes a layer by itself."""
        errand = self.errands.get(job)
        if errand is None:
            home = self._home(self.book.all[job], False)
            if home is not None:
                self.errands[job] = Errand(home, accepted=True)
        else:
            errand.trouble, errand.code, errand.as_layer = "", "", True
            if not errand.accepted:  # the daemon never had it
                self._line_up(job)
                return
        self._do("retry", job, self._heard)

    def remove(self, job: str) -> None:
        """Take an ended job off the list, and off the daemon unless its layer still waits to be saved."""
        errand = self.errands.get(job)
        if self.is_layer(job) or (errand is not None and not errand.accepted):
            self.errands.pop(job, None)
            self.dismissed.add(job)
            self.on_removed(job)
        else:
            self._do("remove", job, lambda *_: self.forget(job))

    def forget(self, job: str) -> None:
        """There is no such job any more."""
        self.book.forget(job)
        self.errands.pop(job, None)
        self.on_removed(job)

    @property
    def settled(self) -> bool:
        """Whether every result that was to become a layer is one."""
        return all(self.delivered(job) for job, errand in self.errands.items() if errand.answer is None)

    @property
    def busy(self) -> bool:
        """Whether anything is still to come by itself."""
        return any(self.is_coming(job) for job in self.errands)

    def is_coming(self, job: str) -> bool:
        """Whether something of this job is still to come by itself."""
        errand, record = self.errands.get(job), self.book.all.get(job)
        if errand is None or errand.trouble or self.delivered(job):
            return False
        return errand.fetching or record is None or record["state"] not in ENDED

    def delivered(self, job: str) -> bool:
        """Whether the result is in a document, put there by this run or another."""
        errand, record = self.errands.get(job), self.book.all.get(job)
        return bool(errand and errand.layer) or bool(record and record["acknowledged"])

    def is_layer(self, job: str) -> bool:
        """Whether the result is a layer that waits to be saved: this run's, or an earlier one's in its document."""
        errand, record = self.errands.get(job), self.book.all.get(job)
        if errand is not None and errand.layer:
            return True
        if record is None or record["state"] != "done" or record["acknowledged"]:
            return False
        host = self._home(record, False)
        return host is not None and job in host.results()

    def edit(self, job: str) -> EditRecord:
        """What was asked for."""
        errand, record = self.errands.get(job), self.book.all.get(job)
        if record is not None:
            return record["edit"]
        assert errand is not None and errand.parcel is not None, "a job is known by one of the two"
        return errand.parcel.edit

    def pending(self, host: Host, job: str) -> notes.Pending | None:
        """Where a job's picture came from, as far as this run or the document knows."""
        errand = self.errands.get(job)
        return errand.parcel.pending if errand is not None and errand.parcel is not None else notes.pending(host, job)

    def fetch(self, job: str, *, choose: bool = False) -> None:
        """Bring a finished job's result into its document, or into the one in front when that is closed.

        Args:
            choose: make the new layer the active one. A layer that is there already is made the active one.
        """
        record, errand = self.book.all.get(job), self.errands.get(job)
        if errand is not None and errand.fetching:
            return
        host = self._home(record, True) if record is not None else None
        if host is None:
            self._fail(job, _closed() if record is not None else _forgotten())
            return
        there = host.results().get(job)
        if there is not None and (errand is None or errand.answer is None):
            host.choose(there)
            self.on_layer(job)
            return
        errand = self.errands.setdefault(job, Errand(host, accepted=True))
        errand.host, errand.fetching, errand.trouble = host, True, ""
        self._do("result", job, lambda header, pictures: self._came(job, header, pictures, choose=choose))

    def home(self, job: str) -> Host | None:
        """The open document that a finished job's result would go to when the painter asks for it."""
        return self._home(self.book.all[job], True)

    def thumbnail(self, job: str) -> None:
        """Ask for a job's small picture, where there is a new one."""

        def came(_header: Mapping[str, Any], pictures: Mapping[str, Picture]) -> None:
            self._show(job, pictures.get("preview", pictures.get("image")))

        if self.book.wants_picture(job):
            self.request("thumbnail", {"job": job}, came, failed=nothing)

    def saved(self, host: Host) -> None:
        """A document is safe on disk: the daemon need not keep the results that are layers of it."""
        here = host.results()
        for job in here:
            if job in self.book.all:
                self.book.found_layer(job)
        for job in self.book.saved(here):
            self._acknowledge(job)

    # What the daemon says by itself

    def _state(self, state: str, message: str) -> None:
        if state == "ready":
            self.book.reconnected()
        super()._state(state, message)

    def _event(self, incoming: Incoming) -> None:
        super()._event(incoming)
        header = incoming.header
        if header["kind"] == "job":
            self._show(header["job"]["job"], pictures_of(header, incoming.frames).get("preview"))
            self.take(header["job"])
        elif header["kind"] == "removed":
            self.forget(header["removed"])

    # Consequences

    def _line_up(self, job: str) -> None:
        """Send jobs one after the other: of one client, the daemon takes few pictures at a time."""
        errand = self.errands[job]
        if errand.answer is None and errand.parcel is not None:
            notes.remember(errand.host, job, errand.parcel.pending)
        self._unsent.append(job)
        if len(self._unsent) == 1:
            self._send()
        self.on_job(job)

    def _send(self) -> None:
        job = self._unsent[0]
        parcel = self.errands[job].parcel
        assert parcel is not None
        self._ticket = self.session.request("submit", parcel.fields(job), parcel.frames, self._sent, self._not_sent)
        self._watching = self.loop.call_later(PROGRESS_S, self._watch)

    def _watch(self) -> None:
        """Tell how much of what is on its way has gone: over a slow line that takes minutes."""
        errand = self.errands.get(self._unsent[0])
        if errand is not None:
            errand.gone = self.session.sent(self._ticket)
            self.on_job(self._unsent[0])
        self._watching = self.loop.call_later(PROGRESS_S, self._watch)

    def _watch_no_more(self) -> None:
        if self._watching is not None:
            self.loop.remove(self._watching)
            self._watching = None

    def close(self) -> None:
        """Hang up."""
        self._watch_no_more()
        super().close()

    def _sent(self, incoming: Incoming) -> None:
        errand = self.errands.get(self._next())
        if errand is not None:
            errand.accepted = True
            if errand.parcel is not None:  # what the daemon has need not be held here, too
                errand.parcel = replace(errand.parcel, entries=[], frames=[])
            errand.sent()
        self.take(incoming.header["job"])

    def _not_sent(self, error: WireError) -> None:
        self._watch_no_more()
        if error.code == "busy":  # as many wait as may wait: there will be room
            self.loop.call_later(error.retry_after or 1.0, self._send)
            return
        job = self._next()
        errand = self.errands[job]
        if errand.answer is None and errand.host.is_open():
            notes.forget(errand.host, job)
        self._fail(job, error)

    def _next(self) -> str:
        """Send the next one; returns the one that was on its way."""
        self._watch_no_more()
        job = self._unsent.popleft()
        if self._unsent:
            self._send()
        return job

    def _tell_end(self, record: Job, errand: Errand) -> None:
        """Its row may be out of sight: nobody shall wait for it in vain."""
        if record["state"] == "failed":
            self.on_end(record["job"], words.reason(record))
        elif record["state"] == "cancelled":
            self.on_end(record["job"], _("Cancelled"))
        elif record["state"] == "done" and not errand.as_layer and errand.answer is None:
            self.on_end(record["job"], _("Done. The result waits in the list below."))

    def _finish(self, job: str) -> None:
        """A job that is waited for is done: fetch it, though never in the middle of a stroke."""
        errand = self.errands.get(job)
        if errand is None or errand.fetching:
            return
        if not self._free():
            self.loop.call_later(STROKE_S, lambda: self._finish(job))
        elif errand.answer is not None or self._home(self.book.all[job], False) is not None:
            self.fetch(job)

    def _came(self, job: str, header: Mapping[str, Any], pictures: Mapping[str, Picture], *, choose: bool) -> None:
        errand = self.errands.get(job)
        if errand is None:
            return
        errand.as_layer = False
        if errand.answer is not None:
            errand.fetching = False
            errand.answer(header, pictures)
            self._acknowledge(job)
            self.on_job(job)
            return
        sent = errand.parcel.picture if errand.parcel is not None else None
        work = delivering(errand.host, header["job"], header["record"], pictures, sent, choose=choose)

        def alive() -> bool:
            there = errand.host.is_open()
            if not there:  # the daemon keeps the result until the document is opened again
                self._fail(job, _closed())
            return there

        def made(layer: str) -> None:
            errand.fetching, errand.layer, errand.parcel = False, layer, None
            self.book.became_layer(job)
            self.on_layer(job)
            self.on_job(job)

        in_turns(self.loop, work, made, lambda error: self._fail(job, error), alive)

    def _acknowledge(self, job: str) -> None:
        """One that fails costs nothing: the result goes when it is old."""
        self.request("acknowledge", {"job": job}, self._heard, failed=nothing)

    def _do(self, op: str, job: str, done: Answer) -> None:
        self.request(op, {"job": job}, done, failed=lambda error: self._fail(job, error))

    def _heard(self, header: Mapping[str, Any], _pictures: object) -> None:
        if "job" in header:
            self.take(cast(Job, header["job"]))

    def _fail(self, job: str, error: WireError) -> None:
        errand = self.errands.get(job)
        if errand is not None:
            errand.fetching = False
            errand.trouble, errand.code = error.sentence, error.code
        self.on_trouble(error, job)
        self.on_job(job)

    def _show(self, job: str, picture: Picture | None) -> None:
        if picture is not None:
            self.previews[job] = picture
            self.on_picture(job)


def _forgotten() -> WireError:
    told = _("The layer is gone, and S²Edit no longer keeps this result.")
    return WireError("unknown_job", told, _("Choose “Again”, then “Edit”, to make it once more."))


def _closed() -> WireError:
    told = _("The picture is closed. Open it again: the result waits in the list of jobs.")
    return WireError("bad_image", told)
