"""Which marks dropped files carry: looked for on a thread of its own, told for people in a window."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QMimeData, QObject, QSize, Qt, Signal
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QPlainTextEdit, QVBoxLayout, QWidget
from s2edit_wire.translations import told

from .text import _, isolated, language, leading


def dropped_files(data: QMimeData) -> list[Path]:
    """The files of this computer among what is dragged."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]


class _UnwantedError(Exception):
    """The window was closed in mid-search."""


class _Search(QObject):
    """Looks at files one after the other. Signals: looked(sentences about a file), far(per cent of a file), ended()."""

    looked = Signal(list)
    far = Signal(int)
    ended = Signal()

    def __init__(self, files: Sequence[Path], parent: QObject) -> None:
        super().__init__(parent)
        self.files = files
        self.unwanted = False

    def run(self) -> None:
        # The window, and with it this object, may be gone before the last file.
        with suppress(RuntimeError, _UnwantedError):
            for file in self.files:
                self.looked.emit(_told(file, self._watch))
            self.ended.emit()

    def _watch(self, _file: Path, percent: int) -> None:
        if self.unwanted:
            raise _UnwantedError
        self.far.emit(percent)


def _told(file: Path, watch: Callable[[Path, int], None]) -> list[str]:
    # Not at the top: the tray starts without NumPy.
    from s2edit_marks.detection import detect

    watch(file, 0)
    try:
        upshot, *others = (told(sentence, language()) for sentence in detect(file, watch=watch).sentences)
    except OSError as error:
        return [_("“{name}” can't be read.", name=file.name), error.strerror or ""]
    except _UnwantedError:
        raise
    except Exception as error:  # noqa: BLE001 - a stranger's file must not end the search through the others
        return [_("“{name}” can't be read.", name=file.name), str(error)]
    return [f"{isolated(file.name)}: {upshot}", *others]


class MarksWindow(QDialog):
    """What the marks of some files say, as it is found.

    Args:
        files: of any kind; what can't be read is told.
    """

    def __init__(self, files: Iterable[Path], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(_("Marks – S²Edit"))
        self.resize(QSize(640, 400))
        self._state = leading(QLabel(_("Looking for marks…")))
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setAccessibleName(_("Marks found"))
        if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            # Else Qt lets these lines run from the right, and stand at the left edge.
            option = self.text.document().defaultTextOption()
            option.setTextDirection(self.layoutDirection())
            option.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignAbsolute)
            self.text.document().setDefaultTextOption(option)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        for widget in (self._state, self.text, buttons):
            column.addWidget(widget)
        self._count = 0
        self._search = _Search(list(files), self)
        self._search.looked.connect(self._looked)
        self._search.far.connect(self._far)
        self._search.ended.connect(self._ended)
        self.finished.connect(self._close)
        self.searching = True
        threading.Thread(target=self._search.run, daemon=True).start()

    def _looked(self, sentences: list[str]) -> None:
        first, *others = sentences
        self.text.appendPlainText("\n".join([first, *(f"    {said}" for said in others), ""]))
        self._count += 1

    def _far(self, percent: int) -> None:
        place = min(self._count + 1, len(self._search.files))
        self._state.setText(f"{_('Looking for marks…')} {isolated(f'{place}/{len(self._search.files)} · {percent} %')}")

    def _ended(self) -> None:
        self.searching = False
        self._state.setText(_("A mark can be taken out: that none is there proves nothing."))

    def _close(self) -> None:
        self._search.unwanted = True
        self.deleteLater()
