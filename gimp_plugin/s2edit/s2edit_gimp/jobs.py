"""The jobs that one run of the plug-in looks after: handed in, followed, and turned into layers when they are done."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, cast

from gi.repository import GLib
from s2edit_editor.delivery import deliver, pictures_of
from s2edit_editor.jobs import Jobs as Book
from s2edit_editor.notes import remember
from s2edit_editor.pixels import Picture
from s2edit_editor.submission import Parcel
from s2edit_editor.text import _, language
from s2edit_wire.client import Client, Incoming, new_job_id
from s2edit_wire.errors import WireError
from s2edit_wire.records import ENDED, EditRecord, JobRecord, ModelRecord
from s2edit_wire.session import Session

from . import VERSION
from .host import GimpHost
from .session_glib import GLibLoop

LOOK_S = 2
"""Seconds between looks whether the picture was saved, while a result waits for that."""
MOST_LISTED = 50


@dataclass
class Job:
    """One job as the windows show it.

    Args:
        id: the client-made id.
        record: the daemon's last word on it (`records.JOB`), empty until it has answered.
        shot: what was handed in; None for a job of an earlier run.
        automatic: whether the result becomes a layer by itself.
        preview: the newest small picture.
        layer: the result layer's mark, once there is one.
        trouble: what went wrong here, as a sentence; code: the error's, "" without one.
        on_result: takes the answer to `result` instead of a layer being made.
        fetching: whether the result is on its way.
        on_trouble: takes the sentence when it fails, for jobs with `on_result`.
    """

    id: str
    record: dict[str, Any] = field(default_factory=dict)
    shot: Parcel | None = None
    automatic: bool = True
    preview: Picture | None = None
    layer: str = ""
    trouble: str = ""
    code: str = ""
    on_result: Callable[[Incoming], None] | None = None
    fetching: bool = False
    on_trouble: Callable[[str], None] | None = None

    @property
    def state(self) -> str:
        """The daemon's state of it; `sending` before the daemon has answered."""
        return str(self.record.get("state", "failed" if self.trouble else "sending"))

    @property
    def delivered(self) -> bool:
        """Whether the result is in a picture, put there by this run or another."""
        return bool(self.layer) or bool(self.record.get("acknowledged"))

    @property
    def active(self) -> bool:
        """Whether something is still to come by itself."""
        if self.trouble or self.delivered or (self.shot is None and not self.fetching):
            return False
        return self.state not in ENDED or (self.state == "done" and self.fetching)

    @property
    def edit(self) -> EditRecord:
        """What was asked for."""
        return self.shot.edit if self.shot is not None else cast(EditRecord, self.record.get("edit", {}))


class Jobs:
    """All of them, over one lasting connection.

    Args:
        host: the picture that results go to.

    Attributes:
        on_change: called with a job whenever something about it changed; on_gone: with one that was dismissed.
        on_state: called with the connection's state and a sentence.
        on_model: called with a model's record when it changed.
        listing: whether jobs of other runs are shown, too.
    """

    def __init__(self, host: GimpHost) -> None:
        self.host = host
        self.all: dict[str, Job] = {}
        self._book = Book()
        self._watching = False
        self._unsent: deque[Job] = deque()  # the first is on its way
        self.listing = False
        self.on_change: Callable[[Job], None] = lambda _job: None
        self.on_gone: Callable[[Job], None] = lambda _job: None
        self.on_state: Callable[[str, str], None] = lambda _state, _message: None
        self.on_model: Callable[[ModelRecord], None] = lambda _model: None
        self.session = Session(
            lambda: Client("gimp", VERSION),
            GLibLoop(),
            on_event=self._on_event,
            on_state=self._on_state,
            language=language(),
        )
        self.session.start()

    @property
    def settled(self) -> bool:
        """Whether every job's result is in the picture."""
        return all(job.delivered for job in self.all.values() if job.on_result is None)

    @property
    def active(self) -> bool:
        """Whether any job still has something to come."""
        return any(job.active for job in self.all.values())

    def submit(
        self,
        shot: Parcel,
        *,
        automatic: bool = True,
        on_result: Callable[[Incoming], None] | None = None,
    ) -> Job:
        """Hand a snapshot in; the answer and everything after it comes through `on_change`."""
        job = Job(new_job_id(), shot=shot, automatic=automatic, on_result=on_result)
        self.all[job.id] = job
        if on_result is None:
            remember(self.host, job.id, shot.pending)
        self._line_up(job)
        self.on_change(job)
        return job

    def watch_saving(self) -> None:
        """Tell the daemon of results once their picture is saved; GIMP itself tells plug-ins nothing of that."""
        if self._look_whether_saved() and not self._watching:
            self._watching = True
            GLib.timeout_add_seconds(LOOK_S, self._look_whether_saved)

    def _look_whether_saved(self) -> bool:
        image = self.host.image
        if image.is_valid() and not image.is_dirty() and image.get_xcf_file() is not None:
            for name in self._book.saved(self.host.results()):
                self.session.request("acknowledge", {"job": name}, (), self._acknowledged)
        self._watching = self._watching and self._book.unsaved
        return self._book.unsaved

    def _acknowledged(self, answer: Incoming) -> None:
        job = self.all.get(answer.header["job"]["job"])
        if job is not None:
            self._update(job, answer.header["job"])

    def _meet_layers(self, answer: Incoming) -> None:
        """Results that an earlier run made layers of, and that were saved since."""
        here = self.host.results()
        for record in answer.header["jobs"]:
            if record["job"] in here and not record["acknowledged"]:
                self._book.found_layer(record["job"])
        self.watch_saving()

    def ask_waiting(self) -> None:
        """Look for edits of this picture, or from GIMP at all, whose result nobody has taken yet."""
        self.listing = True
        self.session.request("list", {"host": "gimp", "limit": MOST_LISTED}, on_reply=self._listed)

    def act(self, job: Job, op: str) -> None:
        """`cancel`, `retry` or `remove` it."""
        if op == "retry":
            job.trouble, job.automatic = "", True
            if not job.record and job.shot is not None:  # the daemon never had it
                self._line_up(job)
                self.on_change(job)
                return
        if op == "cancel" and job in list(self._unsent)[1:]:
            self._unsent.remove(job)
            job.trouble = _("Cancelled")
            self.on_change(job)
            return
        self.session.request(op, {"job": job.id}, (), lambda answer: self._heard(job, answer), self._refused(job))

    def dismiss(self, job: Job) -> None:
        """Remove an ended job from the list, and from the daemon unless its layer still waits to be saved."""

        def gone(_answer: object = None) -> None:
            self.all.pop(job.id, None)
            self.on_gone(job)

        if job.layer or not job.record:
            gone()
        else:
            self.session.request("remove", {"job": job.id}, (), gone, self._refused(job))

    def fetch(self, job: Job) -> None:
        """Get a finished job's result and make its layer."""
        if job.fetching or job.delivered:
            return
        job.fetching, job.trouble = True, ""
        self.session.request(
            "result", {"job": job.id}, (), lambda answer: self._deliver(job, answer), self._refused(job)
        )

    def thumbnail(self, job: Job) -> None:
        """Get a small picture of a finished job's result as its preview."""
        self.session.request("thumbnail", {"job": job.id}, (), lambda answer: self._pictured(job, answer), None)

    def close(self) -> None:
        """Hang up; the daemon goes on."""
        self.session.close()

    def waiting(self) -> Iterable[Job]:
        """Finished jobs whose result is not in the picture."""
        return [job for job in self.all.values() if job.state == "done" and not job.delivered and not job.fetching]

    def _line_up(self, job: Job) -> None:
        """Send jobs one after the other: of one client, the daemon takes few pictures at a time."""
        self._unsent.append(job)
        if len(self._unsent) == 1:
            self._send()

    def _send(self) -> bool:
        job = self._unsent[0]
        assert job.shot is not None
        self.session.request("submit", job.shot.fields(job.id), job.shot.frames, self._sent, self._not_sent)
        return bool(GLib.SOURCE_REMOVE)

    def _sent(self, answer: Incoming) -> None:
        self._heard(self._next(), answer)

    def _not_sent(self, error: WireError) -> None:
        if error.code == "busy":  # as many wait as may wait: there will be room
            GLib.timeout_add(round(1000 * (error.retry_after or 1.0)), self._send)
        else:
            self._refused(self._next())(error)

    def _next(self) -> Job:
        """Send the next one; returns the one that was on its way."""
        job = self._unsent.popleft()
        if self._unsent:
            self._send()
        return job

    def _on_state(self, state: str, message: str) -> None:
        if state == "ready":
            self._book.reconnected()
            if self.host.results():
                self.session.request("list", {"host": "gimp", "limit": MOST_LISTED}, on_reply=self._meet_layers)
        self.on_state(state, message)

    def _on_event(self, event: Incoming) -> None:
        if event.header["kind"] == "model":
            self.on_model(event.header["model"])
        if event.header["kind"] != "job":
            return
        record = event.header["job"]
        job = self.all.get(record["job"])
        if job is None:
            ours = record["edit"].get("document", {}).get("ref") == self.host.ref("")
            if self.listing and ours and not record["acknowledged"]:
                self._found(record)
            return
        pictures = pictures_of(event.header, event.frames)
        job.preview = pictures.get("preview", job.preview)
        self._update(job, record)

    def _heard(self, job: Job, answer: Incoming) -> None:
        if "job" in answer.header:
            self._update(job, answer.header["job"])

    def _update(self, job: Job, record: JobRecord) -> None:
        """Take over a newer record; a finished job's result is fetched at once when it is awaited."""
        if not self._book.take(record):
            return
        job.record = dict(record)
        if record["state"] == "done" and not job.delivered:
            if job.automatic:
                self.fetch(job)
            elif job.shot is not None and not job.fetching:
                self.thumbnail(job)
        if record["state"] in ("failed", "cancelled") and job.on_trouble is not None:
            job.on_trouble(f"{record.get('message', '')} {record.get('hint', '')}".strip())
        self.on_change(job)

    def _listed(self, answer: Incoming) -> None:
        for record in answer.header["jobs"]:
            known = record["job"] in self.all
            if not known and not record["acknowledged"] and record["edit"]["kind"] in ("edit", "compose"):
                self._found(record)

    def _found(self, record: dict[str, Any]) -> None:
        """A job of an earlier run, or of another window; one whose result is a layer here waits for nothing but to be
        saved."""
        if record["job"] in self.host.results():
            return
        job = Job(record["job"], record, automatic=False)
        self.all[job.id] = job
        if job.state == "done":
            self.thumbnail(job)
        self.on_change(job)

    def _pictured(self, job: Job, answer: Incoming) -> None:
        pictures = pictures_of(answer.header, answer.frames)
        job.preview = pictures.get("preview", pictures.get("image", job.preview))
        self.on_change(job)

    def _deliver(self, job: Job, answer: Incoming) -> None:
        job.fetching = False
        try:
            if job.on_result is not None:
                job.on_result(answer)
            elif not self.host.is_open():
                # The picture was closed: the daemon keeps the result until it is opened again.
                job.trouble = _("The picture is closed. Open it again and choose “S²Edit Jobs” to fetch the result.")
                self.on_change(job)
                return
            else:
                sent = job.shot.picture if job.shot is not None else None
                header, pictures = answer.header, pictures_of(answer.header, answer.frames)
                job.layer = deliver(self.host, header["job"], header["record"], pictures, sent)
        except (WireError, OSError) as error:
            job.trouble = str(error)
        else:
            if job.on_result is None:
                self._book.became_layer(job.id)
                self.watch_saving()
            else:
                self.session.request("acknowledge", {"job": job.id}, (), lambda again: self._heard(job, again), None)
        job.automatic = False
        self.on_change(job)

    def _refused(self, job: Job) -> Callable[[WireError], None]:
        def refused(error: WireError) -> None:
            job.fetching = False
            job.trouble, job.code = f"{error.message} {error.hint}".strip(), error.code
            if job.on_trouble is not None:
                job.on_trouble(job.trouble)
            self.on_change(job)

        return refused
