"""The page with the daemon's settings and the tray's own one: start at login."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QLabel, QLineEdit, QSizePolicy, QWidget
from s2edit_wire.errors import WireError

from . import autostart
from .computer_field import ComputerField
from .connection import Daemon
from .page import Page, form, heading
from .text import _, leading, numbers
from .token_field import TokenField, TokenFile

_GB = 1_000_000_000


@dataclass(frozen=True)
class SettingRow:
    """One setting: its name on the wire, label and kind; what one shown unit is on the wire; what it may be."""

    name: str
    label: str
    kind: str
    unit: float = 1
    suffix: str = ""
    choices: tuple[str, ...] = ()


def entries() -> tuple[SettingRow, ...]:
    """Settings that people change, in the order shown."""
    return (
        SettingRow("default_model", _("Model, unless an editor has its own"), "model"),
        SettingRow("model_gimp", _("Model for GIMP"), "model"),
        SettingRow("model_krita", _("Model for Krita"), "model"),
        SettingRow("model_cli", _("Model for the command line"), "model"),
        SettingRow(
            "idle_unload_s", _("Free the memory after so long without a job (0: never)"), "number", 60, _(" min")
        ),
        SettingRow("result_quota", _("Room for stored results"), "number", _GB, _(" GB")),
        SettingRow("result_days", _("Keep results for"), "number", 1, _(" days")),
        SettingRow("cache_quota", _("Room for learned identities"), "number", _GB, _(" GB")),
        SettingRow("device", _("Device"), "choice", choices=("auto", "cpu", "cuda", "cuda:0", "cuda:1", "mps")),
        SettingRow(
            "cards", _("Cards that work side by side (all, or numbers such as 0,2; from the next start)"), "text"
        ),
        SettingRow("precision", _("Precision"), "choice", choices=("auto", "float32", "tf32", "bfloat16", "float16")),
        SettingRow("compiled", _("Compile the model (slow first edits, faster later)"), "flag"),
        SettingRow("offline", _("Stay offline: make no connection off this computer"), "flag"),
        SettingRow("mirror", _("Mirror of the model hub (https address)"), "text"),
        SettingRow("proxy", _("Proxy for downloads"), "text"),
    )


class _Number(QDoubleSpinBox):
    """Shows “7 days”, not “7.0 days”."""

    def textFromValue(self, value: float) -> str:
        text = super().textFromValue(value)
        return text.removesuffix(f"{self.locale().decimalPoint()}0")


class SettingsView(Page):
    """A form that applies each change at once and shows why one was refused."""

    def __init__(self, daemon: Daemon) -> None:
        super().__init__()
        self._daemon = daemon
        self._loading = False
        self._fields: dict[str, tuple[SettingRow, QWidget]] = {}
        self._models: list[tuple[str, str]] = []
        self._settings: dict[str, Any] = {}
        headings = {"default_model": _("Models"), "idle_unload_s": _("Memory and disk")}
        headings |= {"device": _("Computing"), "offline": _("Network")}
        rows = form()
        for entry in entries():
            if entry.name in headings:
                rows.addRow(heading(headings[entry.name]))
            if entry.name == "device":
                self._computer = ComputerField()
                rows.addRow(_("Edits are computed on"), self._computer)
            widget = self._field(entry)
            widget.setAccessibleName(entry.label)
            self._fields[entry.name] = (entry, widget)
            rows.addRow(entry.label, widget)
        token = TokenField(TokenFile())
        rows.addRow(_("Token of the model hub, for models that ask for one"), token)
        rows.addRow(heading(_("This program")))
        login = QCheckBox()
        login.setChecked(autostart.enabled())
        login.setAccessibleName(_("Start the tray at login"))
        login.toggled.connect(self._login)
        rows.addRow(_("Start the tray at login"), login)
        self._answer = leading(QLabel())
        self._answer.setWordWrap(True)
        token.said.connect(self._answer.setText)
        self._computer.said.connect(self._answer.setText)
        self._computer.changed.connect(daemon.again)
        for _entry, widget in self._fields.values():
            # Nothing is known until the daemon has told it: no zeros, and nothing to change.
            widget.setEnabled(False)
            if isinstance(widget, QDoubleSpinBox):
                widget.clear()
        self.column.addLayout(rows)
        self.column.addWidget(self._answer)
        self.column.addStretch(1)
        daemon.settings_changed.connect(self._show)

    def load(self) -> None:
        """Ask the daemon for models and settings and show them."""

        def models(header: dict[str, Any], _frames: object) -> None:
            self._models = [(m["id"], m["title"]) for m in header["models"] if m["role"] == "editor"]
            # Looking at files takes the daemon a moment: the settings may have come first.
            self._show(self._settings)

        self._daemon.ask("models", on_reply=models)
        self._daemon.ask_settings()

    def _field(self, entry: SettingRow) -> QWidget:
        if entry.kind == "flag":
            box = QCheckBox()
            box.toggled.connect(lambda on: self._change(entry, on))
            return box
        if entry.kind == "number":
            spin = _Number()
            spin.setLocale(numbers())
            spin.setRange(0, 1e6)
            spin.setDecimals(1)
            spin.setSuffix(entry.suffix)
            spin.setKeyboardTracking(False)
            spin.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
            spin.setMinimumWidth(24 * spin.fontMetrics().averageCharWidth())
            # Qt's own default is the left edge in every language.
            spin.setAlignment(Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignVCenter)
            whole = entry.unit == _GB
            spin.valueChanged.connect(
                lambda value: self._change(entry, round(value * entry.unit) if whole else value * entry.unit)
            )
            return spin
        if entry.kind in ("model", "choice"):
            combo = QComboBox()
            # What there is to choose comes when the page has long been shown.
            combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
            combo.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
            combo.activated.connect(lambda _row: self._change(entry, combo.currentData()))
            return combo
        line = QLineEdit()
        line.editingFinished.connect(lambda: self._change(entry, line.text().strip()))
        return line

    def _show(self, settings: dict[str, Any]) -> None:
        self._settings = settings
        self._loading = True
        for entry, widget in self._fields.values():
            widget.setEnabled(entry.name in settings)
            if entry.name not in settings:
                continue
            value = settings[entry.name]
            if isinstance(widget, QCheckBox):
                widget.setChecked(bool(value))
            elif isinstance(widget, QDoubleSpinBox):
                widget.setValue(float(value or 0) / entry.unit)
            elif isinstance(widget, QLineEdit):
                widget.setText(str(value or ""))
            elif isinstance(widget, QComboBox):
                self._fill(widget, str(value or ""), self._choices(entry, str(value or "")))
        self._loading = False

    def _choices(self, entry: SettingRow, value: str) -> list[tuple[str, str]]:
        """What a setting may be, on the wire and as shown; what it is now is among it, a sixth card for instance."""
        if entry.kind == "choice":
            names = [*entry.choices, *([value] if value and value not in entry.choices else [])]
            return [(name, _("automatic") if name == "auto" else name) for name in names]
        return [*([] if entry.name == "default_model" else [("", _("as above"))]), *self._models]

    def _fill(self, combo: QComboBox, value: str, choices: list[tuple[str, str]]) -> None:
        combo.clear()
        for wire, shown in choices:
            combo.addItem(shown, wire)
        combo.setCurrentIndex(max(0, combo.findData(value)))

    def _change(self, entry: SettingRow, value: object) -> None:
        if self._loading:
            return

        def refused(error: WireError) -> None:
            self._answer.setText(f"{error.message} {error.hint}".strip())
            self.load()

        self._answer.setText(_("Saved."))
        self._daemon.configure({entry.name: value}, refused)

    def _login(self, on: bool) -> None:
        self._answer.setText(_attempt(lambda: autostart.enable(on)))


def _attempt(action: Callable[[], None]) -> str:
    """What to tell the user after doing it."""
    try:
        action()
    except OSError as error:
        return _("That could not be saved: {why}", why=error.strerror or str(error))
    return _("Saved.")
