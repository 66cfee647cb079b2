"""One job in the docker: its picture, what it does, how far it is, and the buttons that its state allows."""
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from s2edit_editor import words
from s2edit_editor.planning import can_retry
from s2edit_editor.text import _ as tr
from s2edit_editor.wish import Wish
from s2edit_wire.records import JobRecord

from . import applying, history
from .desk import Desk
from .document import active
from .pictures import scaled
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

SIDE = 56
Job = JobRecord | Mapping[str, Any]


class JobRow(QFrame):
    """The row.

    Args:
        desk: carries out what the buttons ask for.
        job: the job as the daemon, or the document's own history, has it.
    """

    def __init__(self, desk: Desk, job: Job, parent: QWidget) -> None:
        super().__init__(parent)
        self._desk, self._job = desk, job
        self.state, self._there, self._known = "", False, False
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setObjectName(f"s2edit_job_{job['job']}")
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

    def update_job(self, job: Job) -> None:
        """Show the job as it is now."""
        self._job = job
        edit = job["edit"]
        self._title.setText(words.title(edit))
        self._title.setToolTip(" → ".join(filter(None, (edit["source"], edit.get("target", "")))))
        self._said.setText(words.state(job))
        running = job["state"] == "running"
        self._bar.setVisible(running)
        self._bar.setRange(0, job["total"] if running else 1)
        self._bar.setValue(job["step"] if running else 0)
        situation = (job["state"], self._layer_there(), job["job"] in self._desk.jobs)
        if situation != (self.state, self._there, self._known):
            self.state, self._there, self._known = situation
            self._make_buttons()
            self._ask_picture()

    def set_picture(self, image: QImage) -> None:
        """Show a thumbnail or a preview."""
        if not image.isNull():
            pixmap, icon = QPixmap.fromImage(scaled(image, SIDE)), QIcon()
            for mode in (QIcon.Mode.Normal, QIcon.Mode.Disabled):
                icon.addPixmap(pixmap, mode)
            self._picture.setIcon(icon)

    def _layer_there(self) -> bool:
        document = active()
        return document is not None and applying.existing_layer(self._job["job"], document) is not None

    def _ask_picture(self) -> None:
        document = active()
        kept = history.thumbnail(document, self._job["job"]) if document is not None else b""
        if kept:
            self.set_picture(QImage.fromData(kept))
        elif self._known:
            self._desk.thumbnail(self._job["job"])

    def _clear(self) -> None:
        for buttons in (self._buttons, self._more):
            while buttons.count():
                item = buttons.takeAt(0)
                widget = item.widget() if item is not None else None
                if widget is not None:
                    widget.setParent(None)
                    widget.deleteLater()

    def _make_buttons(self) -> None:
        self._clear()
        self._picture.setEnabled(self._can_apply())
        self._picture.setToolTip(self._apply_label() if self._can_apply() else "")
        job, desk = self._job["job"], self._desk
        state, kind = self._job["state"], self._job["edit"]["kind"]
        if state in {"queued", "paused", "running"}:
            self._add(tr("Cancel"), "cancel", lambda: desk.cancel(job))
        elif state == "done":
            if self._can_apply():
                self._add(self._apply_label(), "apply", self._apply)
            if kind in {"edit", "compose"}:
                self._add(tr("Again"), "again", self._again)
                self._add(tr("Use as start"), "start", self._start)
        else:
            if can_retry(self._job.get("error", "")):
                self._add(tr("Retry"), "retry", lambda: desk.retry(job))
            self._add(tr("Edit…"), "again", self._again)
        if state not in {"queued", "paused", "running"} and self._known:
            self._add("✕", "remove", lambda: desk.remove(job), tr("Remove from the list"))
        for buttons in (self._buttons, self._more):
            buttons.addStretch(1)

    def _can_apply(self) -> bool:
        return self.state == "done" and (self._known or self._there)

    def _apply_label(self) -> str:
        return tr("Show layer") if self._there else tr("Add as layer")

    def _apply(self) -> None:
        applying.fetch(self._desk, self._job["job"])

    def _again(self) -> None:
        """The fields as they were, and the layer that they were about."""
        applying.choose_source(self._job)
        self._desk.reused.emit(Wish.from_edit(self._job["edit"]))

    def _start(self) -> None:
        """The result becomes the picture: its layer is chosen, and what it shows is what was wanted."""
        applying.fetch(self._desk, self._job["job"], choose=True)
        self._desk.reused.emit(Wish.from_edit(self._job["edit"]).as_start())

    def _add(self, label: str, name: str, act: Callable[[], None], hint: str = "") -> None:
        button = QToolButton(self)
        button.setText(label)
        button.setObjectName(f"s2edit_{name}")
        button.setToolTip(hint or label)
        button.clicked.connect(lambda *_: act())
        (self._more if name in {"again", "start"} else self._buttons).addWidget(button)
