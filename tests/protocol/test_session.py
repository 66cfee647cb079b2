"""Sessions: connected again after every kind of loss, with nothing lost, nothing doubled and nothing blocked."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from s2edit_wire.client import Client, Incoming
from s2edit_wire.errors import WireError
from s2edit_wire.frames import describe
from s2edit_wire.records import EDIT, JOB
from s2edit_wire.session import Session

from . import smallest
from .loop import Loop
from .router import Header, Router

SUBMIT = {"job": "0" * 32, "edit": smallest.fields(EDIT.fields)}
FAKE_DAEMON = Path(__file__).with_name("stand_in.py")


class Watched:
    """A session in a loop, with everything it has told."""

    def __init__(self, state: Path, **options: Any) -> None:
        self.loop = Loop()
        self.states: list[tuple[str, str]] = []
        self.events: list[Incoming] = []
        self.replies: list[Incoming] = []
        self.errors: list[WireError] = []
        self.session = Session(
            lambda: Client("other", "1", state),
            self.loop,
            on_event=self.events.append,
            on_state=lambda *told: self.states.append(told),
            **{"launch": False, **options},
        )

    def __enter__(self) -> "Watched":
        self.session.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()
        self.loop.run_for(0.02)
        assert self.loop.idle, "a closed session leaves nothing in its loop"

    @property
    def client(self) -> Client:
        assert self.session.client is not None
        return self.session.client

    def ask(self, op: str, fields: Header | None = None, frames: Sequence[bytes] = ()) -> int:
        return self.session.request(op, fields, frames, self.replies.append, self.errors.append)

    def until(self, condition: Callable[[], object], seconds: float = 10.0) -> None:
        self.loop.run_until(condition, seconds)

    def until_ready(self) -> None:
        self.until(lambda: self.session.state == "ready")


def answers(jobs: Sequence[Header] = ()) -> Callable[[Header, list[bytes]], tuple[Header, Sequence[bytes]]]:
    def answer(header: Header, frames: list[bytes]) -> tuple[Header, Sequence[bytes]]:
        if header["op"] == "subscribe":
            return {"seq": max((job["seq"] for job in jobs), default=0), "jobs": list(jobs)}, []
        return {}, []

    return answer


def job(seq: int) -> Header:
    return {**smallest.fields(JOB.fields), "seq": seq}


def test_requests_before_the_connection_wait_for_it(state: Path) -> None:
    with Router(state, answers()) as router, Watched(state) as watched:
        watched.ask("ping")
        watched.ask("status")
        watched.until(lambda: len(watched.replies) == 2)
        assert router.ops() == ["hello", "subscribe", "ping", "status"]
        assert watched.states == [("connecting", "Connecting to S²Edit…"), ("ready", "")]
        assert watched.errors == []


def test_large_uploads_do_not_block_the_loop(state: Path) -> None:
    turns = []
    with Router(state, answers()), Watched(state) as watched:
        watched.until_ready()
        entry = describe("image", (4096, 4096, 4))
        watched.ask("submit", {**SUBMIT, "frames": [entry]}, [bytes(64 << 20)])
        assert watched.client.wants_write, "most of it is still to be sent"
        watched.loop.call_later(0.0, lambda: turns.append(1))
        watched.until(lambda: watched.replies)
        assert turns


def test_reconnects_and_sends_again_what_was_not_answered(state: Path) -> None:
    def silent(header: Header, frames: list[bytes]) -> tuple[Header, Sequence[bytes]] | None:
        return answers()(header, frames) if header["op"] == "subscribe" else None

    pixels = bytes(range(256)) * 100
    with Watched(state) as watched:
        with Router(state, silent) as first:
            watched.until_ready()
            watched.ask("submit", {**SUBMIT, "frames": [describe("image", (80, 80, 4))]}, [pixels])
            watched.ask("remove", {"job": "1" * 32})
            watched.until(lambda: "remove" in first.ops())
        watched.until(lambda: watched.errors)
        with Router(state, answers()) as second:
            watched.until(lambda: watched.replies)
            watched.loop.run_for(0.05)
            assert second.ops() == ["hello", "subscribe", "submit"]
            submits = [next(one for one in each.received if one[0]["op"] == "submit") for each in (first, second)]
            assert {one[0]["job"] for one in submits} == {"0" * 32}
            assert [one[1] for one in submits] == [[pixels], [pixels]]
            assert {each.received[0][0]["client_id"] for each in (first, second)} == {watched.client.client_id}
        assert [error.code for error in watched.errors] == ["unreachable"]
        assert [name for name, _ in watched.states][:3] == ["connecting", "ready", "lost"]


def test_catches_up_on_events(state: Path) -> None:
    with Watched(state) as watched:
        with Router(state, answers([job(5), job(3)]), boot="a" * 32) as router:
            watched.until(lambda: len(watched.events) == 2)
            assert router.received[1][0]["after"] == 0
            router.push({"op": "event", "kind": "job", "seq": 6, "job": job(6)})
            watched.until(lambda: len(watched.events) == 3)
            assert [event.header["seq"] for event in watched.events] == [3, 5, 6]
        with Router(state, answers([job(12)]), boot="a" * 32) as same_boot:
            watched.until(lambda: len(watched.events) == 4)
            assert same_boot.received[1][0]["after"] == 6
        with Router(state, answers([job(1)]), boot="b" * 32) as other_boot:
            watched.until(lambda: len(watched.events) == 5)
            assert other_boot.received[1][0]["after"] == 0


def replaying(pages: Sequence[tuple[Sequence[int], int, bool]]) -> Callable[..., tuple[Header, Sequence[bytes]]]:
    """Answers to one `subscribe` after the other: (numbers of the jobs told, `seq`, `more`)."""
    left = list(pages)

    def answer(header: Header, frames: list[bytes]) -> tuple[Header, Sequence[bytes]]:
        if header["op"] != "subscribe":
            return {}, []
        numbers, seq, more = left.pop(0)
        return {"seq": seq, "jobs": [job(number) for number in numbers], **({"more": True} if more else {})}, []

    return answer


def asked_after(router: Router) -> list[int]:
    return [header["after"] for header, _ in router.received if header["op"] == "subscribe"]


def test_events_that_were_dropped_on_the_way_are_asked_for(state: Path) -> None:
    with Router(state, replaying([([], 4, False), ([6, 7, 9], 9, False)])) as router, Watched(state) as watched:
        watched.until(lambda: asked_after(router))
        for seq in (5, 8, 9):
            router.push({"op": "event", "kind": "job", "seq": seq, "job": job(seq)})
        watched.until(lambda: len(watched.events) == 6)
        router.push({"op": "event", "kind": "job", "seq": 10, "job": job(10)})
        watched.until(lambda: len(watched.events) == 7)
        assert asked_after(router) == [0, 5]
        assert {event.header["seq"] for event in watched.events} == {5, 6, 7, 8, 9, 10}


def test_what_was_missed_comes_in_pages_while_new_events_go_on(state: Path) -> None:
    with Watched(state) as watched:
        with Router(state, replaying([([], 4, False)]), boot="a" * 32) as router:
            watched.until(lambda: asked_after(router))
            watched.until_ready()
        pages = replaying([([5, 6], 6, True), ([7, 8], 8, True), ([9], 20, False)])
        with Router(state, pages, boot="a" * 32) as again:
            watched.until(lambda: len(watched.events) == 5)
            assert asked_after(again) == [4, 6, 8]
            again.push({"op": "event", "kind": "job", "seq": 21, "job": job(21)})
            watched.until(lambda: len(watched.events) == 6)
            assert [event.header["seq"] for event in watched.events] == [5, 6, 7, 8, 9, 21]
            assert asked_after(again) == [4, 6, 8]


def test_previews_arrive_with_their_event(state: Path) -> None:
    with Router(state, answers()) as router, Watched(state) as watched:
        watched.until(lambda: "subscribe" in router.ops())
        entry = describe("preview", (8, 8, 3))
        router.push({"op": "event", "kind": "job", "seq": 1, "job": job(1), "frames": [entry]}, [b"p" * 192])
        watched.until(lambda: watched.events)
        assert [bytes(frame) for frame in watched.events[0].frames] == [b"p" * 192]


def test_errors_come_to_their_own_request(state: Path) -> None:
    def answer(header: Header, frames: list[bytes]) -> tuple[Header, Sequence[bytes]]:
        if header["op"] == "show":
            return {"op": "error", "code": "unknown_job", "message": "No such job.", "hint": ""}, []
        return answers()(header, frames)

    with Router(state, answer), Watched(state) as watched:
        watched.ask("show", {"job": "0" * 32})
        watched.ask("ping")
        watched.until(lambda: watched.errors and watched.replies)
        assert watched.errors[0].code == "unknown_job"


def test_a_wrong_request_is_refused_later_never_within_the_call(state: Path) -> None:
    with Router(state, answers()) as router, Watched(state) as watched:
        watched.until_ready()
        watched.ask("configure", {"settings": {"x": "\x00"}})
        assert watched.errors == []
        watched.until(lambda: watched.errors)
        assert watched.errors[0].code == "bad_request"
        assert "configure" not in router.ops()


def test_forgotten_requests_call_nobody(state: Path) -> None:
    with Router(state, answers()) as router, Watched(state) as watched:
        watched.session.forget(watched.ask("ping"))
        watched.until(lambda: "ping" in router.ops())
        watched.loop.run_for(0.05)
        assert watched.replies == []


def test_a_callback_may_close_the_session(state: Path) -> None:
    with Router(state, answers()), Watched(state) as watched:
        watched.session.request("ping", on_reply=lambda _: watched.session.close())
        watched.until(lambda: watched.session.state == "stopped")


def test_a_failing_callback_costs_nobody_elses_answer(state: Path) -> None:
    with Router(state, answers()), Watched(state) as watched:
        watched.until_ready()

        def fail(_: Incoming) -> None:
            raise KeyError("a fault in the plug-in")

        watched.session.request("ping", on_reply=fail)
        watched.ask("ping")
        with pytest.raises(KeyError):
            watched.until(lambda: watched.replies)
        watched.until(lambda: watched.replies)


def test_another_version_is_told_and_fails_what_waits(state: Path) -> None:
    words = {"op": "error", "code": "unsupported_version", "message": "Too old.", "hint": "Update it."}
    with Router(state, hello=words), Watched(state) as watched:
        watched.ask("ping")
        watched.until(lambda: watched.errors)
        assert watched.errors[0].code == "unsupported_version"
        assert watched.states[-1] == ("lost", "Too old. Update it.")


def test_requests_without_a_daemon_fail_after_a_while(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("s2edit_wire.session.REQUEST_PATIENCE", 0.3)
    with Watched(state) as watched:
        watched.ask("ping")
        watched.until(lambda: watched.errors)
        assert watched.errors[0].code == "unreachable"
        assert watched.states[-1][1].startswith("S²Edit is not running.")


def test_not_installed_is_told_at_once(state: Path) -> None:
    with Watched(state, launch=True) as watched:
        watched.ask("ping")
        watched.until(lambda: watched.errors, seconds=2)
        assert "quickstart.py" in watched.errors[0].hint
        assert watched.states[-1][0] == "lost"


def test_starts_the_daemon_and_again_after_a_crash_but_not_after_an_orderly_end(state: Path) -> None:
    command = [sys.executable, str(FAKE_DAEMON)]
    with Watched(state, launch=True, command=command) as watched:
        watched.until_ready()
        assert ("connecting", "Starting S²Edit…") in watched.states
        boots = [watched.client.boot]
        watched.ask("ping")  # the stand-in's word for: crash
        watched.until(lambda: watched.session.state == "lost")
        watched.until(lambda: watched.replies)
        boots.append(watched.client.boot)
        assert boots[0] != boots[1]
        watched.ask("shutdown", {"when": "now"})
        watched.until(lambda: watched.session.state == "lost")
        watched.loop.run_for(0.5)
        assert watched.session.state == "lost"
        watched.ask("status")
        watched.until(lambda: len(watched.replies) == 3)
        watched.ask("shutdown", {"when": "now"})
        watched.until(lambda: watched.session.state == "lost")


def test_a_daemon_that_cannot_start_is_not_started_for_ever(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("s2edit_wire.launcher.GRACE", 0.05)
    runs = state / "runs"
    command = [sys.executable, "-c", f"open({str(runs)!r}, 'a').write('x'); raise SystemExit('No room left.')"]
    with Watched(state, launch=True, command=command) as watched:
        watched.ask("ping")
        watched.until(lambda: watched.errors)
        assert "It said: No room left." in watched.errors[0].message
        watched.loop.run_for(0.5)
        assert runs.read_text() == "xxx"
