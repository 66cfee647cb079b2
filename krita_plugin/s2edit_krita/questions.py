"""A question that stops nothing else in Krita."""

from __future__ import annotations

from collections.abc import Callable

from s2edit_editor.text import _ as tr

from .qt import QLabel, QMessageBox, Qt, QWidget


def ask(
    parent: QWidget, name: str, then: Callable[[], None], question: str, details: str, yes: str, no: str = ""
) -> None:
    """Ask, and act after a “yes”.

    Args:
        name: of the button that says `yes`.
        no: what the other button says, which Enter presses, too: for what nothing brings back. "" is Qt's Cancel, and
            Enter says yes.
    """
    box = QMessageBox(parent.window())
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle(tr("S²Edit"))
    box.setText(question)
    box.setInformativeText(details)
    for label in box.findChildren(QLabel):
        label.setTextFormat(Qt.TextFormat.PlainText)  # prompts and names are people's text
    button = box.addButton(yes, QMessageBox.ButtonRole.AcceptRole)
    if button is not None:
        button.setObjectName(name)
    other = box.addButton(no, QMessageBox.ButtonRole.RejectRole) if no else None
    box.setDefaultButton(other or button)
    if other is None:
        box.addButton(QMessageBox.StandardButton.Cancel)
    else:
        box.setEscapeButton(other)
    box.buttonClicked.connect(lambda pressed: then() if pressed is button else None)
    box.finished.connect(lambda _result: box.deleteLater())
    box.open()
