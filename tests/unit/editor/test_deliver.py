"""From a finished job to a layer, on a document in memory that was changed while the edit was made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
from s2edit_editor import notes
from s2edit_editor.delivery import delivering, pictures_of
from s2edit_editor.host import PAINTED, Insertion, MaskChoice, Reference
from s2edit_editor.masks import for_objects, mask_layer
from s2edit_editor.order import Order
from s2edit_editor.pixels import Box, Picture
from s2edit_editor.submission import Submission
from s2edit_editor.turns import at_once
from s2edit_editor.wish import Wish
from s2edit_wire.errors import WireError
from s2edit_wire.recipe import NAME, Recipe
from s2edit_wire.records import JobRecord, ResultRecord

from ...fakes.editor import FakeHost

JOB = "a" * 32
WISH = Wish(model="portraits", source="a woman with a hat", target="a woman with a crown", words=("hat",))
LAYER, CROP = Box(10, 5, 80, 60), Box(30, 20, 40, 32)
RECORD = cast(ResultRecord, {"inputs": {"object_mask.0": "b" * 64}, "model_hash": "c" * 64})


def plane(size: Box | Picture, channels: int, value: int = 200) -> Picture:
    return Picture(size.width, size.height, channels, "u1", bytes([value]) * (size.width * size.height * channels))


PICTURES = {"patch": plane(CROP, 3), "alpha": plane(CROP, 1)}


class Sent:
    """A document with a job of its layer on its way."""

    def __init__(self, order: Order | None = None, painted: bool = False) -> None:
        self.host = FakeHost().with_layer("photo", LAYER, name="Photo").with_layer("cover", Box(0, 0, 9, 9))
        masks: tuple[MaskChoice, ...] = ()
        if painted:
            mask_layer(self.host, "photo", "hat", (CROP, b"\xff" * CROP.width * CROP.height))
            masks = tuple(for_objects(self.host, "photo", LAYER, PAINTED))
        order = order or Order(WISH, masks)
        parcel = Submission.of(self.host, "photo", order, "portraits").take(CROP)
        notes.remember(self.host, JOB, parcel.pending)
        self.picture = parcel.picture
        self.job = cast(JobRecord, {"job": JOB, "edit": parcel.edit, "result_sha256": "d" * 64})

    def deliver(self, pictures: dict[str, Picture] | None = None, sent: Picture | None = None, **how: Any) -> str:
        return at_once(delivering(self.host, self.job, RECORD, PICTURES if pictures is None else pictures, sent, **how))

    @property
    def inserted(self) -> Insertion:
        """The one layer that was made."""
        (found,) = self.host.inserted
        return found


def test_a_result_lies_over_its_source_with_its_recipe_and_hides_its_masks() -> None:
    sent = Sent(painted=True)
    (mask,) = [layer.mark for layer in sent.host.layers() if layer.made_for]
    made = sent.deliver()
    found = sent.inserted
    assert (found.name, found.box, found.source) == ("hat → crown", CROP, "photo")
    assert (found.parent, found.above, found.hide, found.choose) == ("", "photo", (mask,), False)
    assert not (found.blended or found.clipped)
    assert found.colour is PICTURES["patch"], "not a pixel is touched"
    recipe = Recipe.from_json(sent.host.note(NAME, made))
    assert (recipe.job, recipe.crop, recipe.mask_from) == (JOB, list(CROP), PAINTED)
    assert recipe.mask_sha256 == ["b" * 64] and recipe.program == {"host": "Fake 1", "plugin": "2"}
    assert notes.job_of(sent.host.note(NAME, made)) == JOB


def test_a_second_time_nothing_new_is_made() -> None:
    sent = Sent()
    assert sent.deliver() == sent.deliver()
    assert len(sent.host.inserted) == 1
    # Undone, and wanted once more: it finds its place again.
    sent.host.remove("result0")
    sent.host.move("photo", 3, 4)
    assert sent.deliver() == "result1"
    assert sent.host.inserted[1].box == CROP.moved(3, 4)


def test_what_was_moved_while_its_pixels_were_made_is_followed() -> None:
    sent = Sent()
    work = delivering(sent.host, sent.job, RECORD, PICTURES)
    next(work)  # opaque all over
    next(work)  # its pixels are made
    assert not sent.host.inserted
    sent.host.move("photo", 3, 4)
    sent.host.with_layer("newer", CROP, made_from="photo")
    at_once(work)
    assert (sent.inserted.box, sent.inserted.above) == (CROP.moved(3, 4), "newer")
    assert Recipe.from_json(sent.inserted.notes[NAME]).crop == list(CROP.moved(3, 4))


def test_what_was_delivered_another_way_while_its_pixels_were_made_is_not_doubled() -> None:
    sent = Sent()
    works = [delivering(sent.host, sent.job, RECORD, PICTURES) for _ in range(2)]
    for work in works:
        next(work)
    assert [at_once(work) for work in works] == ["result0", "result0"]
    assert len(sent.host.inserted) == 1


def test_a_compositions_reference_is_kept_with_its_result() -> None:
    host = FakeHost().with_layer("photo", LAYER)
    wish = replace(WISH, kind="compose", reference_prompt="a crown")
    host.references["other"] = plane(Box(0, 0, 2, 2), 3)
    parcel = Submission.of(host, "photo", Order(wish, reference=Reference("other")), "portraits").take(CROP)
    notes.remember(host, JOB, parcel.pending)
    made = at_once(delivering(host, cast(JobRecord, {"job": JOB, "edit": parcel.edit}), RECORD, PICTURES))
    assert host.note(notes.REFERENCE, made) == "other"


CHANGES: dict[str, tuple[Callable[[FakeHost], object], Box, str]] = {
    "nothing": (lambda _host: None, CROP, "photo"),
    "layer moved": (lambda host: host.move("photo", -7, 9), CROP.moved(-7, 9), "photo"),
    "layer cropped": (lambda host: host.crop_layer("photo", Box(35, 25, 40, 30)), CROP, "photo"),
    "layer gone": (lambda host: host.remove("photo"), CROP, ""),
    "canvas grown": (lambda host: setattr(host, "size", (200, 90)), CROP, "photo"),
}


@pytest.mark.parametrize(("change", "box", "source"), CHANGES.values(), ids=CHANGES)
def test_it_goes_where_its_picture_went(change: Callable[[FakeHost], object], box: Box, source: str) -> None:
    sent = Sent()
    change(sent.host)
    sent.deliver(sent=sent.picture)
    assert (sent.inserted.box, sent.inserted.source) == (box, source)


def test_a_scaled_picture_gets_a_scaled_result() -> None:
    sent = Sent()
    sheet = sent.host.sheet("photo")
    sheet.pixels = sheet.pixels.repeat(2, axis=0).repeat(2, axis=1)
    sheet.known = replace(sheet.known, box=Box(20, 10, 160, 120))
    sent.host.size = (240, 180)
    sent.deliver()
    assert sent.inserted.box == Box(60, 40, 80, 64)
    assert sent.inserted.colour == plane(Box(0, 0, 80, 64), 3)
    assert sent.inserted.alpha == plane(Box(0, 0, 80, 64), 1)


@pytest.mark.parametrize(
    ("known", "shown"),
    [({}, False), ({"opacity": 0.45}, True), ({"mode": "multiply"}, True), ({"masked": True}, True)],
)
def test_it_is_shown_as_its_source_is(known: dict[str, Any], shown: bool) -> None:
    sent = Sent()
    sheet = sent.host.sheet("photo")
    sheet.known = replace(sheet.known, **known)
    sent.deliver()
    assert (sent.inserted.blended, sent.inserted.clipped) == (shown, shown)


def test_over_bare_edges_it_is_clipped() -> None:
    sent = Sent()
    sent.host.sheet("photo").pixels[20:, :, 3] = 0
    sent.deliver()
    assert sent.inserted.clipped


def test_a_turned_or_unknown_picture_waits_and_says_why() -> None:
    sent = Sent()
    sheet = sent.host.sheet("photo")
    whole = np.zeros((90, 120, 4), np.uint8)
    whole[5:65, 10:90] = sheet.pixels
    sheet.pixels, sheet.known = np.ascontiguousarray(whole[::-1, ::-1]), replace(sheet.known, box=Box(0, 0, 120, 90))
    with pytest.raises(WireError, match="turned"):
        sent.deliver()
    sheet.pixels = np.zeros_like(sheet.pixels)
    sent.host.size = (300, 20)
    with pytest.raises(WireError, match="changed too much"):
        sent.deliver()
    assert not sent.host.inserted


def test_what_cannot_be_taken_changes_nothing() -> None:
    sent = Sent()
    sent.host.refused = "Indexed."
    with pytest.raises(WireError, match=r"Indexed\."):
        sent.deliver()
    sent.host.refused = ""
    with pytest.raises(WireError, match="no picture"):
        sent.deliver({"patch": PICTURES["patch"]})
    assert not sent.host.inserted and notes.is_pending(sent.host, JOB)


@pytest.mark.parametrize(
    ("document", "source"),
    [
        ({"ref": "krita:document:photo"}, "photo"),
        ({"ref": "krita:document:gone", "layer": "Photo"}, "photo"),
        ({"layer": "Photo"}, "photo"),
        ({"layer": "gone"}, "cover"),
        ({}, "cover"),
    ],
)
def test_a_job_of_another_document_finds_its_layer_or_goes_where_the_painter_is(
    document: dict[str, Any], source: str
) -> None:
    sent = Sent()
    sent.host.notes.clear()
    sent.host.chosen = "cover"
    sent.job["edit"]["document"] = cast(Any, {"host": "other", "crop": [3, 4, 40, 32], **document})
    sent.deliver()
    assert (sent.inserted.source, sent.inserted.box) == (source, Box(3, 4, 40, 32))
    assert Recipe.from_json(sent.inserted.notes[NAME]).mask_from == ""


def test_a_mask_becomes_a_layer_to_be_corrected() -> None:
    sent = Sent()
    sent.job["edit"]["kind"] = "mask"
    mark = sent.deliver({"mask": plane(CROP, 1, 255)})
    made = sent.host.sheet(mark).known
    assert (made.made_for, made.word, sent.host.chosen) == ("photo", "hat", mark)
    assert sent.host.shown_box(mark) == CROP
    assert sent.deliver({"mask": plane(CROP, 1, 255)}) == mark, "once"
    sent.host.jobs.clear()
    sent.host.size = (240, 180)
    with pytest.raises(WireError, match="scaled"):
        sent.deliver({"mask": plane(Box(0, 0, 8, 8), 1)})
    sent.host.remove(mark)
    sent.host.remove("photo")
    sent.host.size = (120, 90)
    with pytest.raises(WireError, match="no layer"):
        sent.deliver({"mask": plane(CROP, 1)})


def test_pictures_of_an_answer_by_their_roles() -> None:
    header = {"frames": [{"role": "patch", "shape": [1, 2, 3], "dtype": "u1"}]}
    assert pictures_of(header, [memoryview(b"abcdef")]) == {"patch": Picture(2, 1, 3, "u1", b"abcdef")}
    assert pictures_of({}, []) == {}
