"""Following a job to its end: phase, step, time left and place in the queue, over lost connections and Ctrl-C."""

from __future__ import annotations

import select
import sys
import time
from collections.abc import Callable
from typing import Any

from rich.progress import BarColumn, Progress, TextColumn
from rich.prompt import Prompt
from s2edit_wire.client import Client
from s2edit_wire.errors import Unreachable, WireError
from s2edit_wire.records import ENDED

from .connecting import connect
from .exit_codes import Exit
from .report import ERR, Ended, duration, tell
from .report import size as amount

WORDS = {
    "waiting": "waiting",
    "loading": "loading the model",
    "identity": "learning the identity",
    "inversion": "inverting the picture",
    "editing": "editing",
    "compositing": "compositing",
}
SENDING = "sending the picture"
MOMENT = 0.5
"""Seconds of sending that nobody is told of."""
PATIENCE = 60.0
"""Seconds for which a lost daemon is looked for."""
LOOK_AGAIN = 5.0
"""Seconds after which the job is asked for, whatever events say."""


class Display:
    """One line that moves on a terminal; one line a phase elsewhere; nothing when quiet."""

    def __init__(self, *, quiet: bool) -> None:
        self._moving = ERR.is_terminal and not quiet
        self._plain = not self._moving and not quiet
        self._last = ""
        self._begun: float | None = None
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[rest]}", markup=False),
            console=ERR,
            transient=True,
        )
        self._task = self._progress.add_task("waiting", total=None, rest="")

    def show(self, job: dict[str, Any]) -> None:
        """Show the job as it is."""
        words = WORDS[job["phase"]] if job["state"] == "running" else _state_words(job)
        if self._moving:
            self._progress.start()
            rest = f"{job['step']}/{job['total']}" if job["total"] else ""
            if "eta" in job:
                rest += f"  {duration(job['eta'])} left"
            self._progress.update(
                self._task, description=words, completed=job["step"], total=job["total"] or None, rest=rest
            )
        elif self._plain and words != self._last:
            tell(words)
        self._last = words

    def sending(self, gone: int, size: int) -> None:
        """Show how much of a picture is on its way to the daemon, if that takes longer than a moment."""
        if self._begun is None:
            self._begun = time.monotonic()
        if time.monotonic() - self._begun < MOMENT:
            return
        if self._moving:
            self._progress.start()
            rest = f"{amount(gone)} of {amount(size)}"
            self._progress.update(self._task, description=SENDING, completed=gone, total=size, rest=rest)
        elif self._plain and self._last != SENDING:
            tell(f"{SENDING}, {amount(size)}")
        self._last = SENDING

    def close(self) -> None:
        """Take the line away; it comes back with the next `show`."""
        self._progress.stop()


class Follower:
    """Waits for one job.

    Args:
        client: a greeted client; replaced when the connection is lost.
        job: the job as `submit` or `show` answered.
        quiet: show nothing.
        watch: called with the job, again and again until it has ended.
    """

    def __init__(
        self, client: Client, job: dict[str, Any], *, quiet: bool, watch: Callable[[dict[str, Any]], None] | None = None
    ) -> None:
        self.client, self._job, self._quiet, self._watch = client, job, quiet, watch
        self._looked = time.monotonic()

    def run(self) -> dict[str, Any]:
        """The job's last state.

        Raises:
            WireError: it failed or was cancelled. Ended: it was left running. Unreachable: the daemon is gone for good.
        """
        display = Display(quiet=self._quiet)
        try:
            self._subscribe()
            while self._job["state"] not in ENDED:
                try:
                    display.show(self._job)
                    if self._watch is not None:
                        self._watch(self._job)
                    self._wait()
                except KeyboardInterrupt:
                    display.close()
                    self._interrupted()
                except Unreachable:
                    self._reconnect()
        finally:
            display.close()
        return self._checked()

    def _subscribe(self) -> None:
        self.client.request("subscribe", {"after": self._job["seq"]})
        self._look()

    def _look(self) -> None:
        self._looked = time.monotonic()
        self._job = self.client.request("show", {"job": self._job["job"]}).header["job"]

    def _wait(self) -> None:
        readable = [self.client.fileno()]
        select.select(readable, readable if self.client.wants_write else [], [], 1.0)
        for incoming in self.client.pump():
            job = incoming.header.get("job")
            if incoming.op == "event" and job is not None and job["job"] == self._job["job"]:
                self._job = job
            if incoming.op == "event" and incoming.header.get("removed") == self._job["job"]:
                raise WireError("unknown_job", "The job was deleted meanwhile.", "Submit the edit again.")
        if time.monotonic() - self._looked > LOOK_AGAIN:
            # Events that found our queue full, such as while we were stopped (Ctrl-Z), never come.
            self._look()

    def _reconnect(self) -> None:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                self.client = connect(client_id=self.client.client_id)
                # A new start of the daemon counts anew.
                self._job["seq"] = 0
                self._subscribe()
            except Unreachable:
                if time.monotonic() > until:
                    raise
                time.sleep(0.5)
            else:
                return

    def _interrupted(self) -> None:
        """Ctrl-C: ask what is to become of the job; without a terminal, it is cancelled."""
        answer = "c"
        if sys.stdin.isatty() and ERR.is_terminal and not self._quiet:
            try:
                answer = Prompt.ask(
                    "The job goes on. [b]c[/b]ancel it, [b]l[/b]eave it running, or [b]w[/b]ait on?",
                    console=ERR,
                    choices=["c", "l", "w"],
                    default="w",
                )
            except (KeyboardInterrupt, EOFError):
                answer = "l"
        if answer == "c":
            self._job = self.client.request("cancel", {"job": self._job["job"]}).header["job"]
        elif answer == "l":
            job = self._job["job"]
            hint = f"Fetch it with: s2edit jobs result {job} IMAGE -o OUT"
            raise Ended(Exit.RUNNING, f"Job {job} goes on.", hint, job=job)

    def _checked(self) -> dict[str, Any]:
        job = self._job
        if job["state"] == "cancelled":
            raise Ended(Exit.CANCELLED, "The job was cancelled; nothing was changed.", job=job["job"])
        if job["state"] == "failed":
            again = f"Try again with: s2edit jobs retry {job['job']}"
            raise WireError(
                job.get("error", "internal"), job.get("message", "The job failed."), job.get("hint") or again
            )
        return job


def _state_words(job: dict[str, Any]) -> str:
    if job["state"] == "queued":
        return f"waiting, place {job['position']} in the queue" if job["position"] else "waiting"
    return "held back in the queue" if job["state"] == "paused" else str(job["state"])
