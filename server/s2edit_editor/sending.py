"""From a form that stays open to a job: planned once more, copied in turns of the editor's loop, and handed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from s2edit_wire.errors import WireError
from s2edit_wire.records import PlanReply

from .desk import Desk
from .link import Answer, Failed, nothing
from .submission import Parcel, Submission
from .text import _
from .turns import in_turns
from .wish import Wish


def send(
    desk: Desk,
    asked: Submission,
    failed: Failed,
    *,
    wishes: Sequence[Wish] = (),
    answer: Answer | None = None,
    wanted: Callable[[], bool] = lambda: True,
    handed: Callable[[Sequence[str]], None] = nothing,
    sent: Callable[[], None] = nothing,
) -> None:
    """Send an order, or several wishes with the same pictures.

    Args:
        asked: the document as it was looked at.
        failed: told why nothing is sent.
        wishes: instead of the order's own; of several, none becomes a layer by itself.
        answer: takes the result instead of a layer being made.
        wanted: whether it is still to be sent; else nobody is told of anything.
        handed: takes the jobs' ids once they are on their way.
        sent: called once the daemon has a job.
    """

    def planned(reply: Mapping[str, Any], _pictures: object) -> None:
        plan = cast(PlanReply, reply)
        refusal = asked.refusal(plan)
        if not wanted():
            return
        if refusal is not None:
            failed(refusal)
        else:
            in_turns(desk.loop, asked.taking(asked.crop(plan)), taken, failed, alive)

    def alive() -> bool:
        if not wanted():
            return False
        there = asked.host.is_open()
        if not there:
            failed(WireError("bad_image", _("The picture was closed before it could be sent.")))
        return there

    def taken(parcel: Parcel) -> None:
        varied = [parcel.wishing(wish, asked.model) for wish in wishes or [asked.order.wish]]
        handed([desk.submit(asked.host, one, as_layer=len(varied) < 2, answer=answer, sent=sent) for one in varied])

    desk.request("plan", asked.plan(), planned, failed=failed)
