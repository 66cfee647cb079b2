"""The fields that are folded away at first: guidance, seed, edges, injection, what is read, and the edit mask."""
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections.abc import Sequence

from s2edit_editor.dials import Dials
from s2edit_editor.host import AUTOMATIC, MaskChoice
from s2edit_editor.masks import Waiting
from s2edit_editor.text import _ as tr
from s2edit_editor.wish import Wish, fresh_seed, seed_of
from s2edit_editor.words import knob_title, unseen
from s2edit_wire.knobs import knobs

from .dials import DialBox
from .qt import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSizePolicy,
    Qt,
    QToolButton,
    QWidget,
    pyqtSignal,
)
from .wheel import scrolls_by


class Advanced(QWidget):
    """The folded fields.

    Attributes:
        settings, show_own: tells and takes settings by name; see `s2edit_editor.dials.Dials`.

    Signals:
        changed().
    """

    changed = pyqtSignal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._within = Waiting(MaskChoice(AUTOMATIC, label=tr("The object")))
        self.seed = QLineEdit("0", self)
        self.seed.setObjectName("s2edit_seed")
        self.dice = QToolButton(self)
        self.dice.setText("⚄")
        self.dice.setToolTip(tr("Another seed"))
        self.whole = QCheckBox(tr("Read all visible layers"), self)
        self.unseen = QLabel(self)
        self.unseen.setWordWrap(True)
        self.unseen.setTextFormat(Qt.TextFormat.PlainText)
        self.unseen.hide()
        self.edit_mask = QComboBox(self)
        self.edit_mask.setToolTip(tr("Where pixels may change"))
        self.edit_mask.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        scrolls_by(self.edit_mask)
        self._dials = Dials()
        self.settings, self.show_own = self._dials.settings, self._dials.know
        self.dials = {name: DialBox(dial, self) for name, dial in self._dials.all.items()}
        seed_line = QHBoxLayout()
        seed_line.addWidget(self.seed)
        seed_line.addWidget(self.dice)
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow(tr("Seed"), seed_line)
        form.addRow(tr("Edit within"), self.edit_mask)
        for name, box in self.dials.items():
            form.addRow(knob_title(knobs()[name]), box)
            box.changed.connect(self.changed.emit)
        form.addRow(self.whole)
        form.addRow(self.unseen)
        self.offer([])
        self.dice.clicked.connect(lambda: self.seed.setText(str(fresh_seed())))
        self.whole.toggled.connect(lambda _value: self.changed.emit())
        self.edit_mask.activated.connect(self._chosen)

    def offer(self, sources: Sequence[MaskChoice]) -> None:
        """Set what the edit mask can be; the first choice leaves it to the object's mask."""
        self._within.offer([self._within.offered[0], *(source for source in sources if source.kind != AUTOMATIC)])
        self.edit_mask.clear()
        self.edit_mask.addItems([source.label for source in self._within.offered])
        self.edit_mask.setCurrentIndex(self._within.place)

    def chosen_mask(self) -> MaskChoice | None:
        """The edit mask, when it is not the object's."""
        return self._within.now if self._within.now.kind != AUTOMATIC else None

    def _chosen(self, index: int) -> None:
        self._within.choose(self._within.offered[index])
        self.changed.emit()

    def seed_value(self) -> int:
        """The seed."""
        return seed_of(self.seed.text())

    def fill(self, wish: Wish) -> None:
        """Show its values; what is not among them is the model's own."""
        self.seed.setText(str(wish.seed))
        self._dials.fill(wish)
        self.unseen.setText(unseen(wish))
        self.unseen.setVisible(bool(wish.unseen))
