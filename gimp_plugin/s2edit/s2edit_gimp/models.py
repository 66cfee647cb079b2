"""The line below the form about the chosen model: its licence, size and download, or which model would fit better."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gi.repository import Gtk
from s2edit_wire.client import Incoming
from s2edit_wire.errors import WireError

from .jobs import Jobs
from .text import _, amount
from .widgets import SPACING, ask, note


class ModelRow:
    """Shown only for a model that isn't ready, or does not suit the picture.

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
        self._models: dict[str, dict[str, Any]] = {}
        self._chosen, self._advice, self._refusal = "", "", ""
        self.widget = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=SPACING)
        self._text = note()
        self._button = Gtk.Button(use_underline=True)
        self._button.set_valign(Gtk.Align.CENTER)
        self._button.connect("clicked", lambda _button: self._act())
        self._act: Callable[[], None] = lambda: None
        self.widget.pack_start(self._text, True, True, 0)
        self.widget.pack_start(self._button, False, False, 0)
        self.widget.show_all()
        self.widget.set_no_show_all(True)
        self.widget.hide()

    def ask(self, then: Callable[[Mapping[str, str]], None] | None = None) -> None:
        """Get the catalogue; `then` takes the titles of all editing models by id."""

        def came(answer: Incoming) -> None:
            self._models = {model["id"]: model for model in answer.header["models"] if model["role"] == "editor"}
            if then is not None:
                then({name: model["title"] for name, model in self._models.items()})
            self._show()

        self._jobs.session.request("models", on_reply=came)

    def example(self, model: str) -> str:
        """A sentence that a model understands, "" when none is known."""
        return next(iter(self._models.get(model, {}).get("examples", [])), "")

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

    def changed(self, model: dict[str, Any]) -> None:
        """Take over a model's newer record."""
        if model["id"] in self._models:
            ready = model["state"] == "ready" and self._models[model["id"]]["state"] != "ready"
            self._models[model["id"]] = model
            self._show()
            if ready:
                self._changed()

    def _show(self) -> None:
        text, label, self._act = self._unready() if self.offers_download else self._unfit()
        self._text.set_text(text)
        self._button.set_label(label)
        self._button.set_visible(bool(label))
        self.widget.set_visible(bool(text))

    def _unready(self) -> tuple[str, str, Callable[[], None]]:
        """Sentence, button and what it does for a model that is not here, or not whole."""
        model = self._models[self._chosen]
        if model["state"] == "downloading":
            share = 100 * model["present"] // max(1, model["size"])
            text = _("“{title}” is on its way: {share} %.").format(title=model["title"], share=share)
            return text, "", lambda: None
        text = _("“{title}” is not on this computer yet: {size}.").format(
            title=model["title"], size=amount(model["size"])
        )
        why = self._refusal or model.get("message", "")
        if model["state"] == "broken":
            return why, _("Repa_ir"), lambda: self._request("repair")
        return f"{text} {why}".strip(), _("_Get It…"), self._download

    def _unfit(self) -> tuple[str, str, Callable[[], None]]:
        """The same for a model that does not know such pictures."""
        # The daemon's advice is about the same one: the first that is here, else the first of the catalogue.
        photo = [model for model in self._models.values() if model["domain"] == "photo"]
        fitting = next(iter(sorted(photo, key=lambda model: bool(model["state"] != "ready"))), None)
        if not self._advice or fitting is None:
            return self._advice, "", lambda: None
        return self._advice, _("_Use It"), lambda: self._pick(fitting["id"])

    def _download(self) -> None:
        model = self._models[self._chosen]
        if not model["licence_accepted"]:
            details = _("{purpose}\n\nLicence: {licence}. Size: {size}.").format(
                purpose=model["purpose"], licence=model["licence"], size=amount(model["size"])
            )
            question = _("Download “{title}”?").format(title=model["title"])
            if not ask(self._window, _("Download Model"), question, details, _("_Accept and Download")):
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
