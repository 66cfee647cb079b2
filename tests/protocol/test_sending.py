"""From a form's order to a job at a real daemon: planned, copied in turns, handed in, and how much of it has gone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from s2edit_editor.order import Order
from s2edit_editor.pixels import Box
from s2edit_editor.rows import row
from s2edit_editor.sending import send
from s2edit_editor.submission import Submission
from s2edit_wire.connection import read_connection_file, write_connection_file

from tests.fakes.daemon import RunningDaemon
from tests.fakes.editor import FakeHost
from tests.protocol.program import LAYER, WISH, Editor
from tests.protocol.test_client import _deaf_relay


def asked_of(editor: Editor, **changes: Any) -> Submission:
    return Submission.of(editor.host, "photo", Order(replace(WISH, **changes)), "portraits")


def test_an_order_is_planned_copied_in_turns_and_sent(editor: Editor) -> None:
    sent: list[str] = []
    known = set(editor.desk.errands)
    send(editor.desk, asked_of(editor), editor.refused, sent=lambda: sent.append("sent"))
    editor.wait(lambda: set(editor.desk.errands) - known)
    (job,) = set(editor.desk.errands) - known
    editor.wait(lambda: job in editor.host.results())
    assert sent == ["sent"]
    crop = editor.desk.book.all[job]["edit"]["document"]["crop"]
    assert Box(*crop).cut(LAYER) == Box(*crop), "the daemon chose it within the layer"


def test_several_wishes_go_with_the_same_pictures_and_wait_to_be_picked(editor: Editor) -> None:
    known, asked = set(editor.desk.errands), asked_of(editor)
    send(editor.desk, asked, editor.refused, wishes=asked.order.wish.variations([], 2, []))
    editor.wait(lambda: len(editor.desk.errands) == len(known) + 2)
    jobs = sorted(set(editor.desk.errands) - known)
    first, other = (editor.desk.errands[job].parcel for job in jobs)
    assert first is not None and other is not None and first.picture is other.picture, "copied once"
    for job in jobs:
        editor.ended(job)
    assert not editor.host.inserted
    assert len({editor.desk.edit(job)["seed"] for job in jobs}) == 2


@pytest.mark.parametrize(
    ("changes", "change", "told"),
    [
        ({"target": ""}, lambda _host: None, "Say what it should show."),
        ({"words": ("bag",)}, lambda _host: None, "bag"),
        ({}, lambda host: setattr(host, "open", False), "The picture was closed before it could be sent."),
        ({}, lambda host: host.remove("photo"), "The layer is gone."),
    ],
    ids=["lacking", "refused by the plan", "closed", "deleted"],
)
def test_what_is_not_sent_says_why(editor: Editor, changes: Any, change: Callable[[FakeHost], None], told: str) -> None:
    known = set(editor.desk.errands)
    send(editor.desk, asked_of(editor, **changes), editor.refused)
    change(editor.host)
    editor.wait(lambda: editor.heard)
    assert told in editor.heard[0][1]
    assert set(editor.desk.errands) == known


def test_how_much_of_a_picture_has_gone_over_a_slow_line_is_shown(
    daemon: RunningDaemon, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("s2edit_editor.desk.PROGRESS_S", 0.01)
    monkeypatch.setattr("s2edit_wire.link.SEND_BUFFER", 65_536)  # else it holds most of the picture
    far, state = read_connection_file(daemon.folder), tmp_path_factory.mktemp("n")
    state.chmod(0o700)
    with _deaf_relay(state, far.endpoint, pause=0.02) as relay:
        endpoint = f"ipc://{relay.path}"
        write_connection_file(state, endpoint=endpoint, key=far.key, version=far.version, boot=far.boot)
        monkeypatch.setenv("S2EDIT_HOME", str(state))
        whole = Box(0, 0, 1_200, 1_000)
        editor = Editor(host=FakeHost().with_layer("photo", whole))
        editor.wait(lambda: editor.desk.link == "ready" and editor.desk.models)
        said: list[str] = []
        editor.desk.on_job = lambda job: said.append(row(editor.desk, job).said)
        parcel = Submission.of(editor.host, "photo", Order(WISH), "portraits").take(whole)
        job = editor.desk.submit(editor.host, parcel)
        editor.ended(job)
        editor.desk.close()
        assert editor.loop.idle
    shares = [int(one.removeprefix("Sending… ").removesuffix(" %")) for one in said if one.endswith(" %")]
    assert len(set(shares)) > 5 and shares == sorted(shares) and min(shares) < 30 and max(shares) > 70
