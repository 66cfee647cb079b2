"""One job in the docker: its picture, what it does, how far it is, and the buttons for what can be done with it."""
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from s2edit_editor.entry import JobEntry, labels
from s2edit_editor.previewing import Preview
from s2edit_editor.rows import AGAIN, APPLY, EDIT, REMOVE, SHOW, START, Question, Row
from s2edit_editor.text import _ as tr
from s2edit_editor.text import hover

from .desk import KritaDesk
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
        preview: where its result is looked at first.
    """

    def __init__(self, desk: KritaDesk, job: str, preview: Preview, parent: QWidget) -> None:
        super().__init__(parent)
        self._desk, self._job = desk, job
        self._made: tuple[str, ...] | None = None
        self._entry = JobEntry(desk, job, front, desk.told.reused.emit, desk.told.said.emit, self._ask, preview)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setObjectName(f"s2edit_job_{job}")
        self._picture = QToolButton(self)
        self._picture.setObjectName("s2edit_picture")
        self._picture.setAutoRaise(True)
        self._picture.setIconSize(QSize(SIDE, SIDE))
        self._picture.setFixedSize(SIDE + 6, SIDE + 6)
        self._picture.clicked.connect(lambda *_: self._entry.press_picture())
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
        """Show the job as it is now; see `JobEntry.look`."""
        self._show(self._entry.look(kept))

    def changed(self) -> bool:
        """The daemon told of it; whether the list has to be made anew."""
        again = self._entry.changed()
        if self._entry.shown is not None:
            self._show(self._entry.shown)
        return again

    def _show(self, now: Row) -> None:
        self._title.setText(now.title)
        self._title.setToolTip(hover(now.tip))
        self._said.setText(now.said)
        self._bar.setVisible(now.part is not None)
        self._bar.setValue(round(_PARTS * (now.part or 0.0)))
        does = self._entry.picture_does
        self._picture.setEnabled(bool(does))
        self._picture.setToolTip(does)
        if now.actions != self._made:
            self._make_buttons(now.actions)
            host = front()
            picture = host.kept.picture(self._job) if host is not None else b""
            if picture:
                self._set_picture(QImage.fromData(picture))
            elif not self._entry.kept:
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
        self._made, said = actions, labels()
        for action in actions:
            button = QToolButton(self)
            button.setText(said[action])
            button.setObjectName(f"s2edit_{_NAMES.get(action, action)}")
            button.setToolTip(tr("Remove from the list") if action == REMOVE else said[action])
            button.clicked.connect(lambda *_, act=self._entry.acts[action]: act())
            (self._more if action in _SECOND_LINE else self._buttons).addWidget(button)
        for line in (self._buttons, self._more):
            line.addStretch(1)

    def _ask(self, question: Question, then: Callable[[], None]) -> None:
        ask(self, "s2edit_delete", then, *question)
