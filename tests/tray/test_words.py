"""Texts: the German catalogue is whole, and the user's own imports file says what it refuses."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
import s2edit_tray
from s2edit_tray.imports import ImportsFile, ImportsFileError

FOLDER = Path(s2edit_tray.__file__).parent


def marked() -> set[str]:
    found = set()
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_":
                argument = node.args[0]
                if isinstance(argument, ast.Constant):
                    found.add(str(argument.value))
    return found


def test_every_text_has_a_german_one_with_the_same_blanks() -> None:
    german = json.loads((FOLDER / "locale" / "de.json").read_text("utf-8"))
    assert marked() - set(german) == set()
    for english, translated in german.items():
        assert sorted(re.findall(r"{\w+}", english)) == sorted(re.findall(r"{\w+}", translated)), english


def test_imports_are_kept_once_and_foreign_formats_are_refused(tmp_path: Path) -> None:
    good, bad = tmp_path / "a.safetensors", tmp_path / "b.ckpt"
    good.write_bytes(b"x")
    bad.write_bytes(b"x")
    imports = ImportsFile(tmp_path / "state" / "imports.json")
    imports.add(str(good))
    imports.add(str(good))
    assert imports.paths() == [str(good)]
    for wrong in (bad, tmp_path, tmp_path / "gone.safetensors"):
        with pytest.raises(ImportsFileError, match=wrong.name):
            imports.add(str(wrong))
    assert imports.paths() == [str(good)]
