"""The benchmark's own arithmetic: metrics against hand-made values, cases that say what they change, resumed scores."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from s2edit.research.evaluation import bench, records, tables
from s2edit.research.evaluation.cases import TEST_FIRST, Case, case_of, cases
from s2edit.research.evaluation.metrics import CEILING, psnr, ssim
from s2edit.research.starter.domain import domain
from s2edit.research.starter.portraits import EDITS


@pytest.fixture(scope="module")
def few() -> list[Case]:
    return list(cases(6, 2))


def test_psnr_is_computed_in_floating_point() -> None:
    black, gray = np.zeros((16, 16, 3), np.uint8), np.full((16, 16, 3), 200, np.uint8)
    assert psnr(black, gray) == pytest.approx(10 * np.log10(255**2 / 200**2))
    assert psnr(gray, black) == psnr(black, gray)
    assert psnr(gray, gray) == CEILING


def test_a_region_counts_alone() -> None:
    truth = np.zeros((32, 32, 3), np.uint8)
    picture = truth.copy()
    picture[:16] = 50
    top = np.zeros((32, 32), bool)
    top[:16] = True
    assert psnr(picture, truth, ~top) == CEILING
    assert psnr(picture, truth, top) == pytest.approx(10 * np.log10(255**2 / 2500))
    assert ssim(picture, truth, ~top) > ssim(picture, truth, top)
    with pytest.raises(ValueError, match="no pixel"):
        psnr(picture, truth, np.zeros((32, 32), bool))


def test_every_case_has_a_visible_change_named_in_its_prompts(few: list[Case]) -> None:
    assert {case.edit.kind for case in few} >= {"add", "replace"}
    for case in few:
        assert case.seed >= TEST_FIRST
        assert case.prompts[0] != case.prompts[1]
        assert 0.005 < case.changed.mean() < 0.95
        assert np.array_equal(case.image[~case.changed], case.truth[~case.changed])
        assert (case.mask is None) != case.painted
        if case.mask is not None:
            assert (case.mask[case.changed] == 255).all()


def test_the_truth_scores_best_and_the_untouched_source_fails_the_change(few: list[Case]) -> None:
    reached = [bench.judge(case, "truth", case.truth).reached for case in few]
    untouched = [bench.judge(case, "source", case.image).reached for case in few]
    assert np.mean(reached) > 0.8
    assert np.mean(untouched) < 0.3
    assert all(bench.judge(case, "truth", case.truth).psnr_inside == CEILING for case in few)


def test_scoring_a_folder_counts_missing_pictures_as_no_edit(few: list[Case], tmp_path: Path) -> None:
    answers, out = tmp_path / "mine", tmp_path / "out"
    answers.mkdir()
    Image.fromarray(few[0].truth).save(answers / f"{few[0].id}.png")
    first, second, *_ = bench.score_folder(answers, few, "other", out)
    assert first.psnr_inside == CEILING
    assert second.error == "no picture"
    with Image.open(out / "other" / f"{few[0].id}.png") as kept:
        assert np.array_equal(np.asarray(kept), few[0].truth)


@pytest.mark.parametrize(
    ("mode", "size", "kind", "told"),
    [
        ("RGB", (64, 64), "PNG", "64×64 px; the cases have 128×128"),
        ("RGB", (128, 128), "JPEG", "is a JPEG"),
        ("I;16", (128, 128), "PNG", "more than 8 bits"),
        ("RGBA", (128, 128), "PNG", "transparent in places"),
    ],
)
def test_an_answer_of_another_form_is_refused(
    mode: str, size: tuple[int, int], kind: str, told: str, few: list[Case], tmp_path: Path
) -> None:
    answers, out = tmp_path / "mine", tmp_path / "out"
    answers.mkdir()
    Image.new(mode, size).save(answers / f"{few[1].id}.png", kind)
    with pytest.raises(ValueError, match=told):
        list(bench.score_folder(answers, few, "other", out))
    assert not out.exists()


def test_a_folder_without_answers_says_how_they_are_named(few: list[Case], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"holds no file.*such as {few[0].id}.png"):
        list(bench.score_folder(tmp_path, few, "other", tmp_path))
    Image.fromarray(few[0].truth).save(tmp_path / f"{few[0].id}.jpg")
    with pytest.raises(ValueError, match="1 files of other names"):
        list(bench.score_folder(tmp_path, few, "other", tmp_path))
    (tmp_path / f"{few[0].id}.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match="can't be read"):
        list(bench.score_folder(tmp_path, few, "other", tmp_path))


def test_a_case_is_found_by_its_id(few: list[Case]) -> None:
    robots = list(cases(2, 2, domain=domain("robots")))
    assert [case_of(case.id) for case in [*few, *robots]] == [*few, *robots]
    for wrong in ("", "add-wings_2000000_auto", "add-glasses_x_auto", "add-glasses_2000000_both", "add-glasses"):
        assert case_of(wrong) is None


def test_a_line_cut_short_is_passed_over(few: list[Case], tmp_path: Path) -> None:
    score = bench.judge(few[0], "other", few[0].image)
    line = json.dumps(asdict(score))
    (tmp_path / records.SCORES).write_text(line + "\n" + line[:40])
    assert bench.load(tmp_path) == [score]
    records.append(tmp_path, score)
    assert bench.load(tmp_path) == [score, score]


def test_paired_differences_use_common_cases_only(few: list[Case]) -> None:
    full = [bench.judge(case, "s2edit", case.truth) for case in few[:4]]
    other = [bench.judge(case, "ift", case.image) for case in few[1:]]
    found = tables.differences([*full, *other], "reached")["ift"]
    assert found.low <= found.mean <= found.high
    assert found.mean > 0
    assert "| ift |" in tables.markdown([*full, *other])
    figures = tables.summary([*full, *other])
    assert figures["differences"]["reached"]["ift"]["mean"] == found.mean
    assert figures["methods"]["s2edit"]["psnr_inside"]["mean"] == CEILING
    assert "seconds" not in figures["methods"]["ift"]
    assert "**" not in tables.markdown([*full, *other]).partition("paired over")[2].partition("\n")[2], "too few to say"


def test_a_difference_is_clear_only_when_enough_portraits_say_so() -> None:
    few_groups, many = tables.interval([1.0] * 7, range(7)), tables.interval([1.0] * 8, range(8))
    assert (few_groups.low, many.low) == (1.0, 1.0)
    assert not few_groups.clear
    assert many.clear
    assert tables.interval([-1.0] * 8).clear
    assert not tables.interval([-1.0, 1.0] * 8).clear


def test_edits_that_hang_together_widen_the_interval() -> None:
    values = np.repeat(np.random.default_rng(3).normal(size=20), 5).tolist()
    apart = tables.interval(values)
    together = tables.interval(values, [number // 5 for number in range(100)])
    assert together.mean == apart.mean
    assert together.high - together.low > 1.5 * (apart.high - apart.low)


def test_an_interval_shrinks_with_more_values() -> None:
    rng = np.random.default_rng(1)
    few_values, many = rng.normal(size=10).tolist(), rng.normal(size=1000).tolist()
    wide, narrow = tables.interval(few_values), tables.interval(many)
    assert narrow.high - narrow.low < wide.high - wide.low
    with pytest.raises(ValueError, match="no values"):
        tables.interval([])


def test_a_portrait_has_one_source_prompt_and_the_rarest_edits() -> None:
    found = list(cases(12, 3))
    for seed in {case.seed for case in found}:
        mine = [case for case in found if case.seed == seed]
        assert 1 <= len(mine) <= 3
        assert len({case.prompts[0] for case in mine}) == 1
    assert [case.id for case in cases(5, 3)] == [case.id for case in found][: len(list(cases(5, 3)))]
    counts = [sum(case.edit.name == edit.name for case in found) for edit in EDITS]
    assert max(counts) <= 6
    assert sum(count > 0 for count in counts) >= 10


def test_edits_have_names_of_their_own() -> None:
    assert len({edit.name for edit in EDITS}) == len(EDITS)
