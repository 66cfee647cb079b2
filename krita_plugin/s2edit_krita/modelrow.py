"""The line below the choice of model: that it isn't on this computer yet, with its download, or doesn't fit."""
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections.abc import Mapping

from s2edit_editor import models
from s2edit_editor.text import _ as tr
from s2edit_wire.errors import WireError
from s2edit_wire.records import ModelRecord

from .qt import QHBoxLayout, QLabel, QMessageBox, Qt, QToolButton, QWidget, pyqtSignal
from .room import room_for

_LINES = 3


class ModelRow(QWidget):
    """Empty while there is nothing to say about the chosen model; its place stays, so that nothing else moves.

    Signals:
        action_wanted(model id, action of the wire's `model`), model_wanted(model id): choose that one instead.
    """

    action_wanted = pyqtSignal(str, str)
    model_wanted = pyqtSignal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._known: dict[str, ModelRecord] = {}
        self._chosen = self._doubt = self._complaint = ""
        self.remark = models.Remark()
        self.words = QLabel(self)
        self.words.setObjectName("s2edit_model_words")
        self.button = QToolButton(self)
        self.button.setObjectName("s2edit_model_button")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(room_for(self.words, _LINES), 1)
        layout.addWidget(self.button, 0, Qt.AlignmentFlag.AlignTop)
        self.button.clicked.connect(lambda *_: self._press())
        self.button.hide()

    def show_model(self, known: Mapping[str, ModelRecord], chosen: str) -> None:
        """The chosen model, as the daemon has it now."""
        before, now = self._known.get(self._chosen), known.get(chosen)
        if chosen != self._chosen:
            self._doubt, self._complaint = "", ""
        elif before is not None and now is not None and before["state"] != now["state"]:
            self._complaint = ""
        self._known, self._chosen = dict(known), chosen
        self._show()

    def doubt(self, words: str) -> None:
        """Why the chosen model may not do, "" when it will."""
        self._doubt = words
        self._show()

    def refused(self, error: WireError) -> None:
        """An action on the chosen model did not work; where a licence has to be accepted first, it is asked for."""
        if error.code == "licence_required" and self._chosen in self._known:
            self._ask_licence(self._known[self._chosen], error)
            return
        self._complaint = f"{error.message} {error.hint}".strip()
        self._show()

    def _show(self) -> None:
        self.remark = models.remark(self._known, self._chosen, self._doubt, self._complaint)
        self.words.setText(self.remark.text)
        self.words.setToolTip(self.remark.text)
        self.button.setText(self.remark.label)
        self.button.setVisible(bool(self.remark.label))

    def _press(self) -> None:
        if self.remark.action:
            self.action_wanted.emit(self._chosen, self.remark.action)
        elif self.remark.instead:
            self.model_wanted.emit(self.remark.instead)

    def _ask_licence(self, model: ModelRecord, why: WireError) -> None:
        """Only a “yes” is told to the daemon, which records it. The question stops nothing else in Krita."""
        box = QMessageBox(self.window())
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle(tr("S²Edit"))
        question, details, accept = models.licence_question(model, f"{why.message} {why.hint}".strip())
        box.setText(question)
        box.setInformativeText(details)
        yes = box.addButton(accept, QMessageBox.ButtonRole.AcceptRole)
        if yes is not None:
            yes.setObjectName("s2edit_accept")
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.buttonClicked.connect(
            lambda button: self.action_wanted.emit(model["id"], "accept_licence") if button is yes else None
        )
        box.finished.connect(lambda _result: box.deleteLater())
        box.open()
