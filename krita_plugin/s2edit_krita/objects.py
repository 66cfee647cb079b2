"""The rows of objects in the docker: each a word of the source prompt and the place its mask comes from."""
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from s2edit_editor.host import MaskChoice
from s2edit_editor.masks import Waiting, automatic, to_paint
from s2edit_editor.text import _ as tr

from .qt import QComboBox, QHBoxLayout, QLabel, QLineEdit, QSizePolicy, QToolButton, QVBoxLayout, QWidget, pyqtSignal
from .wheel import scrolls_by


class Target(NamedTuple):
    """An object of the edit: its word in the description, and where its mask comes from."""

    word: str
    mask: MaskChoice


class ObjectRow(QWidget):
    """One object.

    Signals:
        changed(), dropped(row).
    """

    changed = pyqtSignal()
    dropped = pyqtSignal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._mask = Waiting(automatic())
        self.word_box = QComboBox(self)
        self.word_box.setLineEdit(line(tr("Word"), "s2edit_word", self))
        self.word_box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.word_box.setToolTip(tr("The word of the first text that names what is edited"))
        self.mask_box = QComboBox(self)
        self.mask_box.setToolTip(tr("Where the object is in the picture"))
        for box in (self.word_box, self.mask_box):
            box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            box.setMinimumWidth(60)
            box.setFixedHeight(box.sizeHint().height())
            scrolls_by(box)
        self.drop = QToolButton(self)
        self.drop.setText("✕")
        self.drop.setToolTip(tr("Remove this object"))
        self.drop.setAutoRaise(True)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.word_box, 2)
        layout.addWidget(self.mask_box, 3)
        layout.addWidget(self.drop)
        self.word_box.editTextChanged.connect(lambda _text: self.changed.emit())
        self.mask_box.activated.connect(self._chosen)
        self.drop.clicked.connect(lambda: self.dropped.emit(self))

    def target(self) -> Target:
        """What is chosen."""
        return Target(self.word_box.currentText().strip(), self._mask.now)

    def offer_words(self, words: Sequence[str]) -> None:
        """Words to pick from; what is typed stays, and the cursor in it."""
        field = self.word_box.lineEdit()
        assert field is not None, "the box is editable"
        typed, cursor = field.text(), field.cursorPosition()
        if [self.word_box.itemText(index) for index in range(self.word_box.count())] == list(words):
            return
        self.word_box.blockSignals(True)
        self.word_box.clear()
        self.word_box.addItems(list(words))
        self.word_box.setEditText(typed)
        field.setCursorPosition(cursor)
        self.word_box.blockSignals(False)

    def offer_masks(self, sources: Sequence[MaskChoice]) -> None:
        """Mask sources to choose from; one that was chosen and is missing, as on another layer, is waited for."""
        self.mask_box.clear()
        self._mask.offer(sources)
        self.mask_box.addItems([source.label for source in sources])
        self.mask_box.setCurrentIndex(self._mask.place)

    def choose_mask(self, source: MaskChoice) -> None:
        """Choose a mask source; it may be offered later."""
        self._mask.choose(source)
        self.mask_box.setCurrentIndex(self._mask.place)
        self.changed.emit()

    def _chosen(self, index: int) -> None:
        self.choose_mask(self._mask.offered[index])


class ObjectRows(QWidget):
    """All objects of the edit; the first is the main one and cannot be removed.

    Signals:
        changed().
    """

    changed = pyqtSignal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.rows: list[ObjectRow] = []
        self._words: list[str] = []
        self._sources: list[MaskChoice] = [automatic()]
        self._asked = True
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self.add()

    def add(self) -> ObjectRow:
        """One more object."""
        row = ObjectRow(self)
        row.offer_masks(self._sources)
        row.offer_words(self._words)
        row.drop.setVisible(bool(self.rows))
        row.word_box.setVisible(self._asked)
        row.changed.connect(self.changed.emit)
        row.dropped.connect(self._drop)
        self.rows.append(row)
        self._layout.addWidget(row)
        self.changed.emit()
        return row

    def ask_words(self, *, asked: bool) -> None:
        """Whether objects are called by words; without, a row is a mask alone."""
        self._asked = asked
        for row in self.rows:
            row.word_box.setVisible(asked)

    def targets(self) -> tuple[Target, ...]:
        """The objects that have a word."""
        return tuple(target for target in (row.target() for row in self.rows) if target.word)

    def offer(self, sources: Sequence[MaskChoice]) -> None:
        """Set the mask sources of all rows."""
        if list(sources) != self._sources:
            self._sources = list(sources)
            for row in self.rows:
                row.offer_masks(sources)

    def offer_words(self, words: Sequence[str]) -> None:
        """Set the words of all rows; an empty main object takes the first."""
        self._words = list(words)
        for row in self.rows:
            row.offer_words(words)

    def fill(self, words: Sequence[str]) -> None:
        """Show these objects, masks to be chosen again where they are gone."""
        while len(self.rows) > max(1, len(words)):
            self._drop(self.rows[-1])
        while len(self.rows) < len(words):
            self.add()
        for row, word in zip(self.rows, words, strict=False):
            row.word_box.setEditText(word)

    def row_for_painting(self) -> ObjectRow:
        """The first row whose mask is not painted yet, else a new one (the last when there are enough)."""
        index = to_paint([row.target().mask for row in self.rows])
        return self.rows[index] if index < len(self.rows) else self.add()

    def _drop(self, row: Any) -> None:
        if len(self.rows) > 1 and row in self.rows:
            self.rows.remove(row)
            row.setParent(None)
            row.deleteLater()
            self.changed.emit()


def heading(text: str, parent: QWidget) -> QLabel:
    """A field's label above it."""
    label = QLabel(text, parent)
    label.setWordWrap(True)
    return label


def line(placeholder: str, name: str, parent: QWidget) -> QLineEdit:
    """A one-line field with an example in gray."""
    edit = QLineEdit(parent)
    edit.setObjectName(name)
    edit.setPlaceholderText(placeholder)
    return edit
