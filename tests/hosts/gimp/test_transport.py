"""A 4096 x 4096 layer out of GIMP and a result into it: what the plug-in adds to GIMP's own time."""

from __future__ import annotations

import json

import pytest

from .gimp import GimpDesk

pytestmark = pytest.mark.hosts

SIDE = 4096
MOST_OUT, MOST_IN = 3.0, 8.0
"""How many times GIMP's own time the plug-in may take: it copies once going out, and reads back all that it wrote."""


def test_the_plug_in_adds_little_to_what_gimp_itself_takes(desk: GimpDesk) -> None:
    took = desk.batch("transport", 240, side=SIDE, plugin=desk.plugin)
    (desk.lab.artifacts / "transport.json").write_text(json.dumps(took, indent=1), encoding="utf-8")
    print(
        f"\n{SIDE} x {SIDE} RGBA, 8 bit: out {took['out']:.2f} s ({took['get'] / took['out']:.0%} GIMP's own), "
        f"in {took['in']:.2f} s ({took['set'] / took['in']:.0%} GIMP's own)"
    )
    assert took["bytes"] == SIDE * SIDE * 4
    assert took["out"] <= MOST_OUT * took["get"]
    assert took["in"] <= MOST_IN * took["set"]
