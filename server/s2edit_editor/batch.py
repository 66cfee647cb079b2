"""An edit without windows, for an editor's scripts and its “repeat with last values”: waits for the result's layer."""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from typing import Any, cast

from s2edit_wire import launcher
from s2edit_wire.client import Client, new_job_id
from s2edit_wire.errors import Unreachable, WireError
from s2edit_wire.records import ENDED, PlanReply

from . import models, words
from .choices import Choices
from .delivery import delivering, pictures_of
from .host import Host
from .masks import for_objects
from .notes import remember
from .submission import Parcel, Submission, area_in
from .text import _
from .turns import at_once

PATIENCE = 120.0
"""Seconds that a vanished daemon may take to come back before the script is told."""
LOOK_AGAIN = 5.0
"""Seconds after which the job is asked about, whatever was told: an event may have been dropped, or the job removed."""
Progress = Callable[[str, float], None]


def edit(host: Host, layer: str, choices: Choices, progress: Progress, *, taken: bool = False) -> str:
    """Edit a layer, or compose it with a reference; returns the result layer's mark.

    Args:
        progress: told the phase, and how much is done, 0.0 to 1.0.
        taken: whether the caller has the result with that, as a script has it; else it is acknowledged when the picture
            is saved and S²Edit meets it again.

    Raises:
        WireError: the picture or the arguments don't do, the daemon refused, or the job failed.
        Unreachable: there is no daemon, and none can be started.
    """
    masks = for_objects(host, layer, area_in(host, layer), choices.mask, choices.mark)
    client = Client(host.program(), host.versions()["plugin"])
    launcher.connect(client)
    with client:
        model = models.default_model(client.request("settings").header["settings"], host.program())
        submission = Submission.of(host, layer, choices.order(masks).named(), model)
        plan = cast(PlanReply, client.request("plan", submission.plan()).header)
        refusal = submission.refusal(plan)
        if refusal is not None:
            raise refusal
        parcel = submission.take(submission.crop(plan))
        job = new_job_id()
        remember(host, job, parcel.pending)
        record = _await_end(client, job, parcel, progress)
        if record["state"] != "done":
            message = record.get("message") or _("The edit was cancelled.")
            raise WireError("model_failed", message, record.get("hint", ""))
        answer = client.request("result", {"job": job}, timeout=PATIENCE)
        header, pictures = answer.header, pictures_of(answer.header, answer.frames)
        new = at_once(delivering(host, header["job"], header["record"], pictures, parcel.picture))
        if taken:
            client.request("acknowledge", {"job": job})
    return new


def _await_end(client: Client, job: str, parcel: Parcel, progress: Progress) -> dict[str, Any]:
    """Submit and follow the job until it has ended; a daemon that goes away is waited for, and gets the job again."""
    lost = 0.0
    while True:
        try:
            if not client.ready:
                launcher.connect(client)
            client.request("subscribe", {"after": 0})
            record: dict[str, Any] = client.request("submit", parcel.fields(job), parcel.frames, PATIENCE).header["job"]
            lost, looked = 0.0, time.monotonic()
            while record["state"] not in ENDED:
                progress(record["phase"], words.fraction(record))
                select.select([client.fileno()], [], [], 1.0)
                if time.monotonic() - looked > LOOK_AGAIN:
                    record, looked = client.request("show", {"job": job}).header["job"], time.monotonic()
                for incoming in client.pump():
                    if incoming.op == "event" and incoming.header.get("job", {}).get("job") == job:
                        record = incoming.header["job"]
            return record
        except Unreachable:
            lost = lost or time.monotonic()
            if time.monotonic() - lost > PATIENCE:
                raise
            client.close()
            time.sleep(0.5)
