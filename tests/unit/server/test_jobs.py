"""Job transitions in the store: what is allowed, what loses a race, what survives a restart."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from s2edit_server import jobs, queries, store, timings
from s2edit_server.claims import Floor, foresee
from s2edit_server.identities import Register
from s2edit_server.placement import Place
from s2edit_server.store import MIGRATIONS, Store
from s2edit_wire.auth import USERNAME
from s2edit_wire.errors import WireError

EDIT = {
    "kind": "edit",
    "model": "portraits",
    "profile": "fast",
    "source": "a hat",
    "target": "a crown",
    "objects": [{"word": "hat", "masked": False}],
    "seed": 1,
}
FRAME = jobs.StoredFrame({"role": "image", "shape": [1, 1, 1], "dtype": "u1", "space": "srgb", "nbytes": 1}, "0" * 64)

LINES_OF = "SELECT count(*) FROM log WHERE job = ?"


class Db:
    """The store, used synchronously."""

    def __init__(self, path: Path) -> None:
        self.store = Store(path)

    def __call__(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return asyncio.run(self.store.call(function, *args, **kwargs))

    def add(self, name: str, client: str = "c" * 32, digest: str = "d") -> Any:
        return self(jobs.insert, jobs.NewJob(name, digest, USERNAME, client, "cli", EDIT, (FRAME,)), 32)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Db]:
    db = Db(tmp_path / "jobs.sqlite3")
    yield db
    db.store.close()


def code_of(call: Callable[[], Any]) -> str:
    with pytest.raises(WireError) as caught:
        call()
    return caught.value.code


def test_sending_the_same_job_again_makes_no_second_one(db: Db) -> None:
    first = db.add("a")
    again = db.add("a")
    assert first["number"] == again["number"]
    assert db(queries.counts)["queued"] == 1


def test_the_same_id_with_other_content_is_a_conflict(db: Db) -> None:
    db.add("a")
    assert code_of(lambda: db.add("a", digest="other")) == "job_conflict"


def test_the_thirty_third_waiting_job_of_a_client_is_refused_but_not_another_clients(db: Db) -> None:
    for number in range(32):
        db.add(f"job{number}")
    assert code_of(lambda: db.add("one more")) == "busy"
    assert db.add("from another", client="e" * 32)["state"] == "queued"


def test_jobs_start_in_order_and_one_attempt_later(db: Db) -> None:
    db.add("a"), db.add("b")
    first = db(jobs.start_next)
    assert (first["id"], first["state"], first["attempt"]) == ("a", "running", 1)
    assert db(jobs.start_next)["id"] == "b"
    assert db(jobs.start_next) is None


def test_only_the_running_attempt_can_finish_a_job_and_only_once(db: Db) -> None:
    db.add("a")
    db(jobs.start_next)
    assert db(jobs.requeue, "a", 1, "it died", death=True)
    db(jobs.start_next)
    assert not db(jobs.finish_done, "a", 1, {}, [FRAME], "late"), "the first attempt was given up"
    assert db(jobs.finish_done, "a", 2, {}, [FRAME], "right")
    assert not db(jobs.finish_failed, "a", 2, WireError("internal", "late"))
    row = db(jobs.get, "a")
    assert (row["state"], row["result_sha256"], row["deaths"]) == ("done", "right", 1)


def test_a_restart_queues_running_jobs_again_and_cancels_those_asked_to_stop(db: Db) -> None:
    db.add("a"), db.add("b"), db.add("c")
    db(jobs.start_next), db(jobs.start_next)
    assert db(jobs.request_cancel, "b")["state"] == "running"
    assert db(jobs.sweep) == 1
    states = {name: db(jobs.get, name)["state"] for name in "abc"}
    assert states == {"a": "queued", "b": "cancelled", "c": "queued"}
    assert db(jobs.get, "a")["attempt"] == 1


@pytest.mark.parametrize("why", ["death", "lower"])
def test_a_cancel_that_comes_before_a_job_is_queued_again_is_not_lost(db: Db, why: str) -> None:
    db.add("a"), db(jobs.start_next)
    db(jobs.request_cancel, "a")
    assert db(jobs.requeue, "a", 1, "again", **{why: True})
    row = db(jobs.get, "a")
    assert (row["state"], row["error"], row["finished"] is not None) == ("cancelled", "cancelled", True)
    assert db(jobs.start_next) is None


def test_a_jobs_log_keeps_its_newest_lines_only_and_no_others_are_touched(db: Db) -> None:
    db.add("a"), db.add("b")
    for attempt in range(1, jobs.MAX_LOG_LINES // 2 + 1):
        db(jobs.start_next)
        db(jobs.requeue, "a", attempt, "again")
    db(jobs.start_next)
    for _ in range(3):
        db(jobs.request_cancel, "a")
    lines = db(queries.log_lines, "a")
    assert len(lines) == jobs.MAX_LOG_LINES == db(lambda base: base.execute(LINES_OF, ("a",)).fetchone()[0])
    assert [line[20:] for line in lines[-3:]] == ["again", "attempt 101 started", "cancel asked for"]
    assert [line[20:] for line in db(queries.log_lines, "b")] == ["accepted"]


def test_a_job_whose_picture_is_gone_tells_why_it_cannot_be_retried(db: Db) -> None:
    db.add("a"), db(jobs.request_cancel, "a")
    db(queries.drop_frames, "a")
    with pytest.raises(WireError, match="picture has been deleted"):
        db(jobs.retry, "a", 32)


def test_cancel_of_waiting_and_ended_jobs(db: Db) -> None:
    db.add("a")
    assert db(jobs.request_cancel, "a")["state"] == "cancelled"
    assert db(jobs.request_cancel, "a")["state"] == "cancelled"
    assert code_of(lambda: db(jobs.request_cancel, "nobody")) == "unknown_job"


def test_hold_release_retry_acknowledge_and_remove_know_their_states(db: Db) -> None:
    db.add("a")
    assert db(jobs.switch, "a", "queued", "paused")["state"] == "paused"
    assert db(jobs.start_next) is None
    assert code_of(lambda: db(jobs.acknowledge, "a")) == "wrong_state"
    assert code_of(lambda: db(jobs.retry, "a", 32)) == "wrong_state"
    assert code_of(lambda: db(queries.remove, "a")) == "wrong_state"
    assert db(jobs.switch, "a", "paused", "queued")["state"] == "queued"
    db(jobs.start_next)
    assert code_of(lambda: db(jobs.switch, "a", "queued", "paused")) == "wrong_state"
    db(jobs.finish_failed, "a", 1, WireError("model_failed", "no"))
    row = db(jobs.retry, "a", 32)
    assert (row["state"], row["error"], row["deaths"]) == ("queued", None, 0)
    db(jobs.start_next), db(jobs.finish_done, "a", 2, {}, [FRAME], "x")
    assert db(jobs.acknowledge, "a")["acknowledged"] is not None
    assert db(queries.remove, "a") == (USERNAME, False), "it has learned nothing"
    assert db(jobs.find, "a") is None
    assert db(queries.referenced) == set()


def test_moving_changes_the_order_even_a_hundred_times_to_one_spot(db: Db) -> None:
    for name in "abcd":
        db.add(name)
    db(jobs.move, "d", "b")
    assert [row["id"] for row in db(queries.queued, 9)] == ["a", "d", "b", "c"]
    for number in range(100):
        db(jobs.move, "cd"[number % 2], "b")
    assert [row["id"] for row in db(queries.queued, 9)] == ["a", "c", "d", "b"]
    db(jobs.move, "a", None)
    assert [row["id"] for row in db(queries.queued, 9)] == ["c", "d", "b", "a"]
    db(jobs.start_next)
    assert code_of(lambda: db(jobs.move, "c", "b")) == "wrong_state"


def test_pages_go_on_where_the_last_one_ended(db: Db) -> None:
    for number in range(7):
        db.add(f"job{number}")
    first = db(queries.page, limit=3)
    second = db(queries.page, before=first[-1]["number"], limit=10)
    assert [row["id"] for row in (*first, *second)] == [f"job{number}" for number in reversed(range(7))]
    assert db(queries.page, states=["done"]) == []
    assert len(db(queries.page, host="cli", ref="")) == 7


def test_a_failed_commit_changes_nothing_and_is_told_as_disk_full(db: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: sqlite3.Connection) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorname = "SQLITE_FULL"
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(store, "commit", full)
        assert code_of(lambda: db.add("a")) == "disk_full"
    assert db(jobs.find, "a") is None
    assert db.add("a")["state"] == "queued"


def test_a_database_of_a_newer_version_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite3"
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version={len(MIGRATIONS) + 1}")
    connection.close()
    with pytest.raises(RuntimeError, match="newer S²Edit"):
        Store(path)


def test_the_wait_is_the_sum_of_what_is_ahead(db: Db) -> None:
    db.add("a"), db.add("b")
    floor = Floor([Place("cpu")], [], {"cpu": "cpu"})
    assert db(foresee, Register(), floor) == {"a": (1, None), "b": (2, None)}
    db(timings.record, EDIT, "cpu", {"loading": (1, 1.0), "identity": (4, 2.0), "editing": (10, 3.0)})
    found = db(foresee, Register(), floor)
    assert [round(found[job][1], 6) for job in "ab"] == [6, 9], (
        "the model is loaded once, the same identity learned once"
    )
    db(timings.record, EDIT, "slow", {"loading": (1, 9.0), "identity": (4, 9.0), "editing": (10, 9.0)})
    slow = db(foresee, Register(), Floor([Place("other")], [], {"other": "slow"}))
    assert round(slow["a"][1], 6) == 27, "each device by its own times"
    queue = db(foresee, Register(), Floor([], [], {}))
    assert queue == {"a": (1, None), "b": (2, None)}, "no card was counted yet"


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"box": [0, 0, 0, 0]}, "Nothing changed: the model found nothing to edit."),
        ({"box": [4, 5, 1, 1]}, None),
        ({"box": [4, 5, 1, 1], "fades": False}, None),
        (
            {"box": [4, 5, 1, 1], "fades": True},
            "The change goes on beyond the part of the picture that the model was shown, and fades out there.",
        ),
        ({"caption": "a man"}, None),
    ],
)
def test_what_the_layer_does_not_say_is_told(db: Db, record: dict[str, Any], said: str | None) -> None:
    db.add("a"), db(jobs.start_next)
    db(jobs.finish_done, "a", 1, record, [FRAME], "x")
    row = db(jobs.get, "a")
    assert (row["state"], row["error"], row["message"]) == ("done", None, said)


def test_a_done_edit_of_the_same_picture_and_words_tells_that_its_identity_is_known(db: Db) -> None:
    plan = {**EDIT, "image_sha256": "0" * 64, "target": "something else", "settings": {"blend.feather": 3}}
    db.add("a"), db(jobs.start_next)
    assert not db(queries.done_before, plan)
    db(jobs.finish_done, "a", 1, {}, [], "x")
    assert db(queries.done_before, plan)
    for other in (
        {"image_sha256": "1" * 64},
        {"source": "a cap"},
        {"settings": {"identity.steps": 3}},
        {"profile": "x"},
    ):
        assert not db(queries.done_before, plan | other)
    assert not db(queries.done_before, {key: value for key, value in plan.items() if key != "image_sha256"})


def test_expired_and_droppable_jobs(db: Db) -> None:
    for name in "abc":
        db.add(name), db(jobs.start_next), db(jobs.finish_done, name, 1, {}, [FRAME], "x")
    db(jobs.acknowledge, "b")
    assert db(queries.expired, 0, 0) == ([], [])
    assert db(queries.expired, 1e12, 0) == (["b"], [])
    assert sorted(db(queries.expired, 0, 1e12)[1]) == ["a", "b", "c"]
    assert db(queries.droppable)[0] == ("b", 2)
    db(queries.drop_frames, "b")
    assert db(queries.droppable) == [("a", 2), ("c", 2)]
    assert db(jobs.get, "b")["state"] == "done"
