"""One run with windows: the dialog, then the small window, and the loop that lives until nothing is left to come."""

from __future__ import annotations

from collections.abc import Callable

from gi.repository import Gimp, GimpUi, GLib, Gtk
from s2edit_editor.choices import Choices
from s2edit_editor.desk import Desk
from s2edit_editor.flow import Flow
from s2edit_editor.host import AUTOMATIC
from s2edit_editor.lists import waits_for
from s2edit_editor.rows import source
from s2edit_editor.text import _, is_right_to_left
from s2edit_editor.wish import Wish

from . import VERSION, marks
from .choices import to_config
from .dialog import EditDialog
from .host import GimpHost
from .job_window import JobWindow
from .session_glib import GLibLoop
from .widgets import ask

LINGER_S = 6
"""Seconds for which the window of jobs stays when all results have arrived."""
LOOK_S = 2
"""Seconds between looks whether the picture was saved."""


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
        self._desk = desk = Desk("gimp", VERSION, GLibLoop(), lambda _job, _asked: self._front())
        self._window = JobWindow(desk, self._front, self._settle, self._edit_again)
        self._dialog: EditDialog | None = None
        self._listing = False
        self._earlier = frozenset(host.results())
        desk.on_job = desk.on_picture = self._job_changed
        desk.on_removed = self._window.job_gone
        desk.on_link = self._link_changed
        desk.on_models = desk.on_default = lambda: self._tell(lambda flow: flow.models_changed())
        desk.on_layer = self._arrived
        desk.on_end = lambda job, said: self._tell(lambda flow: flow.ended(job, said))
        desk.on_trouble = lambda error, _job: self._tell(lambda flow: flow.failed(error.sentence))
        desk.open()
        GLib.timeout_add_seconds(LOOK_S, self._look_whether_saved)

    def go(self, choices: Choices | None) -> bool:
        if choices is None or not self._layer:
            self._listing = True
            self._window.show()
            self._submitted = True
        else:
            self._dialog = EditDialog(self._host, self._layer, self._desk, choices, self._dialog_done)
        try:
            self._loop.run()
        finally:
            self._window.preview.dismiss()
        self._desk.close()
        return self._submitted

    _submitted = False
    _farewell = 0

    def _front(self) -> GimpHost | None:
        return self._host if self._host.is_open() else None

    def _arrived(self, job: str) -> None:
        self._window.preview.look()
        self._tell(lambda flow: flow.arrived(job))

    def _say_farewell(self) -> bool:
        self._farewell = 0
        if self._desk.settled and self._dialog is None:
            self._window.close()
        return bool(GLib.SOURCE_REMOVE)

    def _dialog_done(self, submitted: bool) -> None:
        assert self._dialog is not None
        remembered, jobs = self._dialog.submitted or self._dialog.typed, self._dialog.submitted is not None
        self._dialog = None
        self._submitted = submitted
        if remembered is not None and self._host.is_open():
            marks.write(self._host.image, marks.FORM, remembered.noted(), marks.PASSING)
            if self._config is not None:
                to_config(remembered, self._config, self._host.image)
        if jobs:
            self._window.show()
        self._settle()

    def _edit_again(self, job: str) -> None:
        """The form with the values of a job that was refused, about the layer that it was about."""
        edit, then = self._desk.edit(job), self._desk.pending(self._host, job)
        layer = source(self._desk, self._host, job, edit)
        if self._dialog is None and layer:
            choices = Choices(Wish.from_edit(edit), then.mask_from if then is not None else AUTOMATIC)
            self._dialog = EditDialog(self._host, layer, self._desk, choices, self._dialog_done)

    def _job_changed(self, job: str) -> None:
        self._tell(lambda flow: flow.job_changed(job))
        errand = self._desk.errands.get(job)
        ours = errand.answer is None if errand is not None else self._listing and waits_for(self._desk, self._host, job)
        if job in self._earlier:  # it waits to be saved like those of this run
            self._desk.book.found_layer(job)
            self._look_whether_saved()
        if ours or self._window.has(job):
            self._window.job_changed(job)
        self._settle()

    def _link_changed(self, state: str, message: str) -> None:
        self._window.connection_changed(state, message)
        self._tell(lambda flow: flow.linked(state, message))

    def _tell(self, what: Callable[[Flow], None]) -> None:
        """Of whatever happens, the open form."""
        if self._dialog is not None:
            what(self._dialog.flow)

    def _look_whether_saved(self) -> bool:
        """Tell the daemon of results once their picture is saved."""
        if self._desk.book.unsaved and self._host.is_saved():
            self._desk.saved(self._host)
        return bool(GLib.SOURCE_CONTINUE)

    def _settle(self) -> None:
        """Leave when no window is open and nothing is to come; a window that has nothing left to say goes by itself."""
        desk = self._desk
        if desk.errands and desk.settled and not self._listing and self._window.visible and not self._farewell:
            self._farewell = int(GLib.timeout_add_seconds(LINGER_S, self._say_farewell))
        if self._dialog is None and not self._window.visible and not desk.busy:
            self._loop.quit()
