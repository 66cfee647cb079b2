"""The plug-in's one link to the daemon, and what it knows of jobs and models. Widgets listen to its signals.

The truth about jobs is the daemon's; nothing here has to be saved.
"""
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from krita import Krita
from s2edit_editor.jobs import Job, Jobs
from s2edit_editor.models import default_model
from s2edit_editor.text import _ as tr
from s2edit_editor.text import language
from s2edit_wire.client import Client
from s2edit_wire.errors import WireError
from s2edit_wire.records import ModelRecord
from s2edit_wire.session import Session

from . import VERSION, applying, history, marking
from .pictures import image_of_frame
from .qt import QApplication, QObject, Qt, QTimer, pyqtSignal
from .session_qt import QtLoop
from .submitting import split_reference

Reply: TypeAlias = Callable[[dict[str, Any], list[Any]], None]
KritaDocument: TypeAlias = Any

_STROKE_WAIT_MS = 300
_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 5.0
_MOST_TRIES = 60


class Desk(QObject):
    """Requests, events and their consequences.

    Attributes:
        arriving: jobs whose result is being put in.

    Signals:
        job_changed(job id), job_removed(job id), preview_came(job id, QImage), thumbnail_came(job id, QImage),
        layer_added(job id), link_changed(state, sentence), models_changed(), default_told(model id),
        complained(sentence, hint), said(sentence), captioned(text), reused(Wish).
    """

    job_changed = pyqtSignal(str)
    job_removed = pyqtSignal(str)
    preview_came = pyqtSignal(str, object)
    thumbnail_came = pyqtSignal(str, object)
    layer_added = pyqtSignal(str)
    link_changed = pyqtSignal(str, str)
    models_changed = pyqtSignal()
    default_told = pyqtSignal(str)
    complained = pyqtSignal(str, str)
    said = pyqtSignal(str)
    captioned = pyqtSignal(str)
    reused = pyqtSignal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._book = Jobs()
        self.models: dict[str, ModelRecord] = {}
        self.link = "lost"
        self._expected: set[str] = set()
        self.arriving: set[str] = set()
        self._sent_here: set[str] = set()
        self._session: Session | None = None
        Krita.instance().notifier().setActive(True)
        Krita.instance().notifier().imageSaved.connect(self._saved)
        self._marks = marking.Keeper(self, self.complain)

    @property
    def jobs(self) -> dict[str, Job]:
        """All jobs that were heard of, by id."""
        return self._book.all

    def open(self) -> None:
        """Connect, and start the daemon where none runs; harmless when that has been done."""
        if self._session is None:
            self._session = Session(
                lambda: Client("krita", VERSION),
                QtLoop(self),
                on_event=self._event,
                on_state=self._state,
                previews=True,
                language=language(),
            )
            self._session.start()

    def request(
        self,
        op: str,
        fields: Mapping[str, object],
        done: Reply,
        frames: Sequence[bytes | bytearray | memoryview] = (),
        failed: Callable[[WireError], None] | None = None,
    ) -> None:
        """Send a request; `done` gets the reply's fields and frames, `failed` (else `complained`) the error.

        A daemon that is busy is asked again when it said to: of several variations, two travel at a time.
        """
        self.open()
        session, left = self._session, _MOST_TRIES
        assert session is not None

        def send() -> None:
            session.request(op, fields, frames, lambda incoming: done(incoming.header, incoming.frames), trouble)

        def trouble(error: WireError) -> None:
            nonlocal left
            left -= 1
            if error.code == "busy" and left and (error.retry_after or 0.0) <= _LONGEST_PAUSE_S:
                QTimer.singleShot(round(1_000 * (error.retry_after or _PAUSE_S)), send)
            else:
                (failed or self.complain)(error)

        send()

    def complain(self, error: WireError) -> None:
        """Tell the painter what is wrong and what to do."""
        self.complained.emit(error.message, error.hint)

    def expect(self, job: str, *, as_layer: bool = True) -> None:
        """The painter is told how this job ends; its result becomes a layer by itself, else it waits to be picked."""
        self._sent_here.add(job)
        if as_layer:
            self._expected.add(job)

    def take(self, job: Job) -> None:
        """A job as the daemon now has it."""
        known = self.jobs.get(job["job"])
        if not self._book.take(job):
            return
        self.job_changed.emit(job["job"])
        if job["state"] == "done" and job["job"] in self._expected:
            self._finish(job["job"])
        elif job["job"] in self._sent_here and (known is None or known["state"] != job["state"]):
            self._tell_end(job)

    def _tell_end(self, job: Job) -> None:
        """Its row has moved down, out of sight: nobody shall wait for it in vain."""
        if job["state"] == "failed":
            self.complained.emit(job.get("message", ""), job.get("hint", ""))
        elif job["state"] == "cancelled":
            self.said.emit(tr("Cancelled"))
        elif job["state"] == "done":
            self.said.emit(tr("Done. The result waits in the list below."))

    def cancel(self, job: str) -> None:
        """Stop a job."""
        self.request("cancel", {"job": job}, lambda reply, _frames: self.take(reply["job"]))

    def retry(self, job: str) -> None:
        """Queue a failed or cancelled job again."""
        self.expect(job)
        self.said.emit(tr("Sent. You can go on painting."))
        self.request("retry", {"job": job}, lambda reply, _frames: self.take(reply["job"]))

    def remove(self, job: str) -> None:
        """Delete an ended job."""
        self.request("remove", {"job": job}, lambda _reply, _frames: self._forget(job))

    def act_on_model(self, model: str, action: str, failed: Callable[[WireError], None]) -> None:
        """Have the daemon do something with a model's weights; a licence that was accepted starts the download."""

        def done(reply: dict[str, Any], _frames: list[Any]) -> None:
            self.models[model] = reply["model"]
            self.models_changed.emit()
            if action == "accept_licence":
                self.act_on_model(model, "download", failed)

        self.request("model", {"model": model, "action": action}, done, failed=failed)

    def thumbnail(self, job: str) -> None:
        """Ask for a job's small picture, where there is a new one; it comes as `thumbnail_came`."""
        if not self._book.wants_picture(job):
            return

        def came(reply: dict[str, Any], frames: list[Any]) -> None:
            pictures = {
                entry["role"]: image_of_frame(entry, data)
                for entry, data in zip(reply.get("frames", []), frames, strict=True)
            }
            best = pictures.get("preview", pictures.get("image"))
            if best is not None:
                self.thumbnail_came.emit(job, best)

        self.request("thumbnail", {"job": job}, came, failed=lambda _error: None)

    def applied(self, job: str) -> None:
        """The result is a layer now; the daemon may drop it as soon as the document is saved."""
        self._expected.discard(job)
        self._book.became_layer(job)
        self.layer_added.emit(job)

    def _finish(self, job: str) -> None:
        """A job that is waited for is done: fetch it, though never in the middle of a stroke."""
        record = self.jobs[job]
        kind = record["edit"]["kind"]
        if QApplication.mouseButtons() != Qt.MouseButton.NoButton:
            QTimer.singleShot(_STROKE_WAIT_MS, lambda: self._finish(job))
            return
        if kind == "caption":
            self._expected.discard(job)
            self.request("result", {"job": job}, lambda reply, _frames: self._caption(reply["record"]))
        elif applying.home_of(record) is not None:
            applying.fetch(self, job)

    def _caption(self, record: dict[str, Any]) -> None:
        caption = record.get("caption")
        if isinstance(caption, str) and caption:
            self.captioned.emit(caption)

    def _forget(self, job: str) -> None:
        self._book.forget(job)
        self.job_removed.emit(job)

    def _state(self, state: str, message: str) -> None:
        self.link = state
        self.link_changed.emit(state, message)
        if state == "ready":
            self._book.reconnected()
            self.request("models", {}, self._took_models)
            self.request("settings", {}, self._took_settings)

    def _took_models(self, reply: dict[str, Any], _frames: list[Any]) -> None:
        self.models = {model["id"]: model for model in reply["models"]}
        self.models_changed.emit()

    def _took_settings(self, reply: dict[str, Any], _frames: list[Any]) -> None:
        self.default_told.emit(default_model(reply["settings"], "krita"))

    def _event(self, incoming: Any) -> None:
        header = incoming.header
        if header["kind"] == "job":
            job = header["job"]
            if header.get("frames") and incoming.frames:
                self.preview_came.emit(job["job"], image_of_frame(header["frames"][0], incoming.frames[0]))
            self.take(job)
        elif header["kind"] == "removed":
            self._forget(header["removed"])
        elif header["kind"] == "model":
            self.models[header["model"]["id"]] = header["model"]
            self.models_changed.emit()

    def _saved(self, filename: str) -> None:
        """A document is safe on disk: the daemon need not keep the results that are layers of it."""
        for document in Krita.instance().documents():
            if document.fileName() != filename or not filename.lower().endswith((".kra", ".krz")):
                continue
            here = [job for job in history.load(document).applied if applying.existing_layer(job, document) is not None]
            for job in here:
                if job in self.jobs:
                    self._book.found_layer(job)
            for job in self._book.saved(here):
                self.request("acknowledge", {"job": job}, lambda reply, _frames: self.take(reply["job"]), (), _quiet)

    def jobs_of(self, document: KritaDocument | None) -> list[Job]:
        """Ended and running jobs of this document, newest first."""
        if document is None:
            return []
        register = history.load(document)
        found = []
        for job in self.jobs.values():
            mark, _ = split_reference(job["edit"].get("document", {}).get("ref", ""))
            if (mark and mark == register.document) or job["job"] in register.applied:
                found.append(job)
        return sorted(found, key=lambda job: job["created"], reverse=True)

    def unfinished(self) -> list[Job]:
        """All jobs of the daemon that have not ended, in the order of the queue."""
        return self._book.unfinished()


def _quiet(_error: WireError) -> None:
    """An acknowledgement that fails costs nothing: the result goes when it is old."""
