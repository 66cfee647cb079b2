"""One run with windows: the dialog, then the small window, and the loop that lives until nothing is left to come."""

from __future__ import annotations

from gi.repository import Gimp, GimpUi, GLib, Gtk
from s2edit_editor.delivery import source_of
from s2edit_editor.host import AUTOMATIC
from s2edit_editor.notes import pending
from s2edit_editor.submission import known
from s2edit_editor.text import _, is_right_to_left
from s2edit_editor.wish import Wish
from s2edit_wire.records import ModelRecord

from .choices import Choices
from .dialog import EditDialog
from .host import GimpHost
from .job_window import JobWindow
from .jobs import Job, Jobs
from .widgets import ask

LINGER_S = 6
"""Seconds for which the window of jobs stays when all results have arrived."""


def open_windows(host: GimpHost, layer: str, choices: Choices | None, config: Gimp.ProcedureConfig | None) -> bool:
    """Run the dialog (unless `choices` is None) and the window of jobs; True when something was submitted or shown.

    Args:
        host: its jobs are shown; layer: mark of what is edited, "" for the window alone.
        choices: what the dialog begins with; None for the window alone.
        config: takes the choices as last values.
    """
    GimpUi.init("s2edit")
    if is_right_to_left():
        Gtk.Widget.set_default_direction(Gtk.TextDirection.RTL)
    return _Run(host, layer, config).go(choices)


def offer_conversion(image: Gimp.Image) -> bool:
    """Ask whether an indexed image may become RGB, and do it; one undo step."""
    GimpUi.init("s2edit")
    details = _("S²Edit needs colours that are not in this picture's palette. You can undo the conversion.")
    if not ask(None, _("Convert to RGB"), _("Convert the picture to RGB?"), details, _("_Convert")):
        return False
    image.convert_rgb()
    Gimp.displays_flush()
    return True


class _Run:
    def __init__(self, host: GimpHost, layer: str, config: Gimp.ProcedureConfig | None) -> None:
        self._host, self._layer, self._config = host, layer, config
        self._loop = GLib.MainLoop()
        self._jobs = Jobs(host)
        self._window = JobWindow(self._jobs, self._settle, self._edit_again)
        self._dialog: EditDialog | None = None
        self._jobs.on_change = self._job_changed
        self._jobs.on_gone = self._window.job_gone
        self._jobs.on_state = self._state_changed
        self._jobs.on_model = self._model_changed

    def go(self, choices: Choices | None) -> bool:
        if choices is None or not self._layer:
            self._jobs.ask_waiting()
            self._window.show()
            submitted = True
        else:
            self._dialog = EditDialog(self._host, self._layer, self._jobs, choices, self._dialog_done)
            submitted = False
        self._loop.run()
        self._jobs.close()
        return submitted or self._submitted

    _submitted = False
    _farewell = 0

    def _say_farewell(self) -> bool:
        self._farewell = 0
        if self._jobs.settled and self._dialog is None:
            self._window.close()
        return bool(GLib.SOURCE_REMOVE)

    def _dialog_done(self, submitted: bool) -> None:
        assert self._dialog is not None
        remembered, jobs = self._dialog.submitted or self._dialog.typed, self._dialog.submitted is not None
        self._dialog = None
        self._submitted = submitted
        if remembered is not None and self._host.is_open():
            remembered.keep_with(self._host.image)
            if self._config is not None:
                remembered.to_config(self._config, self._host.image)
        if jobs:
            self._window.show()
        self._settle()

    def _edit_again(self, job: Job) -> None:
        """The form with the values of a job that was refused, about the layer that it was about."""
        then = pending(self._host, job.id)
        layer = source_of(self._host, known(self._host), job.edit, then)
        if self._dialog is not None or not layer:
            return
        choices = Choices(Wish.from_edit(job.edit), then.mask_from if then is not None else AUTOMATIC)
        self._dialog = EditDialog(self._host, layer, self._jobs, choices, self._dialog_done)

    def _job_changed(self, job: Job) -> None:
        self._window.job_changed(job)
        self._settle()

    def _state_changed(self, state: str, message: str) -> None:
        self._window.connection_changed(state, message)
        if self._dialog is not None:
            self._dialog.connection_changed(state, message)

    def _model_changed(self, model: ModelRecord) -> None:
        if self._dialog is not None:
            self._dialog.model_changed(model)

    def _settle(self) -> None:
        """Leave when no window is open and nothing is to come; a window that has nothing left to say goes by itself."""
        if (
            self._jobs.all
            and self._jobs.settled
            and not self._jobs.listing
            and self._window.visible
            and not self._farewell
        ):
            self._farewell = int(GLib.timeout_add_seconds(LINGER_S, self._say_farewell))
        if self._dialog is None and not self._window.visible and not self._jobs.active:
            self._loop.quit()
