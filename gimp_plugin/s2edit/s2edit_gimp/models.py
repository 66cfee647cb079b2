"""The line below the form about the chosen model: its licence, size and download, or which model would fit better."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gi.repository import Gtk
from s2edit_editor import models
from s2edit_editor.text import _
from s2edit_wire.client import Incoming
from s2edit_wire.errors import WireError
from s2edit_wire.records import ModelRecord

from .jobs import Jobs
from .widgets import SPACING, ask, note, room_for

LINES = 3


class ModelRow:
    """Empty unless the model isn't ready, or does not suit the picture; its place stays, so that nothing else moves.

    Args:
        jobs: the connection.
        window: parent of the licence question.
        changed: called when a model has become ready.
        pick: called with the id of the model that fits better, when the painter wants it.
    """

    def __init__(
        self, jobs: Jobs, window: Gtk.Window, changed: Callable[[], None], pick: Callable[[str], None]
    ) -> None:
        self._jobs, self._window, self._changed, self._pick = jobs, window, changed, pick
        self._models: dict[str, ModelRecord] = {}
        self._chosen, self._advice, self._refusal = "", "", ""
        self.widget = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=SPACING)
        self._text = note()
        self._button = Gtk.Button(use_underline=True)
        self._button.set_valign(Gtk.Align.CENTER)
        self._button.connect("clicked", lambda _button: self._act())
        self._remark = models.Remark()
        self.widget.pack_start(room_for(self._text, LINES), True, True, 0)
        self.widget.pack_start(self._button, False, False, 0)
        self.widget.show_all()
        self.widget.set_size_request(-1, self._button.get_preferred_height()[0])  # also where there is no button
        self._button.set_no_show_all(True)
        self._button.hide()

    def ask(self, then: Callable[[Mapping[str, str]], None] | None = None) -> None:
        """Get the catalogue; `then` takes the titles of all editing models by id."""

        def came(answer: Incoming) -> None:
            self._models = models.editors(answer.header["models"])
            if then is not None:
                then({name: models.title(model) for name, model in self._models.items()})
            self._show()

        self._jobs.session.request("models", on_reply=came)

    def example(self, model: str) -> str:
        """A sentence that a model understands, "" when none is known."""
        return models.example(self._models, model)

    def choose(self, model: str) -> None:
        """Say something about this model, if there is something to say."""
        if model != self._chosen:
            self._chosen, self._refusal = model, ""
        self._show()

    def advise(self, sentence: str) -> None:
        """Say that the chosen model does not suit the picture, and offer the one that does; "" when it suits."""
        self._advice = sentence
        self._show()

    @property
    def offers_download(self) -> bool:
        """Whether the line says already that the chosen model has to be downloaded."""
        model = self._models.get(self._chosen)
        return model is not None and model["state"] != "ready" and not model["embedded"]

    def changed(self, model: ModelRecord) -> None:
        """Take over a model's newer record."""
        if model["id"] in self._models:
            ready = model["state"] == "ready" and self._models[model["id"]]["state"] != "ready"
            self._models[model["id"]] = model
            self._show()
            if ready:
                self._changed()

    def _show(self) -> None:
        self._remark = models.remark(self._models, self._chosen, self._advice, self._refusal)
        self._text.set_text(self._remark.text)
        keyed = {"download": _("_Get It…"), "repair": _("Repa_ir"), "": _("_Use It")}  # with keys that nothing else has
        self._button.set_label(keyed.get(self._remark.action, self._remark.label))
        self._button.set_visible(bool(self._remark.label))

    def _act(self) -> None:
        remark = self._remark
        if remark.instead:
            self._pick(remark.instead)
        elif remark.action == "download":
            self._download()
        elif remark.action:
            self._request(remark.action)

    def _download(self) -> None:
        model = self._models[self._chosen]
        if not model["licence_accepted"]:
            question, details, yes = models.licence_question(model)
            if not ask(self._window, _("Download Model"), question, details, yes):
                return
            self._request("accept_licence")
        self._request("download")

    def _request(self, action: str) -> None:
        def refused(error: WireError) -> None:
            self._refusal = f"{error.message} {error.hint}".strip()
            self._show()

        self._refusal = ""
        self._jobs.session.request(
            "model",
            {"model": self._chosen, "action": action},
            (),
            lambda answer: self.changed(answer.header["model"]),
            refused,
        )
