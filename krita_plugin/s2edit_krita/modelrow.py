"""The line below the choice of model: that it isn't on this computer yet, with its download, or doesn't fit."""
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from s2edit_wire.errors import WireError

from . import text
from .qt import QHBoxLayout, QLabel, QMessageBox, QSizePolicy, QToolButton, QWidget, pyqtSignal
from .text import tr

Model = Mapping[str, Any]


class ModelRow(QWidget):
    """Hidden while there is nothing to say about the chosen model.

    Signals:
        action_wanted(model id, action of the wire's `model`), model_wanted(model id): choose that one instead,
        changed(): it needs another height now.
    """

    action_wanted = pyqtSignal(str, str)
    model_wanted = pyqtSignal(str)
    changed = pyqtSignal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._model: Model | None = None
        self._doubt = ""
        self._better: Model | None = None
        self._complaint = ""
        self._does = ("", "")
        self.words = QLabel(self)
        self.words.setObjectName("s2edit_model_words")
        self.words.setWordWrap(True)
        self.words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.button = QToolButton(self)
        self.button.setObjectName("s2edit_model_button")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.words, 1)
        layout.addWidget(self.button)
        self.button.clicked.connect(lambda *_: self._press())
        self.hide()

    def show_model(self, model: Model | None) -> None:
        """The chosen model, as the daemon has it now."""
        if model is None or self._model is None or model["id"] != self._model["id"]:
            self._doubt, self._better, self._complaint = "", None, ""
        elif model["state"] != self._model["state"]:
            self._complaint = ""
        self._model = model
        self._show()

    def doubt(self, words: str, better: Model | None) -> None:
        """Why the chosen model may not do, "" when it will; `better` is offered instead."""
        self._doubt, self._better = words, better
        self._show()

    def refused(self, error: WireError) -> None:
        """An action on the chosen model did not work; where a licence has to be accepted first, it is asked for."""
        if error.code == "licence_required" and self._model is not None:
            self._ask_licence(self._model, error)
            return
        self._complaint = f"{error.message} {error.hint}".strip()
        self._show()

    def _show(self) -> None:
        words, label, does = self._situation()
        self._does = does
        before = self.words.text()
        self.words.setText(self._complaint or words)
        self.button.setText(label)
        self.button.setVisible(bool(label))
        self.setVisible(bool(words))
        if self.words.text() != before:
            self.changed.emit()

    def _situation(self) -> tuple[str, str, tuple[str, str]]:
        """What is said, what the button says, and its action on which model."""
        model = self._model
        if model is None:
            return "", "", ("", "")
        name, state = model["id"], model["state"]
        values = {
            "title": model["title"],
            "size": text.size(model["size"]),
            "share": 100 * model["present"] // max(1, model["size"]),
        }
        if state == "downloading":
            return tr("“{title}” is on its way: {share} %.", **values), tr("Pause"), (name, "pause")
        if state in {"partial", "paused"}:
            return tr("“{title}” is here by {share} %.", **values), tr("Resume"), (name, "download")
        if state == "absent":
            words = tr("“{title}” is not on this computer yet: {size}.", **values)
            return words, tr("Download…"), (name, "download")
        if state == "broken":
            return f"{model['title']}: {model.get('message', '')}", tr("Repair"), (name, "repair")
        better = self._better
        return self._doubt, tr("Choose it") if self._doubt and better else "", (better["id"] if better else "", "")

    def _press(self) -> None:
        model, action = self._does
        if action:
            self.action_wanted.emit(model, action)
        elif model:
            self.model_wanted.emit(model)

    def _ask_licence(self, model: Model, why: WireError) -> None:
        """Only a “yes” is told to the daemon, which records it. The question stops nothing else in Krita."""
        box = QMessageBox(self.window())
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle(tr("S²Edit"))
        box.setText(f"{why.message} {why.hint}".strip())
        box.setInformativeText(f"{model['purpose']}\n{model['licence']} · {text.size(model['size'])}")
        yes = box.addButton(tr("Accept and download"), QMessageBox.ButtonRole.AcceptRole)
        if yes is not None:
            yes.setObjectName("s2edit_accept")
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.buttonClicked.connect(
            lambda button: self.action_wanted.emit(model["id"], "accept_licence") if button is yes else None
        )
        box.finished.connect(lambda _result: box.deleteLater())
        box.open()
