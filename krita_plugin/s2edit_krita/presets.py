"""The button with the menu of presets."""
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections.abc import Callable

from s2edit_editor.preset_menu import PresetMenu
from s2edit_editor.presets import LONGEST_NAME
from s2edit_editor.rows import Question
from s2edit_editor.text import _ as tr

from .qt import QInputDialog, QLineEdit, QMenu, QToolButton, QWidget
from .questions import ask


class PresetButton(QToolButton):
    """Its menu is made anew whenever it opens: the other editor may have saved one.

    Attributes:
        does: what its entries do. choices: the menu.
    """

    does: PresetMenu

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setText(tr("Presets") + " ▾")  # the arrow of Qt's own menu buttons is drawn over the text
        self.setObjectName("s2edit_presets")
        self.setToolTip(tr("Your own settings by name, the same in GIMP and Krita"))
        self.choices = QMenu(self)
        self.choices.setObjectName("s2edit_presets_menu")
        self.choices.aboutToShow.connect(self._offer)
        self.clicked.connect(lambda *_: self.choices.popup(self.mapToGlobal(self.rect().bottomLeft())))

    def _offer(self) -> None:
        self.choices.clear()
        names = self.does.names()
        _add(self.choices, names, self.does.choose)
        self.choices.addSeparator()
        saving = self.choices.addAction(tr("Save as preset…"))
        if saving is not None:
            saving.triggered.connect(lambda *_: self._name())
        deleting = self.choices.addMenu(tr("Delete preset"))
        if deleting is not None:
            deleting.setEnabled(bool(names))
            _add(deleting, names, lambda name: self.does.delete(name, self._ask))

    def _name(self) -> None:
        dialog = QInputDialog(self.window())
        dialog.setWindowTitle(tr("S²Edit"))
        dialog.setLabelText(tr("Name of the preset"))
        dialog.setOkButtonText(tr("Save"))
        dialog.setCancelButtonText(tr("Cancel"))
        dialog.textValueSelected.connect(lambda name: self.does.save(name, self._ask))
        dialog.finished.connect(lambda _result: dialog.deleteLater())
        dialog.open()
        for field in dialog.findChildren(QLineEdit):
            field.setObjectName("s2edit_preset_name")
            field.setMaxLength(LONGEST_NAME)

    def _ask(self, question: Question, then: Callable[[], None]) -> None:
        ask(self, "s2edit_preset_yes", then, *question)


def _add(menu: QMenu, names: list[str], act: Callable[[str], None]) -> None:
    """An entry for each name, as it is: an ampersand is no key."""
    for name in names:
        entry = menu.addAction(name.replace("&", "&&"))
        if entry is not None:
            entry.triggered.connect(lambda *_, name=name: act(name))
