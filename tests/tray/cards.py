"""A person before the models page: reads cards, presses their buttons, answers questions."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QMessageBox, QPushButton
from s2edit_tray.model_card import ModelCard
from s2edit_tray.window import Window


class Answers:
    """Stands in for the person before a question."""

    def __init__(self) -> None:
        self.says_yes = True
        self.questions: list[str] = []

    def __call__(self, box: QMessageBox) -> QMessageBox.StandardButton:
        self.questions.append(box.text())
        return QMessageBox.StandardButton.Yes if self.says_yes else QMessageBox.StandardButton.No


def shown(window: Window, title: str = "A model") -> ModelCard:
    return next(card for card in window.weights_view.findChildren(ModelCard) if card.accessibleName() == title)


def words(card: ModelCard) -> str:
    return "\n".join(label.text() for label in card.findChildren(QLabel) if label.isVisibleTo(card))


def press(card: ModelCard, text: str) -> None:
    button = next(one for one in card.findChildren(QPushButton) if one.text() == text and one.isVisibleTo(card))
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def offers(card: ModelCard, text: str) -> bool:
    return any(one.text() == text and one.isVisibleTo(card) for one in card.findChildren(QPushButton))
