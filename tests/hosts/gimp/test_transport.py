"""A 4096 x 4096 layer out of GIMP and a result into it: what the plug-in adds to GIMP's own time."""

from __future__ import annotations

import json

import pytest

from .gimp import GimpDesk

pytestmark = pytest.mark.hosts

SIDE = 4096


def test_a_large_layer_goes_out_and_a_result_in(desk: GimpDesk) -> None:
    took = desk.batch("transport", 240, side=SIDE, plugin=desk.plugin)
    (desk.lab.artifacts / "transport.json").write_text(json.dumps(took, indent=1), encoding="utf-8")
    print(
        f"\n{SIDE} x {SIDE} RGBA, 8 bit: out {took['out']:.2f} s ({took['get'] / took['out']:.0%} GIMP's own), "
        f"in {took['in']:.2f} s ({took['set'] / took['in']:.0%} GIMP's own)"
    )
    assert took["bytes"] == SIDE * SIDE * 4
    # The shares are for people to read: on a busy machine a bound on them would fail by itself.
    assert 0 < took["get"] <= took["out"]
    assert 0 < took["set"] <= took["in"]
