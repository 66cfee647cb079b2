"""The shared desk on Krita's event loop; the dockers of all windows hear of it by Qt's signals."""
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from krita import Krita
from s2edit_editor import desk
from s2edit_wire.errors import WireError

from . import VERSION, marking
from .document import everything_open
from .host import KritaHost, home_of
from .qt import QApplication, QObject, Qt, pyqtSignal
from .session_qt import QtLoop


class Told(QObject):
    """What happened.

    Signals:
        job_changed(job id), job_removed(job id), picture_came(job id), layer_added(job id),
        link_changed(state, sentence), models_changed(), default_changed(),
        complained(sentence), said(sentence), ended(job id, sentence), reused(Wish).
    """

    job_changed = pyqtSignal(str)
    job_removed = pyqtSignal(str)
    picture_came = pyqtSignal(str)
    layer_added = pyqtSignal(str)
    link_changed = pyqtSignal(str, str)
    models_changed = pyqtSignal()
    default_changed = pyqtSignal()
    complained = pyqtSignal(str)
    said = pyqtSignal(str)
    ended = pyqtSignal(str, str)
    reused = pyqtSignal(object)


class KritaDesk(desk.Desk):
    """One for the whole of Krita.

    Args:
        parent: what its timers and signals live with.

    Attributes:
        told: its signals.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__("krita", VERSION, QtLoop(parent), home_of, _hand_is_free)
        self.told = told = Told(parent)
        self.on_job, self.on_removed = told.job_changed.emit, told.job_removed.emit
        self.on_layer, self.on_picture = told.layer_added.emit, told.picture_came.emit
        self.on_link, self.on_models = told.link_changed.emit, told.models_changed.emit
        self.on_default, self.on_end = told.default_changed.emit, told.ended.emit
        self.on_trouble = lambda error, _job: self.complain(error)
        notifier = Krita.instance().notifier()
        notifier.setActive(True)
        notifier.imageSaved.connect(self._saved)
        self._marks = marking.Keeper(parent, self.complain)

    def complain(self, error: WireError) -> None:
        """Tell the painter what is wrong and what to do."""
        self.told.complained.emit(error.sentence)

    def _saved(self, filename: str) -> None:
        for document in everything_open():
            if document.fileName() == filename and filename.lower().endswith((".kra", ".krz")):
                self.saved(KritaHost(document))


def _hand_is_free() -> bool:
    return bool(QApplication.mouseButtons() == Qt.MouseButton.NoButton)
