"""An edit without windows, for scripts and for “repeat with last values”: waits for the result, returns its layer."""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gi.repository import Gimp
from s2edit_editor import models, words
from s2edit_editor.text import _
from s2edit_wire import launcher
from s2edit_wire.client import Client, new_job_id
from s2edit_wire.errors import Unreachable
from s2edit_wire.records import ENDED

from . import VERSION
from .choices import Choices
from .delivery import deliver
from .layers import remember_pending
from .mask_sources import collect
from .reference import given_reference
from .snapshot import CannotEdit, Snapshot, area, crop_of, plan_fields, take

PATIENCE = 120.0
"""Seconds that a vanished daemon may take to come back before the script is told."""
LOOK_AGAIN = 5.0
"""Seconds after which the job is asked about, whatever was told: an event may have been dropped, or the job removed."""
Progress = Callable[[str, float], None]


def edit(
    image: Gimp.Image, layer: Gimp.Drawable, choices: Choices, progress: Progress, *, taken: bool = False
) -> Gimp.Layer:
    """Edit a layer, or compose it with a reference, and return the result layer.

    Args:
        taken: whether the caller has the result with that, as a script has it; else it is acknowledged when the picture
            is saved and S²Edit meets it again.


    Raises:
        NoMask, CannotEdit: the picture or the arguments don't do; the message says why.
        WireError: the daemon refused, or the job failed. Unreachable: there is no daemon, and none can be started.
    """
    masks = collect(image, layer, choices.mask, choices.channel, choices.earlier)
    if not choices.wish.words:  # then the objects are called what their masks were painted for
        choices.wish = replace(choices.wish, words=tuple(mask.word for mask in masks if mask.word))
    if len(masks) > max(1, len(choices.wish.words)):
        raise CannotEdit(_("Name the object of each mask."))
    reference = given_reference(choices)
    client = Client("gimp", VERSION)
    launcher.connect(client)
    with client:
        model = models.default_model(client.request("settings").header["settings"], "gimp")
        within = area(image, layer)
        plan = client.request("plan", plan_fields(within, choices, masks, model)).header
        for problem in plan["problems"]:
            if problem["blocking"]:
                raise CannotEdit(problem["message"])
        shot = take(image, layer, choices, masks, crop_of(within, plan), model, reference)
        job = new_job_id()
        remember_pending(image, job, shot.anchor)
        record = _await_end(client, job, shot, progress)
        if record["state"] != "done":
            message = record.get("message") or _("The edit was cancelled.")
            raise CannotEdit(f"{message} {record.get('hint', '')}".strip())
        answer = client.request("result", {"job": job}, timeout=PATIENCE)
        new = deliver(image, answer, shot.picture, choices.mask)
        if taken:
            client.request("acknowledge", {"job": job})
    return new


def _await_end(client: Client, job: str, shot: Snapshot, progress: Progress) -> dict[str, Any]:
    """Submit and follow the job until it has ended; a daemon that goes away is waited for, and gets the job again."""
    lost = 0.0
    while True:
        try:
            if not client.ready:
                launcher.connect(client)
            client.request("subscribe", {"after": 0})
            record: dict[str, Any] = client.request("submit", shot.fields(job), shot.frames, PATIENCE).header["job"]
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
