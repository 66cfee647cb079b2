"""Several results at once: other target texts, seeds, guidance values. The picked ones become layers."""
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from s2edit_editor import words
from s2edit_editor.text import _ as tr
from s2edit_editor.wish import MOST_VARIATIONS, Wish, guidance_values, several

from .qt import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)


class VariationsDialog(QDialog):
    """Asks what shall vary.

    Args:
        wish: the edit as the docker's fields have it.
    """

    def __init__(self, wish: Wish, parent: QWidget) -> None:
        super().__init__(parent)
        self._wish = wish
        self.setWindowTitle(tr("Variations"))
        self.targets = QPlainTextEdit(wish.target, self)
        self.targets.setMaximumHeight(90)
        self.seeds = QSpinBox(self)
        self.seeds.setRange(1, MOST_VARIATIONS)
        self.seeds.setValue(4)
        self.guidance = QLineEdit(self)
        self.guidance.setPlaceholderText("3.5, 4.5, 5.5")
        self.count = QLabel(self)
        form = QFormLayout()
        form.addRow(tr("What it should show, one per line"), self.targets)
        form.addRow(tr("Seeds"), self.seeds)
        form.addRow(tr("Guidance values"), self.guidance)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, parent=self)
        self.start = QPushButton(tr("Edit"), self)
        self.start.setObjectName("s2edit_start_variations")
        self.buttons.addButton(self.start, QDialogButtonBox.ButtonRole.AcceptRole)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(self.count)
        layout.addWidget(self.buttons)
        self.targets.textChanged.connect(self._counted)
        self.seeds.valueChanged.connect(lambda _value: self._counted())
        self.guidance.textChanged.connect(lambda _text: self._counted())
        self._counted()

    def wishes(self) -> list[Wish]:
        """The edits."""
        targets, values = several(self.targets.toPlainText()), guidance_values(self.guidance.text())
        return self._wish.variations(targets, self.seeds.value(), values)

    def _counted(self) -> None:
        found = len(self.wishes())
        self.start.setEnabled(found <= MOST_VARIATIONS)
        self.count.setText(words.several(found))
