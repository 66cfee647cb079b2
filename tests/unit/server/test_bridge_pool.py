"""The studio's places as the daemon sees them, told by a bridge that says what it is made to say: no Ray is in here."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from s2edit_server import bridge_link as link
from s2edit_server import worker_link
from s2edit_server.bridge_pool import BridgePool
from s2edit_server.placement import QueuedJob, choose
from s2edit_server.pool import SeatLost
from s2edit_server.supervisor import Health, Outcome, WorkerDied

A, B = "a worker 0", "b worker 0"
JOB = QueuedJob("1" * 32, "anna", 0.0, "photo", "likeness")
ORDER = worker_link.Run(JOB.id, 1, {}, worker_link.Model("photo", ""), [], "")
MISSING = worker_link.Failed(JOB.id, "unknown_model", "On box: the model “photo” is not installed.")


class Scripted(BridgePool):
    """A pool whose orders are noted; reports come by `hear`."""

    def __init__(self, folder: Path) -> None:
        self.sent: list[link.Order] = []
        self.woken = 0
        super().__init__("none", folder, lambda: None, self._wake)
        self.hear(link.Places([link.SeatAddress(A, "a"), link.SeatAddress(B, "b")]))

    def _wake(self) -> None:
        self.woken += 1

    def _send(self, order: link.Order) -> bool:
        self.sent.append(order)
        return True

    def hear(self, *reports: link.Report) -> None:
        for report in reports:
            self._take(link.reports.decode(link.encode(report)[4:]))

    async def run(self, place: str, *reports: link.Report) -> Outcome:
        """What comes of the job at that place when the bridge says this."""
        self.begin(place, JOB, 0.0)
        outcome = asyncio.ensure_future(self.runner(place).run(ORDER, lambda _: None))
        await asyncio.sleep(0)
        self.hear(*reports)
        try:
            return await asyncio.wait_for(outcome, 5)
        finally:
            self.end(place, 1.0, learned=outcome.exception() is None)


def played(folder: Path, play: Callable[[Scripted], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        return await play(Scripted(folder))

    return asyncio.run(run())


def names(pool: BridgePool) -> list[str]:
    return [place.name for place in pool.places()]


@pytest.mark.parametrize(
    ("report", "raised"),
    [
        (link.Failure(A, JOB.id, "killed", lost=False), WorkerDied),
        (link.Failure(A, JOB.id, "away", lost=True), SeatLost),
        (link.Places([link.SeatAddress(B, "b")]), SeatLost),
    ],
    ids=["its worker died", "its seat is lost", "its computer is gone"],
)
def test_what_ends_an_attempt_without_an_outcome(tmp_path: Path, report: link.Report, raised: type[WorkerDied]) -> None:
    async def play(pool: Scripted) -> None:
        with pytest.raises(WorkerDied) as caught:
            await pool.run(A, report)
        assert type(caught.value) is raised

    played(tmp_path, play)


def test_what_is_said_of_another_job_is_not_taken_for_this_ones(tmp_path: Path) -> None:
    other, right = worker_link.Cancelled("2" * 32), worker_link.Cancelled(JOB.id)

    async def play(pool: Scripted) -> Outcome:
        late = link.Failure(A, other.job, "late", lost=True)
        return await pool.run(A, link.Ended(A, other.job, other), late, link.Ended(A, JOB.id, right))

    assert played(tmp_path, play) == right


def test_a_computer_that_comes_back_knows_what_it_knew_and_is_told_of_at_once(tmp_path: Path) -> None:
    async def play(pool: Scripted) -> None:
        await pool.run(A, link.Ended(A, JOB.id, worker_link.Done(JOB.id, {}, [])))
        pool.hear(link.State(A, Health("idle", 7, "cuda:0", "photo")))
        assert [JOB.holds in place.holds for place in pool.places()] == [True, False], "computers share nothing"
        pool.hear(link.Places([link.SeatAddress(B, "b")], "Somebody is gone."))
        assert (names(pool), pool.notice) == ([B], "Somebody is gone.")
        woken = pool.woken
        pool.hear(link.Places([link.SeatAddress(A, "a"), link.SeatAddress(B, "b")]))
        assert (names(pool), pool.notice, pool.woken) == ([A, B], "", woken + 1)
        again = pool.places()[0]
        assert JOB.holds in again.holds
        assert again.model == "", "its worker is a new one"
        pool.keep(frozenset({JOB.holds}))
        assert JOB.holds in pool.places()[0].holds
        assert link.Free(A) not in pool.sent
        pool.keep(frozenset({"another"}))
        assert not any(place.holds for place in pool.places())
        assert pool.sent[-2:] == [link.Free(A), link.Keep(["another"])], "out of its worker's memory, too"

    played(tmp_path, play)


def test_a_job_whose_model_is_not_there_goes_elsewhere_and_fails_where_it_is_nowhere(tmp_path: Path) -> None:
    async def play(pool: Scripted) -> None:
        with pytest.raises(SeatLost, match="On box"):
            await pool.run(A, link.Ended(A, JOB.id, MISSING))
        chosen = choose([JOB], pool.places(), [], 100.0)
        assert chosen is not None
        assert chosen[1].name == B
        other = choose([QueuedJob("3" * 32, "ben", 0.0, "cartoon")], pool.places(), [], 100.0)
        assert other is not None, "another model is no matter of that"
        assert await pool.run(B, link.Ended(B, JOB.id, MISSING)) == MISSING
        assert choose([JOB], pool.places(), [], 100.0) is not None, "somebody may have brought it meanwhile"

    played(tmp_path, play)
