"""The line below the choice of model: that it isn't on this computer yet, with its download, or doesn't fit."""
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from s2edit_editor.models import Remark
from s2edit_editor.text import hover

from .qt import QHBoxLayout, QLabel, Qt, QToolButton, QWidget, pyqtSignal
from .room import room_for

_LINES = 3


class ModelRow(QWidget):
    """Empty while there is nothing to say about the chosen model; its place stays, so that nothing else moves.

    Signals:
        pressed(): its button.
    """

    pressed = pyqtSignal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.words = QLabel(self)
        self.words.setObjectName("s2edit_model_words")
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.button = QToolButton(self)
        self.button.setObjectName("s2edit_model_button")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(room_for(self.words, _LINES), 1)
        layout.addWidget(self.button, 0, Qt.AlignmentFlag.AlignTop)
        self.button.clicked.connect(lambda *_: self.pressed.emit())
        self.button.hide()

    def show_remark(self, remark: Remark) -> None:
        """What is to be said of the chosen model now."""
        self.words.setText(remark.text)
        self.words.setToolTip(hover(remark.text))
        self.button.setText(remark.label)
        self.button.setVisible(bool(remark.label))
