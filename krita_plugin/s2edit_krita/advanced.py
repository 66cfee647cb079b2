"""The fields that are folded away at first: guidance, seed, edges, injection, what is read, and the edit mask."""
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .masks import AUTOMATIC, MaskSource
from .order import SEED_RANGE, fresh_seed
from .qt import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QSizePolicy,
    QToolButton,
    QWidget,
    pyqtSignal,
)
from .text import tr


class Dial(NamedTuple):
    """One number of the method: its setting's name, its label, range, step, the method's default, and its help."""

    setting: str
    label: str
    low: float
    high: float
    step: float
    default: float
    hint: str


def dials() -> tuple[Dial, ...]:
    """The settings that a painter may want; the daemon knows more."""
    return (
        Dial("blend.feather", tr("Feather"), 0, 64, 1, 8, tr("Width of the soft edge, in pixels of the model")),
        Dial("blend.grow", tr("Grow"), 0, 64, 1, 0, tr("How far the edit may reach beyond the mask")),
        Dial("blend.context", tr("Context"), 0, 2, 0.05, 0.35, tr("Surroundings of the mask that the model sees")),
        Dial("edit.cross_replace", tr("Keep layout"), 0, 1, 0.05, 0.8, tr("Share of the steps that keep the layout")),
        Dial("edit.self_replace", tr("Keep shapes"), 0, 1, 0.05, 0.4, tr("Share of the steps that keep the shapes")),
    )


class Advanced(QWidget):
    """The folded fields.

    Signals:
        changed().
    """

    changed = pyqtSignal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._sources: list[MaskSource] = []
        self.guidance = _number(1.0 - 0.5, 20.0, 0.5, self)
        self.guidance.setSpecialValueText(tr("Model's own"))
        self.guidance.setToolTip(tr("How strongly the text is followed"))
        self.seed = QLineEdit("0", self)
        self.seed.setObjectName("s2edit_seed")
        self.dice = QToolButton(self)
        self.dice.setText("⚄")
        self.dice.setToolTip(tr("Another seed"))
        self.whole = QCheckBox(tr("Read all visible layers"), self)
        self.edit_mask = QComboBox(self)
        self.edit_mask.setToolTip(tr("Where pixels may change"))
        self.edit_mask.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._dials = {dial.setting: (dial, _number(dial.low, dial.high, dial.step, self)) for dial in dials()}
        seed_line = QHBoxLayout()
        seed_line.addWidget(self.seed)
        seed_line.addWidget(self.dice)
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow(tr("Guidance"), self.guidance)
        form.addRow(tr("Seed"), seed_line)
        form.addRow(tr("Edit within"), self.edit_mask)
        for dial, box in self._dials.values():
            box.setValue(dial.default)
            box.setToolTip(dial.hint)
            form.addRow(dial.label, box)
            box.valueChanged.connect(lambda _value: self.changed.emit())
        form.addRow(self.whole)
        self.guidance.setValue(self.guidance.minimum())
        self.offer([])
        self.dice.clicked.connect(lambda: self.seed.setText(str(fresh_seed())))
        for signal in (self.guidance.valueChanged, self.whole.toggled, self.edit_mask.activated):
            signal.connect(lambda _value: self.changed.emit())

    def offer(self, sources: Sequence[MaskSource]) -> None:
        """Set what the edit mask can be; the first choice leaves it to the object's mask."""
        chosen = self.chosen_mask()
        self._sources = [source for source in sources if source.kind != AUTOMATIC]
        self.edit_mask.clear()
        self.edit_mask.addItem(tr("The object"))
        for source in self._sources:
            self.edit_mask.addItem(source.label)
        if chosen in self._sources:
            self.edit_mask.setCurrentIndex(self._sources.index(chosen) + 1)

    def chosen_mask(self) -> MaskSource | None:
        """The edit mask, when it is not the object's."""
        index = self.edit_mask.currentIndex() - 1
        return self._sources[index] if 0 <= index < len(self._sources) else None

    def guidance_value(self) -> float | None:
        """The guidance scale, None for the model's own."""
        value = float(self.guidance.value())
        return None if value <= self.guidance.minimum() else value

    def seed_value(self) -> int:
        """The seed; a text that is no number counts as its own sum, so that any word will do."""
        text = self.seed.text().strip()
        return int(text) % SEED_RANGE if text.isdigit() else sum(text.encode()) % SEED_RANGE

    def settings(self) -> dict[str, float]:
        """Settings that differ from the method's defaults."""
        values = {name: (dial, round(float(box.value()), 3)) for name, (dial, box) in self._dials.items()}
        return {name: value for name, (dial, value) in values.items() if value != dial.default}

    def fill(self, guidance: float | None, seed: int, settings: Mapping[str, Any]) -> None:
        """Show these values."""
        self.guidance.setValue(self.guidance.minimum() if guidance is None else guidance)
        self.seed.setText(str(seed))
        for name, (dial, box) in self._dials.items():
            box.setValue(float(settings.get(name, dial.default)))


def _number(low: float, high: float, step: float, parent: QWidget) -> QDoubleSpinBox:
    box = QDoubleSpinBox(parent)
    box.setDecimals(2 if step < 0.5 else 1)
    box.setRange(low, high)
    box.setSingleStep(step)
    return box
