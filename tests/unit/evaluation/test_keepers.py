"""The measure on made pictures, whose scores are known, and the cases: the same each time, and as promised."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from s2edit.research.evaluation.keepers import scenes
from s2edit.research.evaluation.keepers.cases import SIZES, NativeCase, case_of, native_cases
from s2edit.research.evaluation.keepers.edits import EDITS, KINDS, answers
from s2edit.research.evaluation.keepers.measure import UNTOUCHED, Measured, measure
from s2edit.research.evaluation.keepers.painting import LEAST, MANNERS, MOST, Manner, painted
from s2edit.research.starter.attributes import Portrait, sample_attributes

SIDE = 200
PORTRAIT = (20, 10, 160, 160)
RNG = np.random.default_rng(16)
SOURCE = RNG.integers(60, 120, (SIDE, SIDE, 3)).astype(np.uint8)
CHANGED = np.zeros((SIDE, SIDE), bool)
CHANGED[60:120, 60:120] = True


def truth(period: int) -> NDArray[np.uint8]:
    """The source with stripes of 20 and 220 in the changed part."""
    columns = np.indices((SIDE, SIDE))[1]
    stripes = np.where(columns // period % 2, 220, 20)[..., None].astype(np.uint8)
    return np.where(CHANGED[..., None], stripes, SOURCE)


TRUTH, OTHER = truth(10), truth(7)


def judged(result: NDArray[np.uint8]) -> Measured:
    return measure(SOURCE, result, [TRUTH, OTHER], [CHANGED, CHANGED], PORTRAIT)


def blurred(sigma: float) -> NDArray[np.uint8]:
    smooth = ndimage.gaussian_filter(TRUTH.astype(float), (sigma, sigma, 0))
    return np.where(CHANGED[..., None], smooth.round(), SOURCE).astype(np.uint8)


def harmed(where: tuple[slice, slice], levels: int) -> NDArray[np.uint8]:
    result = TRUTH.copy()
    result[where] += np.uint8(levels)
    return result


def test_doing_nothing_gains_nothing_and_harms_nothing() -> None:
    found = judged(SOURCE)
    assert found.gain == 0
    assert found.damage == found.beyond == UNTOUCHED
    assert not found.keeper


@pytest.mark.parametrize(("answer", "picture"), [(0, TRUTH), (1, OTHER)])
def test_either_right_answer_is_a_keeper_held_against_itself(answer: int, picture: NDArray[np.uint8]) -> None:
    found = judged(picture)
    assert (found.gain, found.sharp, found.answer) == (1, 1, answer)
    assert found.damage == UNTOUCHED
    assert found.keeper


def test_the_nearest_answer_counts_for_a_result_between_two() -> None:
    mixed = (0.3 * TRUTH + 0.7 * OTHER).round().astype(np.uint8)
    assert judged(mixed).answer == 1
    assert judged((0.7 * TRUTH + 0.3 * OTHER).round().astype(np.uint8)).answer == 0


def test_a_blurred_answer_fails_by_its_sharpness_alone() -> None:
    found = judged(blurred(2.0))
    assert found.gain >= 0.6
    assert found.damage == UNTOUCHED
    assert found.sharp < 0.6
    assert not found.keeper


def test_a_rough_answer_fails_by_its_sharpness_alone() -> None:
    noise = np.where(CHANGED[..., None], RNG.normal(0, 45, (SIDE, SIDE, 1)), 0)
    found = judged((TRUTH + noise).clip(0, 255).astype(np.uint8))
    assert found.gain >= 0.6
    assert found.sharp > 1.6
    assert not found.keeper


def test_a_change_elsewhere_in_the_portrait_is_damage_and_one_beyond_it_is_told_apart() -> None:
    elsewhere = judged(harmed(np.s_[20:60, 30:170], 20))
    assert elsewhere.gain == 1
    # A fifth of the portrait's unchanged 22,000 px, 20 levels off.
    assert elsewhere.damage == pytest.approx(10 * np.log10(255**2 / (400 * 40 * 140 / 22_000)))
    assert elsewhere.beyond == UNTOUCHED
    assert not elsewhere.keeper
    beyond = judged(harmed(np.s_[180:200, :], 20))
    assert (beyond.gain, beyond.damage) == (1, UNTOUCHED)
    assert beyond.beyond < UNTOUCHED


def test_a_worse_picture_than_the_source_has_a_negative_gain() -> None:
    assert judged((255 - TRUTH.astype(int)).clip(0, 255).astype(np.uint8)).gain < 0


def test_what_can_not_be_measured_is_refused() -> None:
    with pytest.raises(ValueError, match="size"):
        judged(TRUTH[:-1])
    with pytest.raises(ValueError, match="no change"):
        measure(SOURCE, SOURCE, [SOURCE], [CHANGED], PORTRAIT)


@pytest.mark.parametrize(
    ("portrait", "kind", "name", "drawings"),
    [
        (Portrait(), "add", "add glasses", 2),
        (Portrait(), "add", "add sunglasses", 2),
        (Portrait(), "add", "add a beard", 1),
        (Portrait(hair="bald"), "add", "add a beard", 6),
        (Portrait(hat="turban"), "double", "sunglasses and a beard", 12),
        (Portrait(mood="sad"), "mood", "mood to smiling", 2),
        (Portrait(mood="sad"), "double", "glasses and smiling", 4),
        (Portrait(accessory="glasses"), "remove", "remove glasses", 1),
        (Portrait(hat="hat", clothes="suit"), "remove", "remove the hat", 3),
        (Portrait(), "background", "background to pink", 1),
    ],
)
def test_every_drawing_of_what_was_asked_counts(portrait: Portrait, kind: str, name: str, drawings: int) -> None:
    edit = next(edit for edit in EDITS[kind] if edit.name == name)
    found = answers(portrait, edit)
    assert found[0] == portrait.change(**edit.changes)
    assert len({scenes.Scene("alone", 64).draw(answer).tobytes() for answer in found}) == len(found) == drawings


def test_kinds_sizes_places_and_masks_take_turns() -> None:
    some = list(native_cases("test", 280))
    assert Counter(case.kind for case in some) == dict.fromkeys(KINDS, 40)
    assert sum(case.manner is None for case in some) == 140
    assert sum(case.scene.placing != "alone" for case in some) == 70
    assert {case.scene.placing for case in some} == {"alone", "framed", "standing"}
    assert {case.manner for case in some} == {None, *MANNERS}
    alone = [case for case in some if case.scene.placing == "alone"]
    assert set(Counter(case.scene.size for case in alone)) == set(SIZES)
    for case in some[:60]:
        x, y, width, height = case.scene.box
        assert x >= 0 <= y
        assert x + width <= case.scene.canvas[0]
        assert y + height <= case.scene.canvas[1]
        if case.scene.placing != "alone":
            assert abs(x + width / 2 - case.scene.canvas[0] / 2) > 50, "off the centre"


def test_a_case_is_made_of_its_number_alone_and_no_two_sets_share_a_portrait_or_a_hand() -> None:
    case, again = NativeCase("tuning", 0), case_of("tuning-000")
    assert again is not None
    assert again is not case
    assert np.array_equal(case.image, again.image)
    assert case.mask is not None and again.mask is not None
    assert np.array_equal(case.mask, again.mask)
    assert all(np.array_equal(one, other) for one, other in zip(case.truths, again.truths, strict=True))
    sets = [{case.seed for case in native_cases(purpose, 60)} for purpose in ("tuning", "test", "acceptance")]
    assert [len(seeds) for seeds in sets] == [60, 60, 60]
    assert not sets[0] & sets[1] and not sets[1] & sets[2] and not sets[0] & sets[2]
    hands = {tuple((case.manner, case.scene) for case in native_cases(p, 20)) for p in ("tuning", "test", "acceptance")}
    assert len(hands) == 3
    assert case_of("test-x") is None and case_of("other-001") is None


@pytest.mark.parametrize("number", [0, 12])
def test_what_a_case_promises_of_its_pictures(number: int) -> None:
    case = NativeCase("tuning", number)
    height, width = case.image.shape[:2]
    assert (width, height) == case.scene.canvas
    assert case.edit.needs(sample_attributes(case.seed))
    for where, picture in zip(case.changes, case.truths, strict=True):
        off = np.abs(case.image.astype(int) - picture).max(axis=2)
        # Seams of a pixel between shapes are no change that was asked for.
        assert not ndimage.binary_opening((off > 8) & ~where, np.ones((3, 3))).any()
        right = measure(case.image, picture, case.truths, case.changes, case.portrait_box)
        assert right.keeper and right.gain == 1


@pytest.mark.parametrize("manner", MANNERS)
def test_a_painted_mask_is_a_little_too_large_and_its_strokes_leave_gaps(manner: Manner) -> None:
    side = 512
    rows, columns = np.indices((side, side))
    changed = (rows - 200) ** 2 / 60**2 + (columns - 260) ** 2 / 130**2 < 1
    mask = painted(changed, manner, np.random.default_rng(3), side) > 127
    beyond = ndimage.distance_transform_edt(~changed)[mask].max()
    if manner == "box":
        assert mask.sum() == mask.any(axis=1).sum() * mask.any(axis=0).sum()
        assert not (changed & ~mask).any()
        return
    # A cell of the hand's coarse grid is 2 px here.
    assert LEAST * side <= beyond <= MOST * side + 4
    missed = (changed & ~mask).sum() / changed.sum()
    assert missed == 0 if manner == "hull" else 0.03 < missed < 0.3


def test_a_larger_picture_holds_the_same_portrait_and_the_edit_stays_in_its_place() -> None:
    portrait = sample_attributes(1_000_123)
    alone = scenes.Scene("alone", 512).draw(portrait)
    framed = scenes.Scene("framed", 512, 900, 300, wall="green", scene=5)
    drawn = framed.draw(portrait)
    assert drawn.shape == (1200, 1600, 3)
    assert np.array_equal(drawn[300:812, 900:1412], alone)
    standing = scenes.Scene("standing", 512, 60, 688)
    moods = [standing.draw(portrait.change(mood=mood)) for mood in ("sad", "angry")]
    rows, columns = np.nonzero((moods[0] != moods[1]).any(axis=2))
    assert rows.min() >= 688
    assert columns.min() >= 60
    assert columns.max() < 60 + 512
