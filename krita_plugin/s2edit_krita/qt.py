"""The one place that knows which Qt this Krita has: PyQt5 (Krita 5) or PyQt6 (Krita 6).

Everything else imports Qt's classes from here and writes enumerations with their full scope, which both accept. Type
checkers see PyQt6's types, when they are installed.
"""

from __future__ import annotations

import importlib
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PyQt6.QtCore import (
        QBuffer,
        QByteArray,
        QEvent,
        QLocale,
        QObject,
        QSize,
        QSocketNotifier,
        Qt,
        QTimer,
        QUuid,
        pyqtSignal,
    )
    from PyQt6.QtGui import QAction, QIcon, QImage, QPainter, QPixmap
    from PyQt6.QtWidgets import (
        QApplication,
        QCheckBox,
        QComboBox,
        QDialog,
        QDialogButtonBox,
        QDockWidget,
        QDoubleSpinBox,
        QFileDialog,
        QFormLayout,
        QFrame,
        QHBoxLayout,
        QLabel,
        QLineEdit,
        QMainWindow,
        QMenu,
        QMessageBox,
        QPlainTextEdit,
        QProgressBar,
        QPushButton,
        QScrollArea,
        QSizePolicy,
        QSpinBox,
        QToolButton,
        QVBoxLayout,
        QWidget,
    )

__all__ = [
    "QAction",
    "QApplication",
    "QBuffer",
    "QByteArray",
    "QCheckBox",
    "QComboBox",
    "QDialog",
    "QDialogButtonBox",
    "QDockWidget",
    "QDoubleSpinBox",
    "QEvent",
    "QFileDialog",
    "QFormLayout",
    "QFrame",
    "QHBoxLayout",
    "QIcon",
    "QImage",
    "QLabel",
    "QLineEdit",
    "QLocale",
    "QMainWindow",
    "QMenu",
    "QMessageBox",
    "QObject",
    "QPainter",
    "QPixmap",
    "QPlainTextEdit",
    "QProgressBar",
    "QPushButton",
    "QScrollArea",
    "QSize",
    "QSizePolicy",
    "QSocketNotifier",
    "QSpinBox",
    "QTimer",
    "QToolButton",
    "QUuid",
    "QVBoxLayout",
    "QWidget",
    "Qt",
    "pyqtSignal",
]

_BINDINGS = ("PyQt6", "PyQt5")


def _binding() -> str:
    """The name of Krita's own binding: the other one may be installed too, and would bring a second Qt into Krita."""
    loaded = [name for name in _BINDINGS if f"{name}.QtCore" in sys.modules]
    installed = [name for name in _BINDINGS if find_spec(name) is not None]
    return (loaded or installed or ["PyQt5"])[0]


if not TYPE_CHECKING:
    if find_spec("krita") is not None:
        import krita  # noqa: F401 - loads the binding that Krita was built for
    # QAction is in another module in each of them.
    _modules = [importlib.import_module(f"{_binding()}.{part}") for part in ("QtCore", "QtGui", "QtWidgets")]
    for _name in __all__:
        globals()[_name] = next(getattr(module, _name) for module in _modules if hasattr(module, _name))
