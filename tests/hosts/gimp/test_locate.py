"""Finding a crop again in a layer that was cropped since: the arithmetic, with GIMP's buffer stood in for by bytes."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ..lab import PROJECT
from ..scenarios import draw_portrait

Shift = tuple[int, int]


@pytest.fixture
def find(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Any, Any], Shift | None]]:
    """`locate.shift_of` on arrays: (the layer as it is now, the crop as it was sent) -> the crop's corner in it."""
    repository = types.ModuleType("gi.repository")
    repository.__dict__.update(Gegl=types.SimpleNamespace(), Gimp=types.SimpleNamespace())
    monkeypatch.setitem(sys.modules, "gi", types.ModuleType("gi"))
    monkeypatch.setitem(sys.modules, "gi.repository", repository)
    monkeypatch.syspath_prepend(str(PROJECT / "gimp_plugin" / "s2edit"))
    before = {name for name in sys.modules if name.startswith("s2edit_gimp")}
    from s2edit_gimp import locate, pixels  # type: ignore[import-not-found]

    def picture(array: Any) -> Any:
        return pixels.Picture(array.shape[1], array.shape[0], array.shape[2], "u1", array.tobytes())

    def shift_of(now: Any, sent: Any) -> Shift | None:
        layer = types.SimpleNamespace(get_width=lambda: now.shape[1], get_height=lambda: now.shape[0])
        monkeypatch.setattr(locate, "read_colour", lambda _layer, _box: picture(now))
        found: Shift | None = locate.shift_of(layer, picture(sent))
        return found

    yield shift_of
    for name in [name for name in sys.modules if name.startswith("s2edit_gimp") and name not in before]:
        del sys.modules[name]


@pytest.fixture
def portrait(tmp_path: Path) -> Any:
    return np.asarray(Image.open(draw_portrait(tmp_path / "portrait.png")))


@pytest.mark.parametrize(("left", "top"), [(20, 11), (0, 0), (60, 40)])
def test_a_crop_is_found_in_what_is_left_of_the_layer(find: Any, portrait: Any, left: int, top: int) -> None:
    assert find(portrait[top:226, left:230], portrait[:200]) == (-left, -top)


def test_it_is_found_although_somebody_painted_on_half_of_it(find: Any, portrait: Any) -> None:
    now = portrait[11:, 20:].copy()
    now[90:] = 0
    assert find(now, portrait[:180]) == (-20, -11)


def test_in_another_picture_it_is_not_found(find: Any, portrait: Any) -> None:
    assert find(255 - portrait[11:, 20:], portrait[:200]) is None
    assert find(np.zeros_like(portrait), portrait[:200]) is None
