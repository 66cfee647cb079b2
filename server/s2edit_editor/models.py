"""What is to be said of the chosen model: that it isn't here yet, with its download, or doesn't know such pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from s2edit_wire.errors import WireError
from s2edit_wire.knobs import Value
from s2edit_wire.records import ModelRecord

from . import words
from .text import _

LAST_RESORT = "portraits"
"""The model that comes with S²Edit."""


@dataclass(frozen=True)
class Remark:
    """A line below the choice of model, "" for none, and its button.

    Args:
        text: what is said. label: what the button says, "" for none.
        action: what the daemon does with the chosen model then (`schema.MODEL_ACTIONS`), "" for nothing.
        instead: the model that is chosen then, "" for none.
    """

    text: str = ""
    label: str = ""
    action: str = ""
    instead: str = ""


def default_model(settings: Mapping[str, Value], program: str) -> str:
    """The model that the daemon's settings name for a program (`gimp`, `krita`, `cli`), where the user chose none."""
    return str(settings.get(f"model_{program}") or settings.get("default_model") or LAST_RESORT)


def editors(models: Iterable[ModelRecord]) -> dict[str, ModelRecord]:
    """Those that edit, by id."""
    return {model["id"]: model for model in models if model["role"] == "editor"}


def title(model: ModelRecord) -> str:
    """What a choice shows: one that isn't here says so, with its size."""
    if model["state"] == "ready":
        return model["title"]
    return _("{title} (not installed, {size})", title=model["title"], size=words.size(model["size"]))


def example(models: Mapping[str, ModelRecord], chosen: str) -> str:
    """A sentence that the model understands, "" when none is known."""
    return next(iter(models[chosen]["examples"]), "") if chosen in models else ""


def remark(models: Mapping[str, ModelRecord], chosen: str, doubt: str = "", refusal: str = "") -> Remark:
    """What is to be said of the chosen model.

    Args:
        models: `editors`. chosen: an id of them; another one is passed over.
        doubt: what a plan said of it that blocks nothing, such as that it knows no photographs.
        refusal: why the last action on it did not work.
    """
    model = models.get(chosen)
    if model is None:
        return Remark(doubt)
    share = 100 * model["present"] // max(1, model["size"])
    why = refusal or model.get("message", "")
    state = model["state"]
    if state == "downloading":
        return Remark(_("“{title}” is on its way: {share} %.", title=model["title"], share=share), _("Pause"), "pause")
    if state in ("partial", "paused"):
        said = _("“{title}” is here by {share} %.", title=model["title"], share=share)
        return Remark(f"{said} {why}".strip(), _("Resume"), "download")
    if state == "absent":
        said = _("“{title}” is not on this computer yet: {size}.", title=model["title"], size=words.size(model["size"]))
        return Remark(f"{said} {why}".strip(), _("Download…"), "download")
    if state == "broken":
        return Remark(f"{model['title']}: {why}", _("Repair"), "repair")
    if refusal:
        return Remark(refusal)
    better = better_for_photographs(models, chosen) if doubt else ""
    return Remark(doubt, _("Use It") if better else "", instead=better)


LicenceQuestion = tuple[str, str, str]
"""The question, its details, and what the yes says."""


class ChosenModel:
    """Which model a form works with, and the line below that choice: what is to be said, and what its button does.

    Attributes:
        known: `editors`.
        doubt: what a plan said of it that blocks nothing. refusal: why the last action on it did not work.
    """

    def __init__(self) -> None:
        self.known: dict[str, ModelRecord] = {}
        self.doubt = self.refusal = ""
        self._wanted, self._default = "", LAST_RESORT

    @property
    def chosen(self) -> str:
        """What the painter or an earlier edit chose, if it is known here, else the default one."""
        return self._wanted if self._wanted in (self.known or [self._wanted]) and self._wanted else self._default

    @property
    def titles(self) -> dict[str, str]:
        """What the choice shows, by id."""
        return {name: title(model) for name, model in self.known.items()}

    @property
    def remark(self) -> Remark:
        """What is shown."""
        return remark(self.known, self.chosen, self.doubt, self.refusal)

    @property
    def instructs(self) -> bool:
        """Whether the chosen model takes one instruction: only what should change is asked for then."""
        model = self.known.get(self.chosen)
        return model is not None and model.get("instructs", False)

    @property
    def offers_download(self) -> bool:
        """Whether it says already that the chosen model has to be downloaded."""
        return bool(self.remark.action)

    def choose(self, model: str) -> None:
        """A model was chosen, "" for the default one: what was said of the last one is no longer."""
        before, self._wanted = self.chosen, model
        self._forget(before)

    def know(self, known: Mapping[str, ModelRecord], default: str) -> tuple[bool, bool]:
        """The models as the daemon has them now, and which one is the default.

        Returns:
            Whether the choice shows other titles now, and whether the chosen model has become ready.
        """
        titles, before = self.titles, self.chosen
        was = self.known.get(before)
        self.known, self._default = dict(known), default
        self._forget(before)
        now = self.known.get(self.chosen)
        changed = was is not None and now is not None and was["id"] == now["id"] and was["state"] != now["state"]
        if changed:
            self.refusal = ""
        return titles != self.titles or before != self.chosen, changed and now is not None and now["state"] == "ready"

    def _forget(self, before: str) -> None:
        if self.chosen != before:
            self.doubt = self.refusal = ""

    def refused(self, error: WireError) -> None:
        """An action did not work."""
        self.refusal = error.sentence

    def asked(self, action: str, why: str = "") -> tuple[str, LicenceQuestion | None]:
        """What is asked of the daemon for an action, and the question that the painter has to say yes to before."""
        model = self.known[self.chosen]
        if action == "download" and not model["licence_accepted"]:
            return "accept_licence", licence_question(model, why)
        return action, None


def better_for_photographs(models: Mapping[str, ModelRecord], chosen: str) -> str:
    """Another model, of photographs: one that is here rather than one that isn't; "" where there is none.

    The daemon's advice is about the same one: the first that is here, else the first of the catalogue.
    """
    fitting = [model for name, model in models.items() if model["domain"] == "photo" and name != chosen]
    fitting.sort(key=lambda model: model["state"] != "ready")
    return fitting[0]["id"] if fitting else ""


def licence_question(model: ModelRecord, why: str = "") -> LicenceQuestion:
    """What is asked before a model with a licence is downloaded: question, details, what the yes says."""
    details = _("{purpose}\n\nLicence: {licence}. Size: {size}.").format(
        purpose=model["purpose"], licence=model["licence"], size=words.size(model["size"])
    )
    question = _("Download “{title}”?", title=model["title"])
    return question, f"{why}\n\n{details}".strip(), _("Accept and Download")
