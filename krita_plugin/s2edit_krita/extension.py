"""What Krita sees of S²Edit: its actions, its menu entries and its docker."""
# mypy: disallow-subclassing-any=False

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from krita import DockWidgetFactory, DockWidgetFactoryBase, Extension, Krita
from s2edit_editor.previewing import actions
from s2edit_editor.text import _ as tr
from s2edit_editor.text import speak

from .desk import KritaDesk
from .docker import DOCKER_ID, Docker
from .menus import Menus, add_to_layer_menu
from .qt import QLocale, QTimer


class S2Edit(Extension):
    """One for the whole of Krita; every window gets its own actions and docker."""

    def __init__(self, parent: Any) -> None:
        super().__init__(parent)
        self.desk: KritaDesk | None = None
        self.menus: Menus | None = None

    def setup(self) -> None:
        """Called once, before any window."""
        self.menus = Menus(self)

    def createActions(self, window: Any) -> None:
        """Called for each window; titles, icons and shortcuts stand in s2edit_krita.action."""
        # Krita deletes its Window object after this call; the Qt window lives as long as it is seen.
        main = window.qwindow()
        acts = {
            "s2edit_open": (tr("S²Edit…"), Docker.begin),
            "s2edit_paint_mask": (tr("Paint object mask"), Docker.paint_mask),
            **{f"s2edit_preview_{name}": (title, _previewing(name)) for name, title in actions().items()},
        }
        for name, (title, act) in acts.items():
            action = window.createAction(name, title, "tools/scripts")
            action.setText(title)  # the .action file's English would win
            action.triggered.connect(lambda *_, act=act: with_docker(main, act))
        # The menu bar is built after this call.
        QTimer.singleShot(0, lambda: add_to_layer_menu(main))


def with_docker(main: Any, act: Any) -> None:
    """Show this window's docker and do something with it."""
    docker = main.findChild(Docker, DOCKER_ID)
    if docker is not None:
        docker.setVisible(True)
        docker.raise_()
        act(docker)


def _previewing(name: str) -> Callable[[Docker], None]:
    return lambda docker: docker.previewed.acts[name]()


def wanted_languages() -> list[str]:
    """Language codes, best first: Krita's own choice (it sets LANGUAGE), then the system's."""
    chosen = [name for name in os.environ.get("LANGUAGE", "").split(":") if name]
    return [*chosen, *QLocale(QLocale.system()).uiLanguages()]


def register() -> None:
    """Tell Krita about the extension and the docker; called once, at import."""
    speak(wanted_languages())
    krita = Krita.instance()
    extension = S2Edit(krita)
    krita.addExtension(extension)
    extension.desk = KritaDesk(extension)
    Docker.desk, Docker.extension = extension.desk, extension
    krita.addDockWidgetFactory(DockWidgetFactory(DOCKER_ID, DockWidgetFactoryBase.DockRight, Docker))
