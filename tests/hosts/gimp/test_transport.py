"""What is read of an image; a 4096 x 4096 layer out of GIMP and a result into it: how long, and GIMP's own share."""

from __future__ import annotations

import json

import pytest

from .gimp import GimpDesk

pytestmark = pytest.mark.hosts

SIDE = 4096
ROUNDS = 3


def test_a_large_layer_goes_out_and_a_result_in(desk: GimpDesk) -> None:
    took = desk.batch("transport", 240, side=SIDE, plugin=desk.plugin)
    (desk.lab.artifacts / "transport.json").write_text(json.dumps(took, indent=1), encoding="utf-8")
    print(
        f"\n{SIDE} x {SIDE} RGBA, 8 bit: out {took['out']:.2f} s ({took['out_own'] / took['out']:.0%} GIMP's own), "
        f"in {took['in']:.2f} s ({took['in_own'] / took['in']:.0%} GIMP's own)"
    )
    assert took["bytes"] == SIDE * SIDE * 4
    assert took["layers"] == 1 + ROUNDS
    # The own time is part of the very runs that it is compared with; how large a part is for people to judge.
    assert 0 < took["out_own"] <= took["out"]
    assert 0 < took["in_own"] <= took["in"]


def test_all_that_is_visible_is_read_without_painted_masks(desk: GimpDesk) -> None:
    """The editors' contract: layer "" stands for that; nothing of the image itself changes."""
    seen = desk.batch("visible", plugin=desk.plugin)
    below, above = [10, 20, 30, 255], [200, 100, 50, 255]
    assert seen["below"] == 4 * below
    assert seen["visible"] == [*3 * below, *above]
    assert seen["glance"] == [*3 * below, *above]
    assert (seen["shown"], seen["dirty"], seen["images"]) == ([True, True, True], False, 1)
