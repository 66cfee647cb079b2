"""The tray's yes-or-no questions; "no" is what Enter and Escape choose."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget


def confirmed(parent: QWidget, question: str, *, rich: bool = False) -> bool:
    """Whether the user says yes; `rich` when the question is HTML, with everything foreign in it escaped."""
    buttons = QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.No
    box = QMessageBox(QMessageBox.Icon.Question, "S²Edit", question, buttons, parent)
    box.setTextFormat(Qt.TextFormat.RichText if rich else Qt.TextFormat.PlainText)
    box.setDefaultButton(QMessageBox.StandardButton.No)
    return box.exec() == QMessageBox.StandardButton.Yes
