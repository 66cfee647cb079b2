"""The fields that are folded away at first: guidance, seed, edges, injection, what is read, and the edit mask."""
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .dials import GUIDANCE, DialBox, dials
from .masks import AUTOMATIC, MaskSource
from .order import SEED_RANGE, fresh_seed
from .qt import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QSizePolicy,
    QToolButton,
    QWidget,
    pyqtSignal,
)
from .text import tr
from .wheel import scrolls_by


class Advanced(QWidget):
    """The folded fields.

    Signals:
        changed().
    """

    changed = pyqtSignal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._sources: list[MaskSource] = []
        self.seed = QLineEdit("0", self)
        self.seed.setObjectName("s2edit_seed")
        self.dice = QToolButton(self)
        self.dice.setText("⚄")
        self.dice.setToolTip(tr("Another seed"))
        self.whole = QCheckBox(tr("Read all visible layers"), self)
        self.edit_mask = QComboBox(self)
        self.edit_mask.setToolTip(tr("Where pixels may change"))
        self.edit_mask.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        scrolls_by(self.edit_mask)
        known = {dial.setting: dial for dial in dials()}
        self.dials = {name: DialBox(dial, self) for name, dial in known.items()}
        seed_line = QHBoxLayout()
        seed_line.addWidget(self.seed)
        seed_line.addWidget(self.dice)
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow(tr("Seed"), seed_line)
        form.addRow(tr("Edit within"), self.edit_mask)
        for name, box in self.dials.items():
            form.addRow(known[name].label, box)
            box.changed.connect(self.changed.emit)
        form.addRow(self.whole)
        self.offer([])
        self.dice.clicked.connect(lambda: self.seed.setText(str(fresh_seed())))
        for signal in (self.whole.toggled, self.edit_mask.activated):
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
        return self.dials[GUIDANCE].value()

    def seed_value(self) -> int:
        """The seed; a text that is no number counts as its own sum, so that any word will do."""
        text = self.seed.text().strip()
        return int(text) % SEED_RANGE if text.isdigit() else sum(text.encode()) % SEED_RANGE

    def settings(self) -> dict[str, float]:
        """Settings that were chosen by hand; all others are the model's own, which only the daemon knows."""
        values = {name: box.value() for name, box in self.dials.items() if name != GUIDANCE}
        return {name: value for name, value in values.items() if value is not None}

    def show_own(self, settings: Mapping[str, Any]) -> None:
        """Show what the model works with (a plan's `settings`) wherever nothing was chosen by hand."""
        for name, box in self.dials.items():
            if name in settings:
                box.show_own(float(settings[name]))

    def fill(self, guidance: float | None, seed: int, settings: Mapping[str, Any]) -> None:
        """Show these values; what is not among them is the model's own."""
        self.seed.setText(str(seed))
        chosen = {**settings, GUIDANCE: guidance}
        for name, box in self.dials.items():
            value = chosen.get(name)
            box.choose(None if value is None else float(value))
