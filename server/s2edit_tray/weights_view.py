"""The page with all models, and the user's own weights that are used where they lie."""

from __future__ import annotations

import html
import re
import shutil
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMenu,
    QMessageBox,
    QPushButton,
)
from s2edit_wire.errors import WireError
from s2edit_wire.paths import state_folder

from .connection import Daemon
from .imports import ImportsFile, ImportsFileError
from .marks_window import dropped_files
from .model_card import ModelCard
from .page import Page
from .questions import confirmed
from .text import _, leading, size


class WeightsView(Page):
    """All models; files and folders dropped here are used in place."""

    def __init__(self, daemon: Daemon, imports: ImportsFile) -> None:
        super().__init__()
        self._daemon = daemon
        self._imports = imports
        self._cards: dict[str, ModelCard] = {}
        self._models: dict[str, dict[str, Any]] = {}
        self._told: Counter[str] = Counter()
        """How many events told of each model. An answer that was worked out before one of them can come after it."""
        self._settings: dict[str, Any] = {}
        self._available = 0
        self.setAcceptDrops(True)
        self.setAccessibleName(_("Models"))
        self._disk = leading(QLabel())
        hint = QLabel(_("Drop a .safetensors file or a model folder here to use it where it is, without a copy."))
        leading(hint)
        hint.setWordWrap(True)
        self.column.addWidget(self._disk)
        self.column.addWidget(hint)
        self.column.addLayout(self._import_buttons())
        self.column.addStretch(1)
        daemon.model_changed.connect(self._event)
        daemon.settings_changed.connect(self._settings_changed)
        daemon.status_changed.connect(self._status_changed)
        daemon.line_changed.connect(self._line_changed)

    def load(self) -> None:
        """Ask for all models; cards of models that are gone go too."""
        told = self._told.copy()

        def show(header: dict[str, Any], _frames: object) -> None:
            listed = {model["id"] for model in header["models"]}
            for gone in [model_id for model_id in self._cards if model_id not in listed]:
                self._cards.pop(gone).deleteLater()
                del self._models[gone]
            for model in header["models"]:
                if self._told[model["id"]] == told[model["id"]]:
                    self.take(model)

        self._daemon.ask("models", on_reply=show)

    def _event(self, model: dict[str, Any]) -> None:
        self._told[model["id"]] += 1
        self.take(model)

    def take(self, model: dict[str, Any]) -> None:
        """Show a model's newest record, in a new card when it is a new model."""
        model_id = model["id"]
        self._models[model_id] = model
        if model_id in self._cards:
            self._cards[model_id].show_model(model)
            return
        card = ModelCard(model)
        card.set_available(self._available)
        card.show_uses(self._settings)
        card.wanted.connect(lambda action: self._act(model_id, action))
        card.use.connect(lambda setting, on: self._use(model_id, setting, on))
        self._cards[model_id] = card
        self.column.insertWidget(self.column.count() - 1, card)

    def _import_buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        file, folder = QPushButton(_("Use a file…")), QPushButton(_("Use a folder…"))
        file.clicked.connect(self._choose_file)
        folder.clicked.connect(self._choose_folder)
        self._imported = QPushButton(_("Stop using"))
        menu = QMenu(self._imported)
        menu.setAccessibleName(_("Stop using"))
        menu.aboutToShow.connect(lambda: self._list_imports(menu))
        self._imported.setMenu(menu)
        self._imported.setEnabled(bool(self._imports.paths()))
        for button in (file, folder, self._imported):
            row.addWidget(button)
        row.addStretch(1)
        return row

    def _act(self, model_id: str, action: str) -> None:
        model, card = self._models[model_id], self._cards[model_id]
        title = model["title"]
        if action == "remove" and not confirmed(
            self, _("Delete the weights of “{title}” from this computer?", title=title)
        ):
            return
        told = self._told[model_id]
        # What was refused before is being tried anew.
        card.show_error("")
        card.set_busy({"verify": _("Verifying…"), "repair": _("Repairing…")}.get(action, ""))

        def done(header: dict[str, Any], _frames: object) -> None:
            card.set_busy("")
            if self._told[model_id] == told:
                self.take(header["model"])
            else:
                self.load()
            self._daemon.ask_status()

        def refused(error: WireError) -> None:
            card.set_busy("")
            if error.code == "licence_required":
                # Not from within the connection's own callback: a question runs the event loop until it is answered.
                QTimer.singleShot(0, self, lambda: self._ask_licence(model_id, error))
            else:
                card.show_error(f"{error.message} {error.hint}".strip())

        self._daemon.ask("model", {"model": model_id, "action": action}, done, refused)

    def _ask_licence(self, model_id: str, why: WireError) -> None:
        """Show the licence's address; only a "yes" is told to the daemon, which records it."""
        words = _("{why} Do you accept it? Your answer is recorded.", why=f"{why.message} {why.hint}")
        linked = re.sub(r"https?://[^\s<>]+", r'<a href="\g<0>">\g<0></a>', html.escape(words))
        if confirmed(self, linked, rich=True):
            self._daemon.ask("model", {"model": model_id, "action": "accept_licence"})
            self._act(model_id, "download")
        else:
            self._cards[model_id].show_error(_("Not downloaded: the licence was not accepted."))

    def _use(self, model_id: str, setting: str, on: bool) -> None:
        """Make the model a program's own, or no longer; there always is one for the rest."""
        chosen = model_id if on or setting == "default_model" else ""
        self._daemon.configure({setting: chosen}, on_error=lambda error: self._refuse_use(model_id, error))

    def _refuse_use(self, model_id: str, error: WireError) -> None:
        self._cards[model_id].show_error(f"{error.message} {error.hint}".strip())
        self._settings_changed(self._settings)

    def _line_changed(self, state: str, _message: str) -> None:
        """Nobody knows any more how fast a download is: the daemon that told so may be gone."""
        if state == "lost":
            for model_id, model in self._models.items():
                if model.get("rate"):
                    self._models[model_id] = {**model, "rate": 0.0}
                    self._cards[model_id].show_model(self._models[model_id])

    def _settings_changed(self, settings: dict[str, Any]) -> None:
        self._settings = settings
        for card in self._cards.values():
            card.show_uses(settings)

    def _status_changed(self, status: dict[str, Any]) -> None:
        self._available = status["memory_used"] + status["memory_free"] if status["device"] else 0
        for card in self._cards.values():
            card.set_available(self._available)
        parts = [_("Downloaded weights take {size}", size=size(status["weights_bytes"]))]
        # The folder is not there before the first start of a daemon.
        with suppress(OSError):
            parts.append(_("{size} free on that disk", size=size(shutil.disk_usage(state_folder()).free)))
        self._disk.setText(" · ".join(parts))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Local weights and folders may be dropped; other files are the window's."""
        if any(path.suffix == ".safetensors" or path.is_dir() for path in dropped_files(event.mimeData())):
            event.setDropAction(Qt.DropAction.LinkAction)
            event.accept()

    def dropEvent(self, event: QDropEvent) -> None:
        """Use what was dropped."""
        self._import(str(path) for path in dropped_files(event.mimeData()))

    def _choose_file(self) -> None:
        files, _filter = QFileDialog.getOpenFileNames(self, _("Use a file…"), "", "Safetensors (*.safetensors)")
        self._import(files)

    def _choose_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, _("Use a folder…"))
        self._import([folder] if folder else [])

    def _import(self, paths: Iterable[str]) -> None:
        """Note them in the user's own imports file and have the daemon look there."""
        for path in paths:
            try:
                self._imports.add(path)
            except ImportsFileError as error:
                QMessageBox.warning(self, "S²Edit", str(error))
        self._look_again()

    def _list_imports(self, menu: QMenu) -> None:
        menu.clear()
        for path in self._imports.paths():
            menu.addAction(Path(path).name).triggered.connect(lambda _checked=False, path=path: self._forget(path))

    def _forget(self, path: str) -> None:
        self._imports.remove(path)
        self._look_again()

    def _look_again(self) -> None:
        self._imported.setEnabled(bool(self._imports.paths()))
        self._daemon.ask("rescan", on_reply=lambda _header, _frames: self.load())
