"""One job in the docker: its picture, what it does, how far it is, and the buttons for what can be done with it."""
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from s2edit_editor import rows
from s2edit_editor.rows import (
    AGAIN,
    APPLY,
    CANCEL,
    EDIT,
    REMOVE,
    RETRY,
    SHOW,
    START,
    Row,
    kept_row,
    row,
)
from s2edit_editor.text import _ as tr
from s2edit_editor.text import hover
from s2edit_editor.wish import Wish
from s2edit_wire.records import EditRecord

from . import history
from .desk import Desk
from .host import front
from .pictures import image_of, scaled
from .qt import (
    QFrame,
    QHBoxLayout,
    QIcon,
    QImage,
    QLabel,
    QPixmap,
    QProgressBar,
    QSize,
    QSizePolicy,
    Qt,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from .questions import ask

SIDE = 56
_PARTS = 1_000
_NAMES = {SHOW: APPLY, EDIT: AGAIN}
"""Two faces of one button."""
_SECOND_LINE = frozenset({AGAIN, EDIT, START})


class JobRow(QFrame):
    """The row.

    Args:
        desk: carries out what the buttons ask for.
        job: its id.

    Attributes:
        shown: what it shows. kept: the job as the document has it, where only that remembers it.
    """

    def __init__(self, desk: Desk, job: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._desk, self._job = desk, job
        self.kept: Mapping[str, Any] = {}
        self.shown: Row | None = None
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setObjectName(f"s2edit_job_{job}")
        self._picture = QToolButton(self)
        self._picture.setObjectName("s2edit_picture")
        self._picture.setAutoRaise(True)
        self._picture.setIconSize(QSize(SIDE, SIDE))
        self._picture.setFixedSize(SIDE + 6, SIDE + 6)
        self._picture.clicked.connect(lambda *_: self._apply())
        self._title, self._said = QLabel(self), QLabel(self)
        for label in (self._title, self._said):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._said.setObjectName("s2edit_said")
        self._bar = QProgressBar(self)
        self._bar.setTextVisible(False)
        self._bar.setMaximumHeight(6)
        self._bar.setRange(0, _PARTS)
        # Two short lines of buttons: a docker is narrow.
        self._buttons, self._more = QHBoxLayout(), QHBoxLayout()
        for buttons in (self._buttons, self._more):
            buttons.setSpacing(2)
        beside = QVBoxLayout()
        beside.setSpacing(1)
        for widget in (self._title, self._said, self._bar):
            beside.addWidget(widget)
        beside.addLayout(self._buttons)
        beside.addLayout(self._more)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(self._picture, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(beside, 1)

    def update_job(self, kept: Mapping[str, Any]) -> None:
        """Show the job as it is now; see `kept`."""
        self.kept = kept
        host = front()
        there = host is not None and self._job in host.results()
        now = kept_row(kept, there=there) if kept else row(self._desk, self._job, there=there)
        self._title.setText(now.title)
        self._title.setToolTip(hover(now.tip))
        self._said.setText(now.said)
        self._bar.setVisible(now.part is not None)
        self._bar.setValue(round(_PARTS * (now.part or 0.0)))
        before, self.shown = self.shown, now
        if before is None or before.actions != now.actions:
            self._make_buttons(now.actions)
            picture = history.thumbnail(host.document, self._job) if host is not None else b""
            if picture:
                self._set_picture(QImage.fromData(picture))
            elif not kept:
                self._desk.thumbnail(self._job)
                self.show_picture()

    def show_picture(self) -> None:
        """Show the newest small picture."""
        picture = self._desk.previews.get(self._job)
        if picture is not None:
            self._set_picture(image_of(picture))

    def _set_picture(self, image: QImage) -> None:
        if not image.isNull():
            pixmap, icon = QPixmap.fromImage(scaled(image, SIDE)), QIcon()
            for mode in (QIcon.Mode.Normal, QIcon.Mode.Disabled):
                icon.addPixmap(pixmap, mode)
            self._picture.setIcon(icon)

    def _make_buttons(self, actions: tuple[str, ...]) -> None:
        for line in (self._buttons, self._more):
            while line.count():
                item = line.takeAt(0)
                widget = item.widget() if item is not None else None
                if widget is not None:
                    widget.setParent(None)
                    widget.deleteLater()
        doing: dict[str, tuple[str, Callable[[], None]]] = {
            CANCEL: (tr("Cancel"), lambda: self._desk.cancel(self._job)),
            APPLY: (tr("Add as layer"), self._apply),
            SHOW: (tr("Show layer"), self._apply),
            RETRY: (tr("Retry"), self._retry),
            AGAIN: (tr("Again"), self._again),
            EDIT: (tr("Edit…"), self._again),
            START: (tr("Use as start"), self._start),
            REMOVE: ("✕", self._remove),
        }
        result = next((doing[action][0] for action in actions if action in (APPLY, SHOW)), "")
        self._picture.setEnabled(bool(result))
        self._picture.setToolTip(result)
        for action in actions:
            label, act = doing[action]
            button = QToolButton(self)
            button.setText(label)
            button.setObjectName(f"s2edit_{_NAMES.get(action, action)}")
            button.setToolTip(tr("Remove from the list") if action == REMOVE else label)
            button.clicked.connect(lambda *_, act=act: act())
            (self._more if action in _SECOND_LINE else self._buttons).addWidget(button)
        for line in (self._buttons, self._more):
            line.addStretch(1)

    def _apply(self, *, choose: bool = False) -> None:
        rows.apply(self._desk, front(), self._job, choose=choose)

    def _edit(self) -> EditRecord:
        edit: EditRecord = self.kept["edit"] if self.kept else self._desk.edit(self._job)
        return edit

    def _retry(self) -> None:
        self._desk.told.said.emit(tr("Sent. You can go on painting."))
        self._desk.retry(self._job)

    def _again(self) -> None:
        """The fields as they were, and the layer that they were about."""
        host = front()
        if host is not None:
            layer = rows.source(self._desk, host, self._job, self._edit())
            if layer:
                host.choose(layer)
        self._desk.told.reused.emit(Wish.from_edit(self._edit()))

    def _remove(self) -> None:
        rows.remove(self._desk, self._job, lambda question, go: ask(self, "s2edit_delete", go, *question))

    def _start(self) -> None:
        """The result becomes the picture: its layer is chosen, and what it shows is what was wanted."""
        self._apply(choose=True)
        self._desk.told.reused.emit(Wish.from_edit(self._edit()).as_start())
