"""Composition: take something from another layer, document or file into this picture."""
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from s2edit_editor.host import Reference
from s2edit_editor.order import Order
from s2edit_editor.taking import references
from s2edit_editor.text import _ as tr
from s2edit_editor.wish import one_sentence

from .document import everything_open, node_mark
from .host import KritaHost
from .objects import heading, line
from .qt import QComboBox, QDialog, QDialogButtonBox, QFileDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

_LEAST_WIDTH = 380
"""Pixels in which a prompt can be read."""


class ComposeDialog(QDialog):
    """Asks for the reference and for both texts.

    Args:
        order: the edit as the docker's fields have it.
        taken: what the reference shows and the word of what is taken from it, as far as they are known.
    """

    def __init__(self, order: Order, taken: Sequence[str], parent: QWidget) -> None:
        super().__init__(parent)
        self._order = order
        self.setWindowTitle(tr("Compose"))
        opened = [(node_mark(host.document.rootNode()), host) for host in map(KritaHost, everything_open())]
        self._references = references(opened, opened[0][1].edited() if opened else "")
        self.reference = QComboBox(self)
        self.reference.setObjectName("s2edit_reference")
        for reference in self._references:
            self.reference.addItem(reference.label)
        self.file = QPushButton(tr("File…"), self)
        self.file.setAutoDefault(False)
        self.shows = line(tr("a woman with makeup"), "s2edit_reference_prompt", self)
        self.attribute = line(tr("makeup"), "s2edit_attribute", self)
        self.mix = line(tr("a lady with makeup"), "s2edit_mix", self)
        for field, text in zip((self.shows, self.attribute), taken, strict=False):
            field.setText(text)
        self.mix.setText(order.wish.target)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, parent=self)
        self.take = QPushButton(tr("Compose"), self)
        self.take.setObjectName("s2edit_take")
        self.take.setDefault(True)
        buttons.addButton(self.take, QDialogButtonBox.ButtonRole.AcceptRole)
        self.setMinimumWidth(_LEAST_WIDTH)
        layout = QVBoxLayout(self)
        row = QHBoxLayout()
        row.addWidget(self.reference, 1)
        row.addWidget(self.file)
        layout.addWidget(heading(tr("Take from"), self))
        layout.addLayout(row)
        for label, field in (
            (tr("Reference shows"), self.shows),
            (tr("The word of what is taken"), self.attribute),
            (tr("Should show"), self.mix),
        ):
            layout.addWidget(heading(label, self))
            layout.addWidget(field)
            field.textChanged.connect(lambda _text: self._check())
        layout.addWidget(buttons)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self.file.clicked.connect(self._choose_file)
        self._check()

    def order(self) -> Order:
        """The job."""
        index = self.reference.currentIndex()
        reference = self._references[index] if index >= 0 else None
        shows, target = one_sentence(self.shows.text()), one_sentence(self.mix.text())
        return self._order.composed(reference, shows, self.attribute.text().strip(), target)

    def add_file(self, path: str) -> None:
        """Offer a file and choose it."""
        self._references.append(Reference(path, Path(path).name))
        self.reference.addItem(self._references[-1].label)
        self.reference.setCurrentIndex(self.reference.count() - 1)
        self._check()

    def _check(self) -> None:
        """No order without something to take from and words for both pictures."""
        told = all(field.text().strip() for field in (self.shows, self.mix))
        self.take.setEnabled(told and self.reference.currentIndex() >= 0)

    def _choose_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, tr("Take from"))
        if path:
            self.add_file(path)
