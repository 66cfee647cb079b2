"""Where the parts of a robot are, at the latents' resolution, for a loss that teaches words where to look.

The counterpart of `s2edit.research.starter.regions`; here each kind of drawing is simply drawn alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from s2edit.research.starter.canvas import coverage
from s2edit.research.starter.robots.renderer import figure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from s2edit.research.starter.robots.attributes import Robot

PARTS = ("figure", "background", "eyes", "mouth", "top", "sides")


def part_regions(robot: Robot, side: int = 16) -> NDArray[np.float32]:
    """The region of every part: (len(PARTS), side, side) in 0 to 1, the covered part of each cell.

    Zeros where a part is missing. Top and sides end where the head covers them.
    """
    whole, head = coverage(figure(robot), side), coverage(figure(robot, ("face",)), side)
    found = {"figure": whole, "background": 1 - whole}
    for part in ("eyes", "mouth"):
        found[part] = coverage(figure(robot, (part,)), side)
    for part in ("top", "sides"):
        found[part] = np.clip(coverage(figure(robot, (part, "face")), side) - head, 0, 1)
    return np.stack([found[part] for part in PARTS])
