"""The small window that follows jobs: preview, phase, time left; cancel, add to the picture, try again."""

from __future__ import annotations

import time
from collections.abc import Callable

from gi.repository import GimpUi, Gtk, Pango
from s2edit_editor import words
from s2edit_editor.planning import can_retry
from s2edit_editor.text import _
from s2edit_wire.records import ENDED

from .jobs import Job, Jobs
from .thumbnails import fit, to_pixbuf
from .widgets import BORDER, SPACING, note

PREVIEW = 72
ROW = PREVIEW + 2 * BORDER
TALLEST = 480


class JobWindow:
    """Closing it stops nothing: results still arrive as layers.

    Args:
        jobs: the jobs that it shows.
        closed: called when the window is closed. edit: reopens the form with a job's values.
    """

    def __init__(self, jobs: Jobs, closed: Callable[[], None], edit: Callable[[Job], None]) -> None:
        self._jobs, self._edit = jobs, edit
        self._rows: dict[str, _Row] = {}
        self.window = GimpUi.Dialog(use_header_bar=False, title=_("S²Edit Jobs"), role="s2edit-jobs")
        self.window.add_button(_("_Close"), Gtk.ResponseType.CLOSE)
        self.window.set_default_size(480, -1)
        GimpUi.window_set_transient(self.window)
        self._closed = closed
        self.window.connect("response", lambda _dialog, _answer: self.close())
        self.window.connect("delete-event", self.close)
        self._box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=BORDER)
        self._box.set_border_width(BORDER)
        self._message = note(dim=True)
        self._box.pack_end(self._message, False, False, 0)
        scrolled = Gtk.ScrolledWindow()
        scrolled.set_policy(Gtk.PolicyType.NEVER, Gtk.PolicyType.AUTOMATIC)
        scrolled.set_propagate_natural_height(True)
        scrolled.set_max_content_height(TALLEST)
        scrolled.add(self._box)
        self._scrolled = scrolled
        self.window.get_content_area().pack_start(scrolled, True, True, 0)
        self._message.set_no_show_all(True)
        self._say(_empty())

    def show(self) -> None:
        """Open it."""
        self.window.show_all()
        self.window.present()

    def close(self, *_event: object) -> bool:
        """Hide it, stopping nothing; True keeps GTK from destroying it."""
        self.window.hide()
        self._closed()
        return True

    @property
    def visible(self) -> bool:
        """Whether it is open."""
        return bool(self.window.get_visible())

    def job_changed(self, job: Job) -> None:
        """Show a job as it is now."""
        if job.on_result is not None:
            return
        row = self._rows.get(job.id)
        if row is None:
            row = self._rows[job.id] = _Row(job, self._jobs, self._edit)
            self._box.pack_start(row.widget, False, False, 0)
            self._box.reorder_child(row.widget, sum(other.created > row.created for other in self._rows.values()))
            row.widget.show_all()
            self._scrolled.set_min_content_height(min(len(self._rows) * ROW, TALLEST))
            self._say("")
        row.update()

    def job_gone(self, job: Job) -> None:
        """A job was dismissed."""
        row = self._rows.pop(job.id, None)
        if row is not None:
            row.widget.destroy()
            self._scrolled.set_min_content_height(min(len(self._rows) * ROW, TALLEST))
            self._say("" if self._rows else _empty())

    def connection_changed(self, state: str, message: str) -> None:
        """Say when there is no daemon to ask."""
        self._say(message if state != "ready" else "" if self._rows else _empty())

    def _say(self, sentence: str) -> None:
        self._message.set_text(sentence)
        self._message.set_visible(bool(sentence))


class _Row:
    """One job."""

    def __init__(self, job: Job, jobs: Jobs, edit: Callable[[Job], None]) -> None:
        self._job, self._jobs, self._edit = job, jobs, edit
        self.created = float(job.record.get("created", time.time()))
        self.widget = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=BORDER)
        self._picture = Gtk.Image()
        self._picture.set_size_request(PREVIEW, PREVIEW)
        self._shown: object = None
        middle = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACING)
        title = Gtk.Label(label=self._title())
        title.set_xalign(0.0)
        title.set_ellipsize(Pango.EllipsizeMode.END)
        title.set_width_chars(36)
        self._status, self._bar = note(dim=True), Gtk.ProgressBar()
        self._status.set_max_width_chars(36)
        for widget in (title, self._bar, self._status):
            middle.pack_start(widget, False, False, 0)
        self._button = Gtk.Button(use_underline=True)
        self._button.set_valign(Gtk.Align.CENTER)
        self._button.connect("clicked", lambda _button: self._act())
        self._dismiss = Gtk.Button.new_from_icon_name("window-close-symbolic", Gtk.IconSize.BUTTON)
        self._dismiss.set_tooltip_text(_("Remove from the list"))
        self._dismiss.set_relief(Gtk.ReliefStyle.NONE)
        self._dismiss.set_valign(Gtk.Align.CENTER)
        self._dismiss.connect("clicked", lambda _button: self._jobs.dismiss(self._job))
        self.widget.pack_start(self._picture, False, False, 0)
        self.widget.pack_start(middle, True, True, 0)
        self.widget.pack_start(self._button, False, False, 0)
        self.widget.pack_start(self._dismiss, False, False, 0)

    def _title(self) -> str:
        """What is wished for, and where: a result may wait from another picture."""
        edit = self._job.edit
        return " · ".join(filter(None, (words.title(edit), str(edit.get("document", {}).get("title", "")))))

    def update(self) -> None:
        """Show the job as it is now."""
        job = self._job
        self._status.set_text(status_line(job))
        self._bar.set_fraction(1.0 if job.state == "done" else words.fraction(job.record))
        self._bar.set_visible(job.active)
        if job.preview is not None and job.preview is not self._shown:
            self._shown = job.preview
            self._picture.set_from_pixbuf(fit(to_pixbuf(job.preview), PREVIEW))
        label = self._action()[0]
        self._button.set_label(label)
        self._button.set_visible(bool(label))
        self._dismiss.set_visible(job.state in ENDED)

    def _action(self) -> tuple[str, Callable[[], None]]:
        """What the button says and does in the job's state."""
        job, jobs = self._job, self._jobs
        if job.delivered:
            return "", lambda: None
        if job.state == "done":
            return _("_Add to Picture"), lambda: jobs.fetch(job)
        if job.state == "failed" and not can_retry(job.record.get("error", job.code)):
            return _("_Edit…"), lambda: self._edit(job)
        if job.state in ("failed", "cancelled"):
            return _("_Try Again"), lambda: jobs.act(job, "retry")
        return _("_Cancel"), lambda: jobs.act(job, "cancel")

    def _act(self) -> None:
        self._action()[1]()


def _empty() -> str:
    return _("No edits are running, and no results are waiting.")


def status_line(job: Job) -> str:
    """One line about a job: what the picture has of it, else what the daemon says."""
    if job.trouble:
        return job.trouble
    if job.delivered:
        return _("Added as a new layer.")
    if job.state == "sending":
        return _("Sending…")
    return _("Finished; not in the picture yet.") if job.state == "done" else words.state(job.record)
