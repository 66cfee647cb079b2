"""From an order to the wire's `submit`, on a document in memory: what is planned, refused, and read."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import cast

import numpy as np
import pytest
from s2edit_editor import notes, place, submission
from s2edit_editor.host import AUTOMATIC, CHANNEL, EARLIER, LAYER_MASK, PAINTED, SELECTION, MaskChoice, Reference
from s2edit_editor.masks import automatic, for_objects, mask_layer, offered_kinds
from s2edit_editor.order import Order, is_file
from s2edit_editor.pixels import Box, Picture
from s2edit_editor.submission import Submission, area_in, gone
from s2edit_editor.turns import at_once
from s2edit_editor.wish import Wish
from s2edit_wire.errors import WireError
from s2edit_wire.frames import FRAME
from s2edit_wire.records import EDIT, PlanReply

from ...fakes.editor import FakeHost

WISH = Wish(source="a woman with a hat", target="a woman with a crown", words=("hat",), seed=7)
LAYER = Box(-10, 5, 80, 60)
"""Of a canvas of 120 x 90."""
MARKED, CROP = Box(20, 20, 16, 12), Box(12, 15, 32, 24)


@pytest.fixture(name="host")
def make_host() -> FakeHost:
    return FakeHost().with_layer("photo", LAYER)


def plan_of(asked: Submission, crop: Box = CROP) -> PlanReply:
    """What a daemon would answer that takes this crop of the canvas."""
    return cast(PlanReply, {"crop": list(crop.within(asked.area)), "problems": []})


def submitted(host: FakeHost, order: Order) -> Submission:
    return Submission.of(host, "photo", order, "portraits")


def test_the_layers_own_part_of_the_canvas_is_planned_with_everything(host: FakeHost) -> None:
    asked = submitted(host, Order(WISH, (host.select(MARKED),)))
    assert asked.area == Box(0, 5, 70, 60), "what lies outside the picture is not edited"
    seen = asked.look(CROP)
    assert seen is not None
    planned = asked.plan(seen)
    assert (planned["canvas"], planned["mask_box"]) == ([70, 60], [20, 15, 16, 12])
    assert planned["objects"] == [{"word": "hat", "masked": True}]
    assert planned["image_sha256"] == sha256(host.read("photo", CROP).data).hexdigest()
    assert 0 <= planned["photo"] <= 1
    assert asked.wishing(replace(WISH, words=())).plan()["objects"] == []
    assert asked.crop(plan_of(asked)) == CROP


def test_what_is_slow_or_large_is_looked_at_and_not_hashed(host: FakeHost, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = submitted(host, Order(WISH))
    host.slow = frozenset({"photo"})
    seen = asked.look(CROP)
    assert seen is not None and not seen.image_sha256
    host.slow = frozenset()
    monkeypatch.setattr(submission, "LARGEST_HASHED", 4 * CROP.width * CROP.height - 1)
    seen = asked.look(CROP)
    assert seen is not None and not seen.image_sha256
    assert asked.look(Box(100, 80, 40, 40)) is None, "of a picture that was smaller since"


def test_what_is_taken_is_what_the_wire_wants(host: FakeHost) -> None:
    host.references["other"] = Picture(2, 1, 4, "u1", bytes(range(8)))
    marked = host.select(MARKED)
    wish = replace(WISH, kind="compose", words=("hat", "crown"), reference_prompt="a crown")
    order = Order(wish, (automatic(), marked), marked, reference=Reference("other"))
    parcel = submitted(host, order).take(CROP)
    EDIT.check(parcel.edit, "edit")
    for entry, frame in zip(parcel.entries, parcel.frames, strict=True):
        FRAME.check(entry, "frame")
        assert entry["nbytes"] == len(frame)
    said = [(entry["role"], entry.get("index", 0)) for entry in parcel.entries]
    assert said == [("image", 0), ("object_mask", 1), ("edit_mask", 0), ("reference", 0)]
    assert bytes(parcel.frames[0]) == host.read("photo", CROP).data
    assert np.frombuffer(parcel.frames[1], np.uint8).reshape(24, 32).sum() == 255 * MARKED.width * MARKED.height
    assert [entry["masked"] for entry in parcel.edit["objects"]] == [False, True]
    assert parcel.edit["document"] == {
        "host": "krita",
        "title": "fake.ora",
        "layer": "photo",
        "ref": "fake:document:photo",
        "canvas": [120, 90],
        "crop": list(CROP),
    }
    varied = parcel.wishing(replace(wish, seed=8), "cartoons")
    assert (varied.edit["seed"], varied.edit["model"], varied.frames) == (8, "cartoons", parcel.frames)
    assert [entry["masked"] for entry in varied.edit["objects"]] == [False, True]
    assert parcel.pending.mask_from == SELECTION and parcel.pending.reference == "other"


def test_what_is_painted_and_moved_while_it_is_copied_is_not_in_it(host: FakeHost) -> None:
    marked = host.select(MARKED)
    asked = submitted(host, Order(WISH, (marked,)))
    before = host.read("photo", CROP).data
    work = asked.taking(CROP)
    next(work)
    host.sheet("photo").pixels[:] = 0
    host.move("photo", 5, 5)
    parcel = at_once(work)
    assert parcel.picture.data == parcel.frames[0] == before
    assert parcel.pending.frame == LAYER, "where it was when it was looked at"
    assert parcel.pending.points == place.points_of(Picture(32, 24, 4, "u1", before))


def test_all_visible_layers_are_read_where_that_is_wanted(host: FakeHost) -> None:
    host.with_layer("cover", Box(0, 0, 20, 20))
    asked = submitted(host, Order(WISH, whole=True))
    assert asked.area == Box(0, 0, 120, 90)
    parcel = asked.take(CROP)
    assert parcel.frames[0] == host.read("", CROP).data != host.read("photo", CROP).data
    assert parcel.pending.points == (), "it moves with no layer"


def test_what_a_document_remembers_of_a_job_comes_back(host: FakeHost) -> None:
    mask = mask_layer(host, "photo", "hat", (MARKED, b"\xff" * MARKED.width * MARKED.height))
    order = Order(WISH, tuple(for_objects(host, "photo", LAYER, PAINTED)))
    parcel = submitted(host, order).take(CROP)
    notes.remember(host, "a" * 32, parcel.pending)
    assert notes.pending(host, "a" * 32) == parcel.pending
    assert (parcel.pending.masks, parcel.pending.frame, parcel.pending.mask_from) == ((mask,), LAYER, PAINTED)
    for number in range(notes.MOST_PENDING):
        notes.remember(host, str(number), parcel.pending)
    assert not notes.is_pending(host, "a" * 32) and notes.is_pending(host, "0")
    notes.forget(host, "0")
    assert not notes.is_pending(host, "0")
    for damaged in ("{", "[]", '{"1": {"layer": 5}}', '{"1": {"layer": "5", "canvas": ["x", 1]}}'):
        host.keep(notes.PENDING, damaged)
        assert notes.pending(host, "1") is None


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (lambda host: setattr(host, "open", False), "closed"),
        (lambda host: host.remove("photo"), "gone"),
        (lambda host: host.masks.clear(), "mask"),
        (lambda host: host.select(Box(0, 70, 9, 9)), "marks nothing"),
        (lambda host: host.references.clear(), "reference"),
    ],
    ids=["picture", "layer", "mask", "empty mask", "reference"],
)
def test_what_is_gone_since_the_plan_is_said(host: FakeHost, change: object, wanted: str) -> None:
    host.references["other"] = Picture(1, 1, 1, "u1", b"x")
    asked = submitted(host, Order(WISH, (host.select(MARKED),), reference=Reference("other")))
    assert not gone(host, "photo")
    assert callable(change)
    change(host)
    with pytest.raises(WireError) as caught:
        asked.take(CROP)
    assert wanted in caught.value.message


def test_nothing_is_sent_of_nothing(host: FakeHost) -> None:
    host.with_layer("beside", Box(200, 0, 10, 10)).with_layer("bare", LAYER, alpha=0)
    for layer in ("beside", "bare"):
        with pytest.raises(WireError, match=layer):
            Submission.of(host, layer, Order(WISH), "portraits")
    with pytest.raises(WireError, match="marks nothing"):
        submitted(host, Order(WISH, (host.select(Box(80, 70, 9, 9)),)))


@pytest.mark.parametrize(
    ("order", "problems", "wanted"),
    [
        (Order(WISH), [], None),
        (Order(replace(WISH, target="")), [], "Say what it should show."),
        (Order(replace(WISH, words=())), [], "Type the word that names the object."),
        (Order(replace(WISH, kind="compose")), [], "Choose the layer or file to take something over from."),
        (
            Order(WISH),
            [{"field": "source", "message": "Too long.", "blocking": True, "code": "bad_prompt"}],
            "Too long.",
        ),
        (Order(WISH), [{"field": "model", "message": "Hm.", "blocking": False, "code": "bad_prompt"}], None),
    ],
)
def test_what_is_refused_before_it_is_sent(
    host: FakeHost, order: Order, problems: list[object], wanted: str | None
) -> None:
    asked = submitted(host, order)
    refusal = asked.refusal(cast(PlanReply, {**plan_of(asked), "problems": problems}))
    assert (refusal and refusal.message) == wanted


def test_a_question_about_the_picture_takes_no_masks_along(host: FakeHost) -> None:
    order = Order(replace(WISH, words=("hat", "bag")), (host.select(MARKED),), reference=Reference("other"))
    asked = submitted(host, order)
    for kind, words in (("caption", ()), ("mask", ("hat",))):
        question = asked.asking(kind)
        assert (question.order.wish.kind, question.order.wish.words) == (kind, words)
        assert [entry["role"] for entry in question.take(CROP).entries] == ["image"]


def test_objects_without_a_word_are_called_what_was_painted_for_them() -> None:
    hat, nameless = MaskChoice(PAINTED, "h", "Hat", "hat"), MaskChoice(PAINTED, "n")
    assert Order(replace(WISH, words=()), (hat, nameless)).named().wish.words == ("hat",)
    assert Order(replace(WISH, words=("cap",)), (hat,)).named().wish.words == ("cap",)


def test_masks_for_all_objects_by_their_kind(host: FakeHost) -> None:
    area = area_in(host, "photo")
    ink = b"\xff" * MARKED.width * MARKED.height
    first = mask_layer(host, "photo", "hat", (MARKED, ink))
    mask_layer(host, "photo", "", None)
    third = mask_layer(host, "photo", "bag", (MARKED.moved(4, 4), ink))
    found = for_objects(host, "photo", area, PAINTED)
    assert [(one.mark, one.word) for one in found] == [(first, "hat"), (third, "bag")], "the empty one is passed over"
    assert [layer.name for layer in host.layers()] == ["Object mask: bag", "Object mask 2", "Object mask: hat", "photo"]
    assert for_objects(host, "photo", area, AUTOMATIC) == []
    selection = host.select(MARKED)
    assert for_objects(host, "photo", area, SELECTION) == [selection]
    assert offered_kinds(host, "photo")[:2] == [PAINTED, SELECTION]


def test_an_earlier_results_masks_are_the_painted_ones_then_its_own(host: FakeHost) -> None:
    area = area_in(host, "photo")
    mask = mask_layer(host, "photo", "hat", (MARKED, b"\xff" * MARKED.width * MARKED.height))
    host.with_layer("newer", CROP, made_from="photo", own_mask=True).with_layer("older", CROP, made_with=(mask,))
    own = MaskChoice(EARLIER, "newer", "Earlier result")
    host.masks[own] = np.full((90, 120), 255, np.uint8)
    assert for_objects(host, "photo", area, EARLIER) == [own], "the newest, where none is named"
    assert [one.mark for one in for_objects(host, "photo", area, EARLIER, "older")] == [mask]


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        (PAINTED, "No mask is painted yet"),
        (SELECTION, "Nothing is selected"),
        (LAYER_MASK, "no layer mask"),
        (EARLIER, "No earlier result"),
        (CHANNEL, "no channel “sky”"),
    ],
)
def test_a_mask_that_is_not_there_is_told_by_its_kind(host: FakeHost, kind: str, wanted: str) -> None:
    with pytest.raises(WireError, match=wanted):
        for_objects(host, "photo", area_in(host, "photo"), kind, "sky" if kind == CHANNEL else "")


def test_a_composition_is_of_the_first_object_and_what_is_taken_over() -> None:
    hat, bag = MaskChoice(PAINTED, "h", "Hat", "hat"), MaskChoice(PAINTED, "b", "Bag", "bag")
    order = Order(replace(WISH, words=("hat", "bag")), (hat, bag))
    made = order.composed(Reference("other"), "a woman with makeup", "makeup", "a woman with makeup and a hat")
    assert (made.wish.kind, made.wish.words, made.masked) == ("compose", ("hat", "makeup"), [True, False])
    assert (made.wish.reference_prompt, made.wish.target) == ("a woman with makeup", "a woman with makeup and a hat")
    assert order.composed(None, "a woman", "", "a woman").wish.words == ("hat",)


@pytest.mark.parametrize(
    ("mark", "wanted"),
    [
        ("/home/anna/cap.png", True),
        ("C:/Users/Anna/cap.png", True),
        ("c:\\Users\\Anna\\cap.png", True),
        ("//server/share/cap.png", True),
        ("\\\\server\\share\\cap.png", True),
        ("/home/anna/a:b.png", True),
        ("cap.png", False),
        ("C:cap.png", False),
        ("8c2b4a6e-11d2-4c5e-9f00-0a1b2c3d4e5f", False),
        ("8c2b4a6e-11d2-4c5e-9f00-0a1b2c3d4e5f:c0ffee00-11d2-4c5e-9f00-0a1b2c3d4e5f", False),
        ("17", False),
        ("", False),
    ],
)
def test_a_reference_is_a_file_of_any_system_or_a_layer(mark: str, wanted: bool) -> None:
    """On Windows no file's path begins with a slash, and all were said to be gone."""
    assert is_file(mark) is wanted


def test_an_instruction_goes_alone_and_all_masks_as_one(host: FakeHost) -> None:
    left, right = Box(14, 18, 6, 6), Box(30, 20, 6, 6)
    masks = (host.select(left), automatic(), host.select(right))
    wish = Wish(source="a woman", target="add sunglasses", words=("woman",), seed=7)
    order = Order(wish, masks).instructing()
    assert order.named() == order, "nothing is called after its mask"
    parcel = submitted(host, order).take(CROP)
    EDIT.check(parcel.edit, "edit")
    assert (parcel.edit["source"], parcel.edit["target"], parcel.edit["objects"]) == ("", "add sunglasses", [])
    assert [entry["role"] for entry in parcel.entries] == ["image", "edit_mask"]
    covered = np.frombuffer(parcel.frames[1], np.uint8).reshape(CROP.height, CROP.width)
    last = np.frombuffer(host.coverage(masks[2], CROP), np.uint8).reshape(CROP.height, CROP.width)
    first = np.frombuffer(host.coverage(masks[0], CROP), np.uint8).reshape(CROP.height, CROP.width)
    assert np.array_equal(covered > 127, (first > 127) | (last > 127))
    assert [entry["role"] for entry in submitted(host, Order(wish).instructing()).take(CROP).entries] == ["image"]


def test_what_is_taken_over_goes_along_with_an_instruction(host: FakeHost) -> None:
    host.references["other"] = Picture(2, 1, 4, "u1", bytes(range(8)))
    order = Order(WISH, (host.select(MARKED),)).composed(Reference("other"), "a crown", "crown", "put it on her")
    parcel = submitted(host, order.instructing()).take(CROP)
    EDIT.check(parcel.edit, "edit")
    assert (parcel.edit["kind"], parcel.edit["target"]) == ("edit", "put it on her")
    assert "reference_prompt" not in parcel.edit
    assert [entry["role"] for entry in parcel.entries] == ["image", "edit_mask", "reference"]


def test_a_recipe_of_an_instruction_is_one_again() -> None:
    wish = Wish(source="", target="add sunglasses", seed=7, instructs=True, model="flux2-klein-4b")
    edit = wish.to_edit([], {"host": "gimp"}, "other")
    assert Wish.from_edit(edit) == wish
    assert Wish.from_note(wish.noted()) == wish
    assert wish.as_start().target == "", "an instruction says nothing of what is there now"
