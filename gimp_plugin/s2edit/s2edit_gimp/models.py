"""The line below the form about the chosen model: its licence, its size, and its download."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gi.repository import Gtk
from s2edit_wire.client import Incoming

from .jobs import Jobs
from .text import _, amount
from .widgets import SPACING, ask, note


class ModelRow:
    """Shown only for a model that isn't ready.

    Args:
        jobs: the connection.
        window: parent of the licence question.
        changed: called when a model has become ready.
    """

    def __init__(self, jobs: Jobs, window: Gtk.Window, changed: Callable[[], None]) -> None:
        self._jobs, self._window, self._changed = jobs, window, changed
        self._models: dict[str, dict[str, Any]] = {}
        self._chosen = ""
        self.widget = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=SPACING)
        self._text = note()
        self._button = Gtk.Button(label=_("Download…"))
        self._button.connect("clicked", lambda _button: self._get())
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
        self._chosen = model
        self._show()

    def changed(self, model: dict[str, Any]) -> None:
        """Take over a model's newer record."""
        if model["id"] in self._models:
            ready = model["state"] == "ready" and self._models[model["id"]]["state"] != "ready"
            self._models[model["id"]] = model
            self._show()
            if ready:
                self._changed()

    def _show(self) -> None:
        model = self._models.get(self._chosen)
        if model is None or model["state"] == "ready":
            self.widget.hide()
            return
        if model["state"] == "downloading":
            share = 100 * model["present"] // max(1, model["size"])
            self._text.set_text(_("“{title}” is on its way: {share} %.").format(title=model["title"], share=share))
        else:
            text = _("“{title}” is not on this computer yet: {size}.").format(
                title=model["title"], size=amount(model["size"])
            )
            self._text.set_text(f"{text} {model.get('message', '')}".strip())
        self._button.set_visible(model["state"] != "downloading")
        self.widget.show()

    def _get(self) -> None:
        model = self._models[self._chosen]
        if not model["licence_accepted"]:
            details = _("{purpose}\n\nLicence: {licence}. Size: {size}.").format(
                purpose=model["purpose"], licence=model["licence"], size=amount(model["size"])
            )
            title = _("Download “{title}”?").format(title=model["title"])
            if not ask(self._window, title, details, _("_Accept and Download")):
                return
            self._act("accept_licence")
        self._act("download")

    def _act(self, action: str) -> None:
        self._jobs.session.request(
            "model",
            {"model": self._chosen, "action": action},
            (),
            lambda answer: self.changed(answer.header["model"]),
            lambda error: self._text.set_text(f"{error.message} {error.hint}".strip()),
        )
