"""Where edits are computed: a line for `user@host`, empty for this computer.

The command does it (`s2edit daemon computer`), in a process of its own: to ask another computer may take a minute.
"""

from __future__ import annotations

import json

from PySide6.QtCore import QProcess, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QSizePolicy, QWidget
from s2edit_wire import programs, remote
from s2edit_wire.errors import Unreachable
from s2edit_wire.paths import state_folder
from s2edit_wire.translations import told

from .text import _, language

HERE = "here"


class ComputerField(QWidget):
    """The line and its button.

    Signals:
        said: what to tell the user.
        changed: edits are computed elsewhere from now on.
    """

    said = Signal(str)
    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._line = QLineEdit()
        self._line.setAccessibleName(_("Edits are computed on"))
        self._line.setPlaceholderText(_("this computer; or user@host, through SSH"))
        self._button = QPushButton(_("Apply"))
        self._button.setAccessibleName(_("Compute there from now on"))
        self._line.returnPressed.connect(self.apply)
        self._button.clicked.connect(self.apply)
        self._asking = QProcess(self)
        self._asking.finished.connect(self._finished)
        self._asking.errorOccurred.connect(self._failed)
        self.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._line, 1)
        row.addWidget(self._button)
        self.show_chosen()

    def show_chosen(self) -> None:
        """Show what is set now."""
        try:
            self._line.setText(remote.computer(state_folder()))
        except Unreachable as error:
            self.said.emit(told(f"{error.message} {error.hint}".strip(), language()))

    def apply(self) -> None:
        """Set what was typed."""
        target = self._line.text().strip() or HERE
        if self._asking.state() != QProcess.ProcessState.NotRunning:
            return
        self._busy(True)
        self.said.emit(_("Looking for S²Edit there…"))
        # The target stands behind "--": whatever was typed is no option of the command's.
        program, *arguments = programs.command("cli", "daemon", "computer", "--json", "--", target)
        self._asking.start(program, arguments)

    def _finished(self, _code: int, _status: QProcess.ExitStatus) -> None:
        self._busy(False)
        try:
            answer = json.loads(bytes(self._asking.readAllStandardOutput().data()))
            error = answer.get("error")
        except ValueError:
            error = {"message": _("S²Edit's command can't be run."), "hint": ""}
        if error:
            self.said.emit(told(f"{error['message']} {error['hint']}".strip(), language()))
            return
        self.said.emit(_("Saved."))
        self.show_chosen()
        self.changed.emit()

    def _failed(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._busy(False)
            self.said.emit(_("S²Edit's command can't be run."))

    def _busy(self, busy: bool) -> None:
        self._line.setReadOnly(busy)
        self._button.setEnabled(not busy)
