"""What stands below the list while a result is looked at on the canvas: which one it is, and what can be done."""
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from s2edit_editor.previewing import ADD, DISMISS, NEXT, PREVIOUS, Preview, actions
from s2edit_editor.text import _ as tr

from .desk import KritaDesk
from .host import front
from .qt import QHBoxLayout, QLabel, Qt, QToolButton, QVBoxLayout, QWidget


class PreviewBar(QWidget):
    """Hidden while nothing is looked at.

    Args:
        desk: knows the results.

    Attributes:
        preview: what the buttons act on.
    """

    def __init__(self, desk: KritaDesk, parent: QWidget) -> None:
        super().__init__(parent)
        self.preview = Preview(desk, front, self._follow)
        self._words = QLabel(self)
        self._words.setObjectName("s2edit_preview_words")
        self._words.setWordWrap(True)
        self._words.setTextFormat(Qt.TextFormat.PlainText)
        layout, buttons = QVBoxLayout(self), QHBoxLayout()
        layout.setContentsMargins(6, 2, 6, 2)
        layout.addWidget(self._words)
        layout.addLayout(buttons)
        faces = {PREVIOUS: "◀", NEXT: "▶", ADD: tr("Add as layer"), DISMISS: tr("Dismiss")}
        self._buttons = {name: self._button(name, face) for name, face in faces.items()}
        for button in self._buttons.values():
            buttons.addWidget(button)
        buttons.addStretch(1)
        self._follow()

    def _follow(self) -> None:
        bar = self.preview.bar
        self.setVisible(bar is not None)
        if bar is not None:
            self._words.setText(bar.text)
            for name in (PREVIOUS, NEXT):
                self._buttons[name].setEnabled(bar.several)

    def _button(self, name: str, face: str) -> QToolButton:
        button = QToolButton(self)
        button.setText(face)
        button.setObjectName(f"s2edit_preview_{name}")
        button.setToolTip(actions()[name])
        button.clicked.connect(lambda *_: self.preview.acts[name]())
        return button
