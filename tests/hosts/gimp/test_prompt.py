"""The field of a prompt, with the GTK of the real GIMP."""

from __future__ import annotations

import json

import pytest

from ..lab import Lab
from ..screen import Screen
from .gimp import GimpDesk

pytestmark = pytest.mark.hosts


def test_the_example_is_never_seen_beside_text() -> None:
    """Also where the text stands there before the dialog comes up, as after it was cancelled."""
    with Lab("gimp-prompt") as lab:
        desk = GimpDesk(lab)
        Screen(lab)
        told = json.loads(lab.run("python3", str(desk.inside / "prompt.py"), str(desk.plugin)))
    with_text, empty = told["seen"][:3], told["seen"][3:]
    assert with_text == [False, False, True]
    assert empty == [True, True, False]
    assert told["changes"] == 3
