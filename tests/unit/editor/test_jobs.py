"""The daemon's newest word counts, and a result is forgotten there only when a saved document has it."""

from __future__ import annotations

from typing import Any, cast

import pytest
from s2edit_editor.jobs import Jobs
from s2edit_editor.notes import Pending, home_of, job_of, mask_digests, remember
from s2edit_editor.pixels import Box
from s2edit_wire.records import JobRecord

from tests.fakes.editor import FakeHost

ONE, OTHER = "1" * 32, "2" * 32


def job(seq: int, state: str = "running", name: str = ONE, **more: Any) -> JobRecord:
    held = {"job": name, "seq": seq, "state": state, "acknowledged": False, "position": 0, "created": seq, **more}
    return cast("JobRecord", held)


def test_a_late_answer_never_overtakes_a_newer_word() -> None:
    jobs = Jobs()
    assert jobs.take(job(7, "done"))
    assert not jobs.take(job(5, "queued")), "the answer to `submit`, later than the event"
    assert jobs.all[ONE]["state"] == "done"
    assert jobs.take(job(7, "done")), "the same once more does no harm"


def test_after_a_new_start_of_the_daemon_its_small_numbers_count() -> None:
    jobs = Jobs()
    jobs.take(job(90))
    jobs.reconnected()
    assert jobs.take(job(3, "queued"))
    assert not jobs.take(job(2)), "but only once"


def test_a_result_is_acknowledged_when_its_document_is_saved() -> None:
    jobs = Jobs()
    for name in (ONE, OTHER):
        jobs.take(job(1, "done", name))
        jobs.became_layer(name)
    assert jobs.saved([]) == [], "another document"
    assert jobs.saved([OTHER]) == [OTHER], "the first was undone before"
    assert jobs.saved([OTHER]) == [], "once"
    assert jobs.unsaved
    assert jobs.saved([ONE, OTHER]) == [ONE], "redone, and saved again"
    assert not jobs.unsaved


@pytest.mark.parametrize(("known", "told"), [(None, [ONE]), (False, [ONE]), (True, [])])
def test_a_layer_of_an_earlier_run_is_acknowledged_unless_it_was(known: bool | None, told: list[str]) -> None:
    jobs = Jobs()
    if known is not None:
        jobs.take(job(1, "done", acknowledged=known))
    jobs.found_layer(ONE)
    assert jobs.saved([ONE]) == told


def test_a_picture_is_asked_for_while_it_waits_and_when_it_has_ended() -> None:
    jobs = Jobs()
    assert not jobs.wants_picture(ONE)
    asked = []
    for seq, state in enumerate(("queued", "running", "done", "done")):
        jobs.take(job(seq, state))
        asked.append(jobs.wants_picture(ONE))
    assert asked == [True, False, True, False], "a finished variation shows what came out, not what went in"


def test_the_queue_is_in_its_own_order() -> None:
    jobs = Jobs()
    for name, position in ((ONE, 2), (OTHER, 1)):
        jobs.take(job(1, "queued", name, position=position))
    jobs.take(job(1, "done", "3" * 32))
    assert [one["job"] for one in jobs.unfinished()] == [OTHER, ONE]


def test_masks_digests_come_object_by_object() -> None:
    digest = {name: f"{number:064x}" for number, name in enumerate(("edit", "image", "zero", "two", "ten"))}
    inputs = {
        "edit_mask": digest["edit"],
        "image": digest["image"],
        "object_mask.10": digest["ten"],
        "object_mask.2": digest["two"],
        "object_mask.0": digest["zero"],
        "object_mask.3": "",
    }
    assert mask_digests(inputs) == [digest["zero"], digest["two"], digest["ten"], digest["edit"]]


@pytest.mark.parametrize("text", ["", "{", '{"recipe": 99}'])
def test_a_damaged_recipe_names_no_job(text: str) -> None:
    assert job_of(text) == ""


def test_a_jobs_home_is_the_document_that_sent_it_then_a_copy() -> None:
    original, copy, other = FakeHost(), FakeHost(), FakeHost(name="other")
    sent = job(1, edit={"kind": "edit", "document": {"host": "krita", "ref": "fake:document:photo"}})
    assert home_of(sent, [other, copy, original]) is copy, "no one has noted it"
    remember(original, ONE, Pending("photo", (1, 1), Box(0, 0, 0, 0), Box(0, 0, 1, 1)))
    assert home_of(sent, [other, copy, original]) is original
    assert home_of(sent, [other]) is None
    assert home_of(job(1, edit={"kind": "edit"}), [original]) is None
