"""The line below the choice of model: that it isn't on this computer yet, with its download, or doesn't fit."""
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections.abc import Mapping

from s2edit_editor import models
from s2edit_wire.errors import WireError
from s2edit_wire.records import ModelRecord

from .qt import QHBoxLayout, QLabel, Qt, QToolButton, QWidget, pyqtSignal
from .questions import ask
from .room import room_for

_LINES = 3


class ModelRow(QWidget):
    """Empty while there is nothing to say about the chosen model; its place stays, so that nothing else moves.

    Attributes:
        line: what is to be said.

    Signals:
        action_wanted(model id, action of the wire's `model`), model_wanted(model id): choose that one instead.
    """

    action_wanted = pyqtSignal(str, str)
    model_wanted = pyqtSignal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.line = models.Line()
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
        self.line.choose(chosen)
        self.line.know(known)
        self._show()

    def doubt(self, words: str) -> None:
        """Why the chosen model may not do, "" when it will."""
        self.line.doubt = words
        self._show()

    def refused(self, error: WireError) -> None:
        """An action on the chosen model did not work."""
        self.line.refused(error)
        self._show()

    def _show(self) -> None:
        remark = self.line.remark
        self.words.setText(remark.text)
        self.words.setToolTip(remark.text)
        self.button.setText(remark.label)
        self.button.setVisible(bool(remark.label))

    def _press(self) -> None:
        remark, chosen = self.line.remark, self.line.chosen
        if remark.instead:
            self.model_wanted.emit(remark.instead)
            return
        action, question = self.line.asked(remark.action)
        if question is None:
            self.action_wanted.emit(chosen, action)
        else:  # only a “yes” is told to the daemon, which records it
            ask(self, "s2edit_accept", lambda: self.action_wanted.emit(chosen, action), *question)
