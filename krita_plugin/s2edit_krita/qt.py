"""The one place that knows which Qt this Krita has: PyQt5 (Krita 5) or PyQt6 (Krita 6).

Everything else imports Qt's classes from here, whichever of Qt's modules they are in (QAction changed its), and writes
enumerations with their full scope, which both accept.
"""

from __future__ import annotations

import importlib
import sys
from importlib.util import find_spec
from typing import Any

_BINDINGS = ("PyQt6", "PyQt5")


def _binding() -> str:
    """The name of Krita's own binding: the other one may be installed too, and would bring a second Qt into Krita."""
    loaded = [name for name in _BINDINGS if f"{name}.QtCore" in sys.modules]
    installed = [name for name in _BINDINGS if find_spec(name) is not None]
    return (loaded or installed or ["PyQt5"])[0]


if find_spec("krita") is not None:
    import krita  # noqa: F401 - loads the binding that Krita was built for
_MODULES = [importlib.import_module(f"{_binding()}.{part}") for part in ("QtCore", "QtGui", "QtWidgets")]


def __getattr__(name: str) -> Any:
    """One of Qt's classes, such as `QLabel`."""
    for module in _MODULES:
        if hasattr(module, name):
            return getattr(module, name)
    raise AttributeError(name)
