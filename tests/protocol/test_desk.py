"""The editors' desk against a real daemon with the fake worker, and a document in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from s2edit_editor import notes
from s2edit_editor.lists import lists
from s2edit_editor.models import ChosenModel
from s2edit_editor.order import Order
from s2edit_editor.rows import (
    AGAIN,
    APPLY,
    CANCEL,
    EDIT,
    REMOVE,
    RETRY,
    SHOW,
    START,
    apply,
    before_removing,
    kept_row,
    remove,
    row,
    source,
)
from s2edit_editor.submission import Submission
from s2edit_wire.errors import WireError

from tests.fakes.editor import FakeHost
from tests.protocol.program import CROP, LAYER, WISH, Editor


def test_a_result_becomes_a_layer_and_is_let_go_when_the_document_is_saved(editor: Editor) -> None:
    desk = editor.desk
    job = editor.submit()
    sending = row(desk, job)
    assert (sending.title, sending.said, sending.part, sending.actions) == ("hat → crown", "Sending…", 0.0, (CANCEL,))
    assert (desk.busy, desk.settled) == (True, False)
    editor.wait(lambda: job in editor.host.results())
    assert (desk.busy, desk.settled) == (False, True)
    assert ("layer", job) in editor.heard
    now = row(desk, job, there=True)
    assert (now.said, now.part, now.actions) == ("Added as a new layer.", None, (SHOW, AGAIN, START, REMOVE))
    assert now.document == "fake.ora" and now.tip == f"{WISH.source} → {WISH.target}"
    assert not desk.book.all[job]["acknowledged"], "it is lost with a crash until it is saved"
    desk.saved(editor.host)
    editor.wait(lambda: desk.book.all[job]["acknowledged"])
    # What is there is chosen, not made twice.
    editor.host.chosen = "photo"
    desk.fetch(job)
    assert editor.host.chosen == editor.host.results()[job]
    assert len(editor.host.inserted) == 1
    desk.remove(job)
    assert ("removed", job) in editor.heard


def test_a_variation_waits_with_its_picture_until_it_is_picked(editor: Editor) -> None:
    job = editor.submit(as_layer=False)
    editor.ended(job)
    assert ("end", "Done. The result waits in the list below.") in editor.heard
    assert editor.actions(job) == (APPLY, AGAIN, START, REMOVE)
    assert row(editor.desk, job).said == "Finished; not in the picture yet."
    editor.desk.thumbnail(job)
    editor.wait(lambda: job in editor.desk.previews)
    assert not editor.host.inserted
    editor.desk.fetch(job, choose=True)
    editor.wait(lambda: job in editor.host.results())
    assert editor.host.chosen == editor.host.results()[job]


def test_no_layer_comes_in_the_middle_of_a_stroke(editor: Editor) -> None:
    editor.free = False
    job = editor.submit()
    editor.ended(job)
    assert not editor.host.inserted
    editor.free = True
    editor.wait(lambda: job in editor.host.results())


def test_an_answer_is_taken_instead_of_a_layer(editor: Editor) -> None:
    came: list[object] = []
    parcel = Submission.of(editor.host, "photo", Order(WISH), "portraits").asking("caption").take(CROP)
    job = editor.desk.submit(editor.host, parcel, answer=lambda header, _pictures: came.append(header["record"]))
    assert not notes.is_pending(editor.host, job)
    editor.wait(lambda: came and editor.desk.book.all[job]["acknowledged"])
    assert not editor.host.inserted


def test_a_document_that_was_closed_gets_its_result_when_it_is_asked_for(editor: Editor) -> None:
    job = editor.submit(as_layer=False)
    editor.ended(job)
    editor.host.open = False
    editor.desk.fetch(job)
    assert row(editor.desk, job).said.startswith("The picture is closed.")
    editor.host.open = True
    editor.desk.fetch(job)
    editor.host.open = False
    editor.wait(lambda: not editor.desk.errands[job].fetching)
    assert row(editor.desk, job).said.startswith("The picture is closed."), "closed while it came"
    editor.host.open = True
    editor.desk.fetch(job)
    editor.wait(lambda: job in editor.host.results())


def test_what_fails_says_why_and_what_can_be_done(editor: Editor) -> None:
    job = editor.submit(fault="fail")
    editor.ended(job)
    said = row(editor.desk, job).said
    assert ("end", said) in editor.heard
    assert editor.actions(job)[-2:] == (EDIT, REMOVE)
    editor.desk.remove(job)
    editor.wait(lambda: ("removed", job) in editor.heard)
    assert job not in editor.desk.book.all


def test_what_the_daemon_refuses_is_said_and_forgotten(editor: Editor) -> None:
    parcel = editor.parcel()
    job = editor.desk.submit(editor.host, replace(parcel, edit={**parcel.edit, "profile": "wild"}))
    editor.wait(lambda: editor.desk.errands[job].trouble)
    assert editor.actions(job) == (EDIT, REMOVE), "the same again can't succeed"
    assert not notes.is_pending(editor.host, job)
    editor.desk.remove(job)
    assert ("removed", job) in editor.heard


def test_a_job_can_be_cancelled_and_tried_again(editor: Editor) -> None:
    running = editor.submit(held=True)
    editor.wait(lambda: running in editor.desk.book.all and editor.desk.book.all[running]["state"] == "running")
    assert editor.actions(running) == (CANCEL,)
    editor.desk.cancel(running)
    editor.ended(running)
    assert ("end", "Cancelled") in editor.heard
    assert editor.actions(running) == (RETRY, EDIT, REMOVE)
    editor.desk.retry(running)
    editor.wait(lambda: editor.desk.book.all[running]["state"] == "running")
    assert editor.desk.is_coming(running)
    editor.desk.cancel(running)
    editor.ended(running)


def test_more_than_the_daemon_takes_at_a_time_line_up(editor: Editor) -> None:
    jobs = [editor.submit(as_layer=False) for _ in range(16)]
    unsent = jobs[-1]
    editor.desk.cancel(unsent)
    assert editor.actions(unsent) == (RETRY, EDIT, REMOVE) and row(editor.desk, unsent).said == "Cancelled"
    for job in jobs[:-1]:
        editor.ended(job)
    assert unsent not in editor.desk.book.all, "it was never sent"
    editor.desk.retry(unsent)
    editor.wait(lambda: unsent in editor.host.results())


def test_another_runs_result_is_found_and_let_go(editor: Editor) -> None:
    job = editor.submit()
    editor.wait(lambda: job in editor.host.results())
    later = Editor(host=editor.host)
    later.wait(lambda: job in later.desk.book.all)
    assert row(later.desk, job).actions == (APPLY, AGAIN, START, REMOVE)
    later.desk.saved(later.host)
    later.wait(lambda: later.desk.book.all[job]["acknowledged"])
    later.desk.close()


def test_a_lists_job_is_applied_once_and_deleted_only_after_a_yes(editor: Editor) -> None:
    desk, host = editor.desk, editor.host
    picked, other = editor.submit(as_layer=False), editor.submit(as_layer=False)
    for job in (picked, other):
        editor.ended(job)
    for _ in range(2):
        apply(desk, host, picked, choose=True)
        editor.wait(lambda: picked in host.results())
    assert len(host.inserted) == 1 and host.active() == host.results()[picked]
    assert source(desk, host, picked, desk.edit(picked)) == "photo"
    yes: list[Any] = []
    remove(desk, other, lambda _question, go: yes.append(go))
    assert other in desk.book.all and len(yes) == 1
    for go in yes * 2:  # the second one when it is gone
        go()
        editor.wait(lambda: other not in desk.book.all)
    remove(desk, picked, lambda *_: yes.append("asked"))
    assert len(yes) == 1 and ("removed", picked) in editor.heard, "its layer is there"


def test_it_is_asked_before_a_result_is_lost_and_only_then(editor: Editor) -> None:
    desk, host = editor.desk, editor.host

    def asked(of: Editor, job: str) -> bool:
        return before_removing(of.desk.book.all.get(job), there=of.desk.is_layer(job)) is not None

    waits, failed, placed = editor.submit(as_layer=False), editor.submit(fault="fail"), editor.submit()
    unsent = desk.submit(host, replace(editor.parcel(), edit={**editor.parcel().edit, "profile": "wild"}))
    for job in (waits, failed):
        editor.ended(job)
    editor.wait(lambda: placed in host.results() and desk.errands[unsent].trouble)
    question = before_removing(desk.book.all[waits], there=False)
    assert (
        question is not None and (question.yes, question.no) == ("Delete", "Keep") and "hat → crown" in question.asked
    )
    later = Editor(host=host)
    later.wait(lambda: {waits, failed, placed} <= later.desk.book.all.keys())
    for one in (editor, later):
        assert {job: asked(one, job) for job in (waits, failed, placed, unsent)} == {
            waits: True,
            failed: False,
            placed: False,
            unsent: False,
        }
    later.desk.remove(placed)
    assert ("removed", placed) in later.heard
    later.desk.request("ping", {}, lambda *_: later.heard.append(("ping", "")))
    later.wait(lambda: ("ping", "") in later.heard)
    assert placed in later.desk.book.all, "a crash would take the layer that no file has"
    desk.saved(host)
    editor.wait(lambda: desk.book.all[placed]["acknowledged"])
    assert not asked(editor, placed)
    later.desk.close()


def test_another_runs_job_is_tried_again_into_its_document(editor: Editor) -> None:
    job = editor.submit(held=True)
    editor.wait(lambda: job in editor.desk.book.all)
    editor.desk.cancel(job)
    editor.ended(job)
    later = Editor(host=editor.host)
    later.wait(lambda: job in later.desk.book.all)
    later.desk.retry(job)
    assert later.desk.errands[job].as_layer
    later.wait(lambda: later.desk.book.all[job]["state"] == "running")
    later.desk.cancel(job)
    later.ended(job)
    later.desk.close()


def test_only_the_newest_question_is_answered(editor: Editor) -> None:
    asked = Submission.of(editor.host, "photo", Order(WISH), "portraits")
    answers: list[str] = []
    failed: list[WireError] = []
    for name in ("first", "second"):
        editor.desk.ask("plan", asked.plan(), lambda _reply, _frames, name=name: answers.append(name), failed.append)  # type: ignore[misc]
    editor.wait(lambda: answers)
    editor.desk.ask("plan", {"nonsense": 1}, lambda _reply, _frames: answers.append("third"), failed.append)
    editor.wait(lambda: failed)
    editor.desk.ask("plan", asked.plan(), lambda _reply, _frames: answers.append("dropped"), failed.append)
    editor.desk.drop("plan")
    editor.desk.request("ping", {}, lambda *_: answers.append("ping"))
    editor.wait(lambda: "ping" in answers)
    assert answers == ["second", "ping"]


def test_what_the_daemon_has_is_not_held_here_too(editor: Editor) -> None:
    job = editor.submit()
    parcel = editor.desk.errands[job].parcel
    assert parcel is not None and parcel.frames
    editor.wait(lambda: editor.desk.errands[job].accepted)
    parcel = editor.desk.errands[job].parcel
    assert parcel is None or not parcel.frames, "an editor that runs for days would fill up"
    assert editor.desk.pending(editor.host, job) is not None
    editor.wait(lambda: job in editor.host.results())
    assert editor.desk.errands[job].parcel is None
    assert editor.desk.pending(editor.host, job) == notes.pending(editor.host, job)


def test_what_is_nowhere_any_more_says_so(editor: Editor) -> None:
    editor.desk.fetch("f" * 32)
    assert editor.heard[-1] == ("trouble", "The layer is gone, and S²Edit no longer keeps this result.")


def test_a_dismissed_layer_stays_with_the_daemon_until_it_is_saved(editor: Editor) -> None:
    job = editor.submit()
    editor.wait(lambda: job in editor.host.results())
    editor.desk.remove(job)
    assert job in editor.desk.dismissed and job in editor.desk.book.all
    editor.desk.saved(editor.host)
    editor.wait(lambda: editor.desk.book.all[job]["acknowledged"])


def test_a_list_shows_what_runs_what_was_made_here_and_what_waits_elsewhere(editor: Editor) -> None:
    here = editor.submit()
    editor.wait(lambda: here in editor.host.results())
    elsewhere = Editor(host=FakeHost(name="other").with_layer("photo", LAYER))
    waiting = elsewhere.submit(as_layer=False)
    elsewhere.ended(waiting)
    running = elsewhere.submit(held=True)
    parcel = editor.parcel()
    refused = editor.desk.submit(editor.host, replace(parcel, edit={**parcel.edit, "profile": "wild"}))
    editor.wait(lambda: editor.desk.errands[refused].trouble and running in editor.desk.book.all)
    shown = lists(editor.desk, editor.host)
    assert shown.queue == [running, refused]
    assert (here in shown.history, waiting in shown.history, here in shown.others) == (True, False, False)
    assert shown.others[0] == waiting, "the newest first"
    assert lists(editor.desk, None).history == []
    editor.host.keep(notes.PENDING, "")
    editor.host.jobs.clear()
    assert here in lists(editor.desk, editor.host).history, "not saved since it was sent"
    editor.desk.remove(here)
    assert here not in lists(editor.desk, editor.host).history
    elsewhere.desk.cancel(running)
    elsewhere.ended(running)
    elsewhere.desk.close()


def test_models_and_the_default_are_known(editor: Editor) -> None:
    assert "portraits" in editor.desk.models
    editor.desk.request("configure", {"settings": {"model_krita": "cartoons"}}, lambda *_: None)
    later = Editor()
    later.wait(lambda: later.desk.default == "cartoons")
    later.desk.close()
    failed: list[WireError] = []
    editor.desk.act_on_model("no such model", "download", failed.append)
    editor.wait(lambda: failed)


def test_an_edit_that_only_the_document_remembers() -> None:
    kept = {"job": "a", "state": "done", "edit": WISH.to_edit([], {"host": "krita"}, ""), "created": 0.0}
    assert kept_row(kept, there=True).actions == (SHOW, AGAIN, START)
    assert kept_row(kept, there=False).actions == (AGAIN, START)
    assert kept_row(kept, there=False).said == "Done"


def test_the_line_about_a_model() -> None:
    line = ChosenModel()
    model: Any = {"id": "m", "title": "M", "state": "absent", "size": 5, "present": 0, "licence_accepted": False}
    model |= {"domain": "photo", "purpose": "P", "licence": "L"}
    other: Any = {**model, "id": "other", "state": "ready"}
    begun: Any = {**model, "present": 1}
    line.choose("m")
    assert line.know({"m": model, "other": other}, "other") == (True, False), "it is new"
    assert line.know({"m": begun, "other": other}, "other") == (False, False), "on its way"
    assert line.offers_download
    action, question = line.asked("download")
    assert action == "accept_licence" and question is not None and "M" in question[0]
    line.refused(WireError("offline", "No.", "Go online."))
    assert "No. Go online." in line.remark.text
    model = {**model, "state": "ready", "licence_accepted": True}
    assert line.know({"m": model, "other": other}, "other") == (True, True)
    assert (line.refusal, line.offers_download) == ("", False)
    assert line.asked("download") == ("download", None)
    line.doubt = "Hm."
    line.choose("gone")
    assert (line.chosen, line.doubt) == ("other", "")
