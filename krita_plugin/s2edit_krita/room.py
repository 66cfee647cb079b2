"""The docker's place among Krita's own, where it is squeezed to a slit at first, and the place of what it says."""

from __future__ import annotations

from .qt import QDockWidget, QFrame, QLabel, QMainWindow, QScrollArea, Qt

_PRESETS_ID = "PresetDocker"
"""Krita's brush presets: the docker that is needed least while words are typed."""
_LEAST_HEIGHT = 340
_GOOD_HEIGHT = 450
"""Pixels in which the texts, the masks and the buttons are in sight; the layers need their room too."""


def make_room(docker: QDockWidget) -> None:
    """Give the docker a height to work in, together with the brush presets where it has no tab yet."""
    main = docker.parentWidget()
    if docker.isFloating() or docker.height() >= _LEAST_HEIGHT or not isinstance(main, QMainWindow):
        return
    presets = main.findChild(QDockWidget, _PRESETS_ID)
    if presets is not None and presets.isVisible() and not main.tabifiedDockWidgets(docker):
        main.tabifyDockWidget(presets, docker)
        docker.raise_()
    main.resizeDocks([docker], [_GOOD_HEIGHT], Qt.Orientation.Vertical)


def room_for(label: QLabel, lines: int) -> QScrollArea:
    """A place of always the same height for what a label says: more is scrolled to, and moves nothing."""
    label.setWordWrap(True)
    label.setAlignment(Qt.AlignmentFlag.AlignTop)
    area = QScrollArea(label.parentWidget())
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFixedHeight(lines * label.fontMetrics().lineSpacing() + 2)
    area.setWidget(label)
    return area
