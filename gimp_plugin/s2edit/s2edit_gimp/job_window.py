"""The small window that follows jobs: preview, phase, time left; cancel, add to the picture, try again."""

from __future__ import annotations

import time
from collections.abc import Callable

from gi.repository import GimpUi, Gtk, Pango
from s2edit_editor import rows
from s2edit_editor.desk import Desk
from s2edit_editor.host import Host
from s2edit_editor.previewing import Preview
from s2edit_editor.rows import APPLY, CANCEL, EDIT, REMOVE, RETRY, row
from s2edit_editor.text import _

from .preview_bar import PreviewBar
from .thumbnails import fit, to_pixbuf
from .widgets import BORDER, SPACING, ask, note

PREVIEW = 72
ROW = PREVIEW + 2 * BORDER
TALLEST = 480


class JobWindow:
    """Closing it stops nothing: results still arrive as layers.

    Args:
        desk: whose jobs it shows. front: the image that finished results are looked at in, None when it is closed.
        closed: called when the window is closed. edit: reopens the form with a job's values.

    Attributes:
        preview: what is looked at.
    """

    def __init__(
        self,
        desk: Desk,
        front: Callable[[], Host | None],
        closed: Callable[[], None],
        edit: Callable[[str], None],
    ) -> None:
        self._desk, self._edit = desk, edit
        self.preview = Preview(desk, front, self._follow)
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
        self._bar = PreviewBar(self.preview)
        self._message = note(dim=True)
        self._box.pack_end(self._message, False, False, 0)
        scrolled = Gtk.ScrolledWindow()
        scrolled.set_policy(Gtk.PolicyType.NEVER, Gtk.PolicyType.AUTOMATIC)
        scrolled.set_propagate_natural_height(True)
        scrolled.set_max_content_height(TALLEST)
        scrolled.add(self._box)
        self._scrolled = scrolled
        self.window.get_content_area().pack_start(scrolled, True, True, 0)
        self.window.get_content_area().pack_start(self._bar.widget, False, False, 0)
        self._message.set_no_show_all(True)
        self._say(_empty())

    def show(self) -> None:
        """Open it."""
        self.window.show_all()
        self.window.present()

    def close(self, *_event: object) -> bool:
        """Hide it, stopping nothing; True keeps GTK from destroying it."""
        self.preview.dismiss()
        self.window.hide()
        self._closed()
        return True

    @property
    def visible(self) -> bool:
        """Whether it is open."""
        return bool(self.window.get_visible())

    def has(self, job: str) -> bool:
        """Whether it shows a job."""
        return job in self._rows

    def job_changed(self, job: str) -> None:
        """Show a job as it is now."""
        shown = self._rows.get(job)
        if shown is None:
            shown = self._rows[job] = _Row(job, self._desk, self.preview, self._edit)
            self._box.pack_start(shown.widget, False, False, 0)
            self._box.reorder_child(shown.widget, sum(other.created > shown.created for other in self._rows.values()))
            self._counted()
        shown.update()

    def job_gone(self, job: str) -> None:
        """A job was dismissed."""
        self.preview.look()
        shown = self._rows.pop(job, None)
        if shown is not None:
            shown.widget.destroy()
            self._counted()

    def connection_changed(self, state: str, message: str) -> None:
        """Say when there is no daemon to ask."""
        self._say(message if state != "ready" else "" if self._rows else _empty())

    def _follow(self) -> None:
        self._bar.follow()

    def _counted(self) -> None:
        self._scrolled.set_min_content_height(min(len(self._rows) * ROW, TALLEST))
        self._say("" if self._rows else _empty())

    def _say(self, sentence: str) -> None:
        self._message.set_text(sentence)
        self._message.set_visible(bool(sentence))


class _Row:
    """One job."""

    def __init__(self, job: str, desk: Desk, preview: Preview, edit: Callable[[str], None]) -> None:
        self._job, self._desk, self._preview = job, desk, preview
        record = desk.book.all.get(job)
        self.created = float(record["created"] if record is not None else time.time())
        self._acts: dict[str, tuple[str, Callable[[str], None]]] = {
            APPLY: (_("_Add to Picture"), desk.fetch),
            RETRY: (_("_Try Again"), desk.retry),
            EDIT: (_("_Edit…"), edit),
            CANCEL: (_("_Cancel"), desk.cancel),
        }
        self._act: Callable[[str], None] = desk.cancel
        self.widget = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=BORDER)
        self._picture = Gtk.Image()
        self._picture.set_size_request(PREVIEW, PREVIEW)
        self._look = Gtk.Button(image=self._picture, relief=Gtk.ReliefStyle.NONE, valign=Gtk.Align.CENTER)
        self._look.connect("clicked", lambda _button: preview.toggle(job))
        self._shown: object = None
        middle = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACING)
        self._title = Gtk.Label()
        self._title.set_xalign(0.0)
        self._title.set_ellipsize(Pango.EllipsizeMode.END)
        self._title.set_width_chars(36)
        self._status, self._bar = note(dim=True), Gtk.ProgressBar()
        self._status.set_max_width_chars(36)
        for widget in (self._title, self._bar, self._status):
            middle.pack_start(widget, False, False, 0)
        self._button = Gtk.Button(use_underline=True)
        self._button.set_valign(Gtk.Align.CENTER)
        self._button.connect("clicked", lambda _button: self._act(self._job))
        self._dismiss = Gtk.Button.new_from_icon_name("window-close-symbolic", Gtk.IconSize.BUTTON)
        self._dismiss.set_tooltip_text(_("Remove from the list"))
        self._dismiss.set_relief(Gtk.ReliefStyle.NONE)
        self._dismiss.set_valign(Gtk.Align.CENTER)
        self._dismiss.connect("clicked", lambda _button: self._remove())
        self.widget.pack_start(self._look, False, False, 0)
        self.widget.pack_start(middle, True, True, 0)
        self.widget.pack_start(self._button, False, False, 0)
        self.widget.pack_start(self._dismiss, False, False, 0)
        self.widget.show_all()
        for changing in (self._bar, self._button, self._dismiss):
            changing.set_no_show_all(True)  # when the window is shown later, what has nothing to say stays hidden

    def update(self) -> None:
        """Show the job as it is now."""
        desk = self._desk
        now = row(desk, self._job, there=desk.delivered(self._job))
        self._title.set_text(" · ".join(filter(None, (now.title, now.document))))
        self._status.set_text(now.said)
        self._bar.set_fraction(now.part or 0.0)
        self._bar.set_visible(now.part is not None)
        can_show = self._preview.can_show(self._job)
        self._look.set_sensitive(can_show)
        self._look.set_tooltip_text(_("Preview on the canvas") if can_show else None)
        picture = desk.previews.get(self._job)
        if picture is not None and picture is not self._shown:
            self._shown = picture
            self._picture.set_from_pixbuf(fit(to_pixbuf(picture), PREVIEW))
        label, self._act = next((self._acts[act] for act in now.actions if act in self._acts), ("", desk.cancel))
        self._button.set_label(label)
        self._button.set_visible(bool(label))
        self._dismiss.set_visible(REMOVE in now.actions)
        desk.thumbnail(self._job)

    def _remove(self) -> None:
        rows.remove(self._desk, self._job, self._asked)

    def _asked(self, question: rows.Question, go: Callable[[], None]) -> None:
        if ask(self._window(), _("Remove from the list"), *question):
            go()

    def _window(self) -> Gtk.Window | None:
        top = self.widget.get_toplevel()
        return top if isinstance(top, Gtk.Window) else None


def _empty() -> str:
    return _("No edits are running, and no results are waiting.")
