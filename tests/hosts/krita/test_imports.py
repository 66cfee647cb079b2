"""The Krita plug-in needs nothing installed: only the standard library, Krita, Qt in one place, and its own files."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from s2edit_installer.vendoring import SHARED

from tests.hosts.lab import PROJECT

PLUGIN = PROJECT / "krita_plugin" / "s2edit_krita"
ANYWHERE = {*sys.stdlib_module_names, "krita", *(package.__name__ for package in SHARED)}
ONE_PLACE = {"qt.py": {"PyQt5", "PyQt6"}}
"""Only this file may name these packages."""


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield str(node.module).split(".")[0]


def test_nothing_has_to_be_installed() -> None:
    files = sorted(PLUGIN.glob("*.py"))
    assert len(files) > 20
    for path in files:
        strangers = set(_imports(path)) - ANYWHERE - ONE_PLACE.get(path.name, set())
        assert not strangers, f"{path.name} imports {sorted(strangers)}"


def test_no_threads_and_no_polling() -> None:
    for path in PLUGIN.glob("*.py"):
        assert not set(_imports(path)) & {"threading", "asyncio", "concurrent", "multiprocessing", "select"}
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                called = ast.unparse(node.func)
                assert not called.endswith("startTimer"), path.name
                assert called != "time.sleep", path.name
