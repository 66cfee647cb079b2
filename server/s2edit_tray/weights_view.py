"""The page with all models: what each is for, its size and licence, and download, pause, verify, repair, remove."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from .connection import Daemon
from .imports import ImportsFile, ImportsFileError
from .text import _, duration, size

_BUTTONS: dict[str, tuple[str, ...]] = {
    "ready": ("verify", "remove"),
    "absent": ("download",),
    "partial": ("download", "remove"),
    "paused": ("download", "remove"),
    "downloading": ("pause",),
    "broken": ("repair", "remove"),
}


def state_line(model: dict[str, Any]) -> str:
    """Where the weights stand, in words."""
    state, whole, present = model["state"], model["size"], model["present"]
    if model["embedded"]:
        return _("Comes with S²Edit · {size}", size=size(whole))
    if state == "ready":
        return _("Ready · {size} on disk", size=size(present))
    if state == "downloading":
        rate = float(model.get("rate", 0))
        left = " · " + _("about {time} left", time=duration((whole - present) / rate)) if rate > 0 else ""
        speed = f" · {size(round(rate))}/s" if rate > 0 else ""
        return f"{size(present)} / {size(whole)}{speed}{left}"
    if state in ("partial", "paused"):
        return _("Paused · {present} of {size} are here", present=size(present), size=size(whole))
    if state == "broken":
        return _("Damaged: repair fetches the bad files again")
    return _("Not downloaded · {size}", size=size(whole))


class ModelCard(QFrame):
    """One model.

    Signals:
        wanted: an action of the `model` message.
    """

    wanted = Signal(str)

    def __init__(self, model: dict[str, Any]) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self._title, self._purpose, self._state, self._message = QLabel(), QLabel(), QLabel(), QLabel()
        for label in (self._purpose, self._message):
            label.setWordWrap(True)
        self._bar = QProgressBar()
        self._buttons: dict[str, QPushButton] = {}
        row = QHBoxLayout()
        for action, text in (
            ("download", _("Download")),
            ("pause", _("Pause")),
            ("verify", _("Verify")),
            ("repair", _("Repair")),
            ("remove", _("Remove")),
        ):
            button = QPushButton(text)
            button.clicked.connect(lambda _checked=False, action=action: self.wanted.emit(action))
            self._buttons[action] = button
            row.addWidget(button)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        for widget in (self._title, self._purpose, self._state, self._bar, self._message):
            layout.addWidget(widget)
        layout.addLayout(row)
        self.show_model(model)

    def show_model(self, model: dict[str, Any]) -> None:
        """Show the newest record."""
        title = model["title"]
        self._title.setText(f"<b>{title}</b>")
        self.setAccessibleName(title)
        needs = _("{licence} · needs {memory} of memory", licence=model["licence"], memory=size(model["memory"]))
        self._purpose.setText(f"{model['purpose']}\n{needs}")
        self._state.setText(state_line(model))
        self._message.setText(model.get("message", ""))
        self._message.setVisible("message" in model)
        state = model["state"]
        self._bar.setVisible(state in ("downloading", "partial", "paused"))
        # QProgressBar counts in 32 bits, weights don't fit: thousandths do.
        self._bar.setRange(0, 1_000)
        self._bar.setValue(round(1_000 * model["present"] / max(1, model["size"])))
        allowed = () if model["embedded"] else _BUTTONS[state]
        for action, button in self._buttons.items():
            button.setVisible(action in allowed)
            button.setAccessibleName(f"{button.text()}: {title}")
        self._buttons["download"].setText(_("Resume") if state in ("partial", "paused") else _("Download"))


class WeightsView(QScrollArea):
    """All models; files and folders dropped here are used in place."""

    def __init__(self, daemon: Daemon, imports: ImportsFile) -> None:
        super().__init__()
        self._daemon = daemon
        self._imports = imports
        self._cards: dict[str, ModelCard] = {}
        self._models: dict[str, dict[str, Any]] = {}
        self.setWidgetResizable(True)
        self.setAcceptDrops(True)
        self.setAccessibleName(_("Models"))
        body = QWidget()
        self._layout = QVBoxLayout(body)
        hint = QLabel(_("Drop a .safetensors file or a model folder here to use it where it is, without a copy."))
        hint.setWordWrap(True)
        self._layout.addWidget(hint)
        self._layout.addStretch(1)
        self.setWidget(body)
        daemon.model_changed.connect(self.take)

    def load(self) -> None:
        """Ask for all models."""

        def show(header: dict[str, Any], _frames: object) -> None:
            for model in header["models"]:
                self.take(model)

        self._daemon.ask("models", on_reply=show)

    def take(self, model: dict[str, Any]) -> None:
        """Show a model's newest record, in a new card when it is a new model."""
        model_id = model["id"]
        self._models[model_id] = model
        if model_id in self._cards:
            self._cards[model_id].show_model(model)
            return
        card = ModelCard(model)
        card.wanted.connect(lambda action: self._act(model_id, action))
        self._cards[model_id] = card
        self._layout.insertWidget(self._layout.count() - 1, card)

    def _act(self, model_id: str, action: str) -> None:
        model = self._models[model_id]
        if action == "remove" and not self._sure(model):
            return
        if action in ("download", "repair") and not model["licence_accepted"]:
            if not self._accepts(model):
                return
            self._daemon.ask("model", {"model": model_id, "action": "accept_licence"})
        self._daemon.ask("model", {"model": model_id, "action": action}, lambda h, _f: self.take(h["model"]))

    def _accepts(self, model: dict[str, Any]) -> bool:
        question = _(
            "“{title}” is published under the {licence} licence. Do you accept it? Your answer is recorded.",
            title=model["title"],
            licence=model["licence"],
        )
        return self._ask(question)

    def _sure(self, model: dict[str, Any]) -> bool:
        return self._ask(_("Delete the weights of “{title}” from this computer?", title=model["title"]))

    def _ask(self, question: str) -> bool:
        buttons = QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.No
        box = QMessageBox(QMessageBox.Icon.Question, "S²Edit", question, buttons, self)
        box.setDefaultButton(QMessageBox.StandardButton.No)
        return box.exec() == QMessageBox.StandardButton.Yes

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Local files and folders may be dropped."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.setDropAction(Qt.DropAction.LinkAction)
            event.accept()

    def dropEvent(self, event: QDropEvent) -> None:
        """Note what was dropped in the user's own imports file and have the daemon look there."""
        for url in event.mimeData().urls():
            try:
                self._imports.add(url.toLocalFile())
            except ImportsFileError as error:
                QMessageBox.warning(self, "S²Edit", str(error))
        self._daemon.ask("rescan", on_reply=lambda _h, _f: self.load())
