"""What this run of an editor wants of a job; how the job stands is the daemon's business."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .host import Host
from .link import Answer, nothing
from .submission import Parcel


@dataclass
class Errand:
    """What this run wants of a job that it has handed in.

    Args:
        host: where it was taken from. parcel: what was handed in; None once it is a layer.
        as_layer: whether the result becomes a layer by itself.
        answer: takes the result instead of a layer being made.
        sent: called once the daemon has it.
        accepted: whether the daemon has it. fetching: whether its result is on the way.
        layer: the result's mark, once it is a layer.
        gone: how much of the parcel has left this program, 0 to 1, as far as that takes any time.
        trouble: what went wrong here, as a sentence; code: the error's. Both "" without one.
    """

    host: Host
    parcel: Parcel | None = None
    as_layer: bool = True
    answer: Answer | None = None
    sent: Callable[[], None] = nothing
    accepted: bool = False
    fetching: bool = False
    layer: str = ""
    trouble: str = ""
    code: str = ""
    gone: float = 0.0
