"""What the Krita plug-in says can be said in its other languages, and its pixels keep their order. No Krita here."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from krita_plugin.s2edit_krita import pixels
from krita_plugin.s2edit_krita.pixels import DEPTHS, Box

PLUGIN = Path(pixels.__file__).parent
PROMPTS = re.compile(r"^(a .*|makeup)$")
"""Examples of prompts stay English: the models know no other language."""


def _texts() -> set[str]:
    found = set()
    for path in PLUGIN.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "tr":
                assert isinstance(node.args[0], ast.Constant), f"{path.name}: tr() of something that is no literal"
                found.add(str(node.args[0].value))
    return {text for text in found if text != "S²Edit" and not PROMPTS.match(text)}


@pytest.mark.parametrize("language", ["de", "ar"])
def test_the_catalogue_is_complete(language: str) -> None:
    catalogue = json.loads((PLUGIN / "locale" / f"{language}.json").read_text(encoding="utf-8"))
    assert set(catalogue) == _texts()
    for text, translated in catalogue.items():
        assert sorted(re.findall(r"{\w+}", text)) == sorted(re.findall(r"{\w+}", translated)), text


def test_every_depth_comes_round() -> None:
    bgra = bytes((1, 2, 3, 4, 250, 251, 252, 253))
    assert bytes(pixels.to_wire(DEPTHS["U8"], bgra)) == bytes((3, 2, 1, 4, 252, 251, 250, 253))
    rgb = bytes((3, 2, 1, 252, 251, 250))
    assert bytes(pixels.to_krita(DEPTHS["U8"], rgb, 3)) == bytes((1, 2, 3, 255, 250, 251, 252, 255))
    wide = b"".join(value.to_bytes(2, "little") for value in (300, 200, 100))
    assert pixels.to_krita(DEPTHS["U16"], wide, 3)[:6] == b"".join(v.to_bytes(2, "little") for v in (100, 200, 300))
    gray = bytes((7,))
    assert bytes(pixels.to_krita(DEPTHS["U8"], gray, 1)) == bytes((7, 7, 7, 255))


def test_boxes() -> None:
    assert Box(0, 0, 4, 4).united(Box(6, 2, 2, 8)) == Box(0, 0, 8, 10)
    assert Box(-2, 3, 5, 50).clipped(10, 10) == Box(0, 3, 3, 7)
    assert Box(10, 0, 5, 5).clipped(10, 10) is None
