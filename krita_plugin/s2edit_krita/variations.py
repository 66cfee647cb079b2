"""Several results at once: other target texts, seeds, guidance values. The picked ones become layers."""
# mypy: disallow-subclassing-any=False

from __future__ import annotations

import re

from .order import Order
from .qt import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)
from .text import tr

MOST = 16


class VariationsDialog(QDialog):
    """Asks what shall vary.

    Args:
        order: the edit as the docker's fields have it.
    """

    def __init__(self, order: Order, parent: QWidget) -> None:
        super().__init__(parent)
        self._order = order
        self.setWindowTitle(tr("Variations"))
        self.targets = QPlainTextEdit(order.target, self)
        self.targets.setMaximumHeight(90)
        self.seeds = QSpinBox(self)
        self.seeds.setRange(1, MOST)
        self.seeds.setValue(4)
        self.guidance = QLineEdit(self)
        self.guidance.setPlaceholderText("3.5, 4.5, 5.5")
        self.count = QLabel(self)
        form = QFormLayout()
        form.addRow(tr("What it should show, one per line"), self.targets)
        form.addRow(tr("Seeds"), self.seeds)
        form.addRow(tr("Guidance values"), self.guidance)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, parent=self)
        self.buttons.addButton(tr("Edit"), QDialogButtonBox.ButtonRole.AcceptRole)
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

    def orders(self) -> list[Order]:
        """The jobs; at most `MOST`."""
        return self._all()[:MOST]

    def _all(self) -> list[Order]:
        lines = [line.strip() for line in self.targets.toPlainText().splitlines() if line.strip()]
        values = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", self.guidance.text())]
        return self._order.variations(lines, self.seeds.value(), [min(20.0, max(1.0, value)) for value in values])

    def _counted(self) -> None:
        found = len(self._all())
        self.count.setText(
            tr("{n} results; the identity is learned once.", n=found)
            if found <= MOST
            else tr("{n} results are too many; the first {most} will be made.", n=found, most=MOST)
        )
