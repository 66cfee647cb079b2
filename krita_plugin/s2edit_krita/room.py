"""The docker's place among Krita's own: shown for the first time, it is squeezed to a slit."""

from __future__ import annotations

from .qt import QDockWidget, QMainWindow, Qt

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
