"""Counting a daemon's events, so that those that never came can be asked for."""

from __future__ import annotations

from .client import Incoming


class EventCount:
    """The numbers of the events that came from one run of the daemon.

    Attributes:
        after: the number of the last event before which none is missing; 0 before the first one.
    """

    def __init__(self) -> None:
        self.after = self._newest = 0
        self._asked = False
        self._boot = ""

    def connected(self, boot: str) -> None:
        """There is a connection again, to the daemon's run with this name; each counts from 0."""
        if boot != self._boot:
            self._boot, self.after = boot, 0
        self._newest = self.after

    def asked(self) -> None:
        """Those after `after` were asked for; what comes meanwhile shows no gap."""
        self._asked = True

    def unanswered(self) -> None:
        """They won't be told; the next event shows the same gap."""
        self._asked = False

    def count(self, number: int) -> bool:
        """Note an event's number; returns whether there is a gap before it, so that those missed have to be asked for.

        A gap means that the daemon found our queue full and dropped some.
        """
        self._newest = max(self._newest, number)
        if self._asked:
            return False
        if number > self.after + 1:
            return True
        self.after = self._newest
        return False

    def catch_up(self, answer: Incoming) -> tuple[list[Incoming], bool]:
        """Take the answer to `subscribe`.

        Returns:
            An event for each job that changed while nobody listened, oldest change first, and whether there are more
            to be asked for.
        """
        missed = sorted(answer.header["jobs"], key=lambda job: int(job["seq"]))
        headers = [{"op": "event", "kind": "job", "seq": job["seq"], "job": job} for job in missed]
        self.after = answer.header["seq"]
        more = bool(answer.header.get("more"))
        if not more:
            self._asked = False
            self.after = self._newest = max(self.after, self._newest)
        return [Incoming(0, "event", header) for header in headers], more
