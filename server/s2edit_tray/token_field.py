"""The token for models that want one: typed or pasted in, kept in a file only its owner can read, never shown again.

The daemon reads it from there when it downloads: a token never travels over the wire, and stands in no log.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QSizePolicy, QWidget
from s2edit_wire.paths import state_folder

from .text import _

LONGEST = 400


class TokenFile:
    """`weights/token` in the state folder."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or state_folder() / "weights" / "token"

    def exists(self) -> bool:
        """Whether a token is kept."""
        return self.path.is_file()

    def save(self, token: str) -> None:
        """Keep it, mode 0600; ValueError when it can't be one, OSError when the folder can't be written."""
        if not token or len(token) > LONGEST or not token.isascii() or not token.isprintable() or " " in token:
            raise ValueError(_("That is no token: it is one word of letters and digits."))
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=".token.", dir=self.path.parent)  # made with mode 0600
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(token)
        Path(name).replace(self.path)

    def forget(self) -> None:
        """Delete it."""
        self.path.unlink(missing_ok=True)


class TokenField(QWidget):
    """A line to type a token into, with "Save" and "Forget".

    Signals:
        said: what to tell the user.
    """

    said = Signal(str)

    def __init__(self, file: TokenFile) -> None:
        super().__init__()
        self._file = file
        self._line = QLineEdit()
        self._line.setEchoMode(QLineEdit.EchoMode.Password)
        self._line.setMaxLength(LONGEST)
        self._line.setAccessibleName(_("Token of the model hub, for models that ask for one"))
        self._line.returnPressed.connect(self._save)
        save, self._forget = QPushButton(_("Save")), QPushButton(_("Forget"))
        save.setAccessibleName(_("Save the token"))
        self._forget.setAccessibleName(_("Forget the token"))
        save.clicked.connect(self._save)
        self._forget.clicked.connect(self._drop)
        self.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._line, 1)
        row.addWidget(save)
        row.addWidget(self._forget)
        self._show()

    def _save(self) -> None:
        try:
            self._file.save(self._line.text().strip())
        except ValueError as error:
            self.said.emit(str(error))
        except OSError as error:
            self.said.emit(_("That could not be saved: {why}", why=error.strerror or str(error)))
        else:
            self.said.emit(_("The token is saved; the next download uses it."))
        self._line.clear()
        self._show()

    def _drop(self) -> None:
        self._file.forget()
        self.said.emit(_("The token is forgotten."))
        self._show()

    def _show(self) -> None:
        saved = self._file.exists()
        self._line.setPlaceholderText(_("One is saved; type another to replace it") if saved else _("None is saved"))
        self._forget.setEnabled(saved)
