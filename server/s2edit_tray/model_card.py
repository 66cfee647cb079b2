"""One model as a card: what it is for, size, licence, memory, progress, and what can be done with it."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QAction, QPalette
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QProgressBar, QPushButton, QVBoxLayout

from . import theme
from .text import _, duration, leading, numbers, size

_BUTTONS: dict[str, tuple[str, ...]] = {
    "ready": ("verify", "remove"),
    "absent": ("download",),
    "partial": ("download", "remove"),
    "paused": ("download", "remove"),
    "downloading": ("pause",),
    "broken": ("repair", "remove"),
}
_STEPS = 1_000
"""QProgressBar counts in 32 bits, which bytes of weights don't fit: thousandths do."""


def state_line(model: dict[str, Any]) -> str:
    """Where the weights stand, in words."""
    state, whole, present = model["state"], model["size"], model["present"]
    if model["embedded"] and state != "ready":
        return _("Missing: install S²Edit again, which brings it along")
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


def memory_line(need: int, available: int) -> str:
    """What a model needs of what is free; `available` is 0 when that isn't known yet. Bytes."""
    if not available:
        return _("needs {memory} of memory", memory=size(need))
    if need <= available:
        return _(
            "needs {memory} of memory; {available} are free for it now", memory=size(need), available=size(available)
        )
    return _(
        "needs {memory} of memory, and only {available} are free for it now: edits can fail or take long",
        memory=size(need),
        available=size(available),
    )


class ModelCard(QFrame):
    """One model.

    Signals:
        wanted: an action of the `model` message.
        use: a setting (`default_model`, `model_gimp`, `model_krita`) and whether it is to name this model.
    """

    wanted = Signal(str)
    use = Signal(str, bool)

    def __init__(self, model: dict[str, Any]) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setBackgroundRole(QPalette.ColorRole.Base)
        self.setAutoFillBackground(True)
        self._title, self._purpose, self._needs = QLabel(), QLabel(), QLabel()
        self._state, self._message, self._error = QLabel(), QLabel(), QLabel()
        for label in (self._title, self._purpose, self._needs, self._state, self._message, self._error):
            leading(label).setWordWrap(True)
            # An imported model is called as its file is, and that may look like HTML.
            label.setTextFormat(Qt.TextFormat.PlainText)
        bold = self._title.font()
        bold.setBold(True)
        self._title.setFont(bold)
        self._error.hide()
        self._warn()
        self._bar = QProgressBar()
        self._bar.setLocale(numbers())
        self._busy = ""
        self._available = 0
        self._model = model
        layout = QVBoxLayout(self)
        for widget in (
            self._title,
            self._purpose,
            self._needs,
            self._state,
            self._bar,
            self._message,
            self._error,
        ):
            layout.addWidget(widget)
        layout.addLayout(self._make_buttons())
        self.show_model(model)

    def show_model(self, model: dict[str, Any]) -> None:
        """Show the newest record."""
        self._model = model
        title = model["title"]
        self._title.setText(title)
        self.setAccessibleName(title)
        self._bar.setAccessibleName(_("Progress: {title}", title=title))
        self._purpose.setText(model["purpose"])
        engine = [model["engine"]] if "engine" in model else []
        needs = [*engine, model["licence"], memory_line(model["memory"], self._available)]
        if model["gated"] and model["state"] != "ready":
            needs.append(_("needs a token of the model hub, which you can enter under Settings"))
        self._needs.setText(" · ".join(needs))
        message = model.get("message", "")
        self._message.setText(message)
        self._message.setVisible(bool(message))
        self._show_progress()
        allowed = () if model["embedded"] or self._busy else _BUTTONS[model["state"]]
        # What is imported is not S²Edit's to delete; the page lists imports and takes them off its list.
        if model["id"].startswith("import-"):
            allowed = tuple(action for action in allowed if action == "verify")
        for action, button in self._buttons.items():
            button.setVisible(action in allowed)
            button.setAccessibleName(f"{button.text()}: {title}")
        self._buttons["download"].setText(_("Resume") if model["state"] in ("partial", "paused") else _("Download"))
        self._use.setVisible(model["role"] == "editor" and model["state"] == "ready")
        self._use.setAccessibleName(f"{_('Use for')}: {title}")

    def set_busy(self, what: str) -> None:
        """Show that something without known progress is being done, such as "Verifying…"; "" for no longer."""
        self._busy = what
        self.show_model(self._model)

    def show_error(self, sentence: str) -> None:
        """Say why something asked for was not done; "" once it is being tried anew."""
        self._error.setText(sentence)
        self._error.setVisible(bool(sentence))

    def set_available(self, memory: int) -> None:
        """Take note of the bytes that the device has for a model."""
        if memory != self._available:
            self._available = memory
            self.show_model(self._model)

    def show_uses(self, settings: dict[str, Any]) -> None:
        """Tick the programs that use this model."""
        for name, action in self._uses.items():
            action.setChecked(settings.get(name) == self._model["id"])

    def changeEvent(self, event: QEvent) -> None:
        """Follow the desktop from light to dark."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ApplicationPaletteChange:
            self._warn()

    def _warn(self) -> None:
        """Words about what went wrong in the colour for it."""
        palette = QPalette()
        # On a card, which stands on the base colour, words are drawn in `Text`.
        palette.setColor(QPalette.ColorRole.Text, theme.warning(palette))
        for label in (self._message, self._error):
            label.setPalette(palette)

    def _make_buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self._buttons: dict[str, QPushButton] = {}
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
        self._use = QPushButton(_("Use for"))
        menu = QMenu(self._use)
        menu.setAccessibleName(_("Use for"))
        self._uses: dict[str, QAction] = {}
        for name, label in (
            ("model_gimp", "GIMP"),
            ("model_krita", "Krita"),
            ("default_model", _("Everything that has no model of its own")),
        ):
            entry = menu.addAction(label)
            entry.setCheckable(True)
            entry.triggered.connect(lambda on, name=name: self.use.emit(name, on))
            self._uses[name] = entry
        self._use.setMenu(menu)
        row.addWidget(self._use)
        row.addStretch(1)
        return row

    def _show_progress(self) -> None:
        model = self._model
        self._state.setText(self._busy or state_line(model))
        self._bar.setVisible(bool(self._busy) or model["state"] in ("downloading", "partial", "paused"))
        # A range of nothing makes the bar swing: something is going on, nobody knows for how long.
        self._bar.setRange(0, 0 if self._busy else _STEPS)
        if not self._busy:
            self._bar.setValue(round(_STEPS * model["present"] / max(1, model["size"])))
