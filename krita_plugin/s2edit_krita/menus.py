"""S²Edit… in the menus that Krita builds anew at each right-click; there is no API for them.

One event filter on the application sees a menu when it is shown and adds the actions. The same filter tells when a
stroke on the canvas has ended, for the live preview of the mask.
"""
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from krita import Krita
from s2edit_editor.text import _ as tr

from .overlay import is_canvas
from .qt import QAction, QApplication, QEvent, QMenu, QObject, QPushButton, pyqtSignal

_DONE = "s2edit"
_LAYERS_MARK = "layer_properties"
_SELECTION_MARK = "select_all"
_OWN_MENU_BAR = frozenset({"Layer", "Select", "Edit", "Image"})
_PALETTE = "KisPopupPalette"
_MARGIN = 46
ACTIONS = ("s2edit_open", "s2edit_paint_mask")


class Menus(QObject):
    """The event filter.

    Signals:
        stroke_ended(): the pointer was lifted from a canvas.
    """

    stroke_ended = pyqtSignal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        application = QApplication.instance()
        assert application is not None, "Krita is there before its plug-ins"
        application.installEventFilter(self)

    def eventFilter(self, watched: Any, event: Any) -> bool:
        """Never swallows an event."""
        kind = event.type()
        if kind == QEvent.Type.Show:
            self._shown(watched)
        elif kind in (QEvent.Type.MouseButtonRelease, QEvent.Type.TabletRelease) and is_canvas(watched):
            self.stroke_ended.emit()
        return False

    def _shown(self, watched: Any) -> None:
        if isinstance(watched, QMenu):
            if not watched.property(_DONE) and watched.objectName() not in _OWN_MENU_BAR:
                names = {action.objectName() for action in watched.actions()}
                if _LAYERS_MARK in names or _SELECTION_MARK in names:
                    watched.setProperty(_DONE, True)
                    insert_actions(watched, watched.actions()[:1])
        elif not watched.property(_DONE) and _class(watched) == _PALETTE:
            watched.setProperty(_DONE, True)
            _add_button(watched)


def add_to_layer_menu(main: Any) -> None:
    """S²Edit… at the end of the main window's Layer menu."""
    for entry in main.menuBar().actions():
        menu = entry.menu()
        if menu is not None and menu.objectName().lower() == "layer" and not menu.property(_DONE):
            menu.setProperty(_DONE, True)
            menu.addSeparator()
            for action in _actions():
                menu.addAction(action)


def insert_actions(menu: Any, before: Sequence[Any]) -> None:
    """Put the actions and a line at the head of a menu that is being shown."""
    if before:
        for action in _actions():
            menu.insertAction(before[0], action)
        menu.insertSeparator(before[0])
    menu.adjustSize()
    # Qt has found the menu its place before it grew.
    beyond = menu.geometry().bottom() - menu.screen().availableGeometry().bottom()
    if beyond > 0:
        menu.move(menu.x(), max(0, menu.y() - beyond))


def _actions() -> list[QAction]:
    found = (Krita.instance().action(name) for name in ACTIONS)
    return [action for action in found if action is not None]


def _add_button(palette: Any) -> None:
    """The brush tools' pop-up palette is a round widget; the button goes to its lower edge."""
    button = QPushButton(tr("S²Edit…"), palette)
    button.setObjectName("s2edit_palette_button")
    button.setToolTip(tr("Change what the layer shows by text"))
    button.clicked.connect(_open_from(palette))
    button.adjustSize()
    button.move(_middle(palette) - button.width() // 2, palette.height() - button.height() - _MARGIN)
    button.raise_()
    button.show()


def _middle(palette: Any) -> int:
    """The wheel's middle: that of Krita's own row of buttons below it, since the widget is wider than the wheel."""
    shown = [child.geometry() for child in palette.children() if child.isWidgetType() and child.isVisibleTo(palette)]
    if not shown:
        return int(palette.width()) // 2
    lowest = max(shown, key=lambda place: (place.bottom(), place.top()))
    row = [place for place in shown if place.center().y() >= lowest.top()]
    return int(min(place.left() for place in row) + max(place.right() for place in row)) // 2


def _open_from(palette: Any) -> Callable[[], None]:
    def opened() -> None:
        palette.hide()
        action = Krita.instance().action(ACTIONS[0])
        if action is not None:
            action.trigger()

    return opened


def _class(watched: Any) -> str:
    return str(watched.metaObject().className())
