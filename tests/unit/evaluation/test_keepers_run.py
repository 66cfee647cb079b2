"""The run from the command to tables, page, sheets and each method's best settings; steps too few for good edits."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image

from s2edit.research.evaluation.__main__ import main
from s2edit.research.evaluation.keepers import tables, tuning
from s2edit.research.evaluation.keepers.cases import NativeCase
from s2edit.research.evaluation.keepers.runner import crop_of
from s2edit.research.evaluation.keepers.scores import KeeperScore, judge
from s2edit.research.evaluation.methods import METHODS
from s2edit.research.evaluation.records import SCORES, load
from s2edit.settings import Settings
from tests.fakes.tiny import one_thread

__all__ = ["one_thread"]

FEW = ["--set", "inversion.steps=3", "--device", "cpu", "--portraits", "tuning", "--cases", "1"]
SCORE = judge(NativeCase("tuning", 0), "s2edit", NativeCase("tuning", 0).image)


def run(out: Path, methods: str, *more: str) -> int:
    return main(["keepers", "run", *FEW, "--methods", methods, "--out", str(out), *more])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("keepers")
    assert run(out, "inpaint") == 0
    return out


def test_an_edit_is_scored_kept_and_shown_at_the_pictures_own_size(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case, (score, *_) = NativeCase("tuning", 0), load(folder, KeeperScore)
    assert (score.case, score.method, score.kind, score.size) == (case.id, "inpaint", case.kind, case.scene.size)
    assert not score.error
    assert score.first_seconds >= score.seconds > 0
    with Image.open(folder / "inpaint" / f"{case.id}.png") as opened:
        found = np.asarray(opened)
    assert found.shape == case.image.shape
    assert not np.array_equal(found, case.image)
    assert judge(case, "inpaint", found).gain == score.gain
    assert main(["keepers", "sheet", *FEW[4:], "--methods", "inpaint", "--out", str(folder)]) == 0
    sheet = Path(capsys.readouterr().out.strip())
    small = ["--webp", str(folder / "small")]
    assert main(["keepers", "sheet", *FEW[4:], "--methods", "inpaint", "--out", str(folder), *small]) == 0
    assert [path.stem for path in sorted((folder / "small").iterdir())] == [
        path.stem for path in sorted((folder / "sheets").iterdir())
    ]
    with Image.open(sheet) as opened:
        pixels = np.asarray(opened)
    side, width = case.scene.size, pixels.shape[1] // 4
    for number, shown in ((0, case.image), (2, found), (3, case.truths[score.answer])):
        left = round(number * (width + 2))
        assert np.array_equal(pixels[-side:, left : left + side], shown)
    page = (folder / "index.html").read_text("utf-8")
    links = re.findall(r'(?:href|src)="([^"]+)"', page)
    assert len(links) == 8
    assert all((folder / unquote(link)).is_file() for link in links)


def test_a_run_goes_on_takes_further_methods_and_refuses_other_settings(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder, "inpaint,direct+p2p") == 0
    assert [score.method for score in load(folder, KeeperScore)] == ["inpaint", "direct+p2p"]
    assert run(folder, "inpaint", "--set", "edit.guidance=3") == 2
    assert "another settings" in capsys.readouterr().err
    assert main(["keepers", "report", "--out", str(folder / "cases")]) == 2
    assert main(["keepers", "sheet", "--out", str(folder), "--portraits", "acceptance"]) == 2


def test_the_crop_holds_all_of_the_mask() -> None:
    painted = NativeCase("tuning", 0)
    assert painted.mask is not None
    x, y, width, height = crop_of(painted, Settings(), 128)
    assert not painted.mask[:y].any()
    assert painted.mask[y : y + height, x : x + width].sum() == painted.mask.sum()


def made(number: int, method: str, *, gain: float, damage: float = 50, sharp: float = 1) -> KeeperScore:
    return replace(SCORE, case=f"tuning-{number:03d}", method=method, gain=gain, damage=damage, sharp=sharp)


def test_the_best_settings_are_those_with_most_keepers_then_with_the_higher_gain() -> None:
    names = [method.name for method in tuning.candidates("s2edit")]
    gains = dict.fromkeys(names, (0.5, 0.5))
    # One keeper goes before any gain that keeps nothing; between two with one keeper the gain decides.
    gains |= {names[1]: (0.7, 0.1), names[2]: (0.59, 0.59), names[3]: (0.7, 0.2)}
    scores = [made(number, name, gain=gains[name][number]) for number in range(2) for name in names]
    # What only some have been tried on doesn't count.
    scores.append(made(2, names[0], gain=1))
    found = tuning.choose(scores, "s2edit")
    assert found["cases"] == 2
    assert found["settings"] == found["tried"][3]["settings"] != found["tried"][1]["settings"]
    drawn = tuning.curves(scores, {"s2edit": found})
    assert drawn.count("<svg") == 2
    assert drawn.count("<circle") == 2 * (5 + 1), "five values of w with the best other setting, and the legend"
    with pytest.raises(ValueError, match="every setting"):
        tuning.choose(scores, "inpaint")


def test_every_method_has_the_same_budget_and_runs_at_what_was_chosen(tmp_path: Path) -> None:
    budgets = {name: tuning.candidates(name) for name in ("s2edit", "direct+p2p", "inpaint")}
    assert len({len(tried) for tried in budgets.values()}) == 1
    for name, tried in budgets.items():
        assert len({method.name for method in tried}) == len(tried)
        assert all(method.baseline == METHODS[name].baseline for method in tried)
        settings = [method.settings("balanced", {}) for method in tried]
        assert len({json.dumps(one.as_dict()) for one in settings}) == len(tried)
    path = tmp_path / "best.json"
    tuning.write(path, {"s2edit": {"settings": {"edit.guidance": 2.5}}}, "abc")
    (method,) = tuning.settled(path, [METHODS["s2edit"]], "abc")
    assert method.settings("balanced", {}, {"edit.guidance": 6}).edit.guidance == 2.5
    with pytest.raises(ValueError, match="another checkpoint"):
        tuning.settled(path, [METHODS["s2edit"]], "other")
    with pytest.raises(ValueError, match="no settings for inpaint"):
        tuning.settled(path, [METHODS["inpaint"]], "abc")
    path.write_text("[]", "utf-8")
    with pytest.raises(ValueError, match="holds no settings"):
        tuning.settled(path, [METHODS["s2edit"]], "abc")


def test_tables_count_keepers_by_part_and_pair_the_methods() -> None:
    scores = [made(number, "s2edit", gain=0.8) for number in range(10)]
    scores += [made(number, "inpaint", gain=0.8, sharp=0.3 if number < 5 else 1) for number in range(10)]
    scores[3] = replace(scores[3], placing="framed", beyond=40.0, kind="mood")
    found = tables.summary(scores)
    assert found["s2edit"]["all"].keepers.mean == 100
    assert found["inpaint"]["all"].keepers.mean == 50
    assert found["inpaint"]["all"].keepers.low < 50 < found["inpaint"]["all"].keepers.high
    assert found["inpaint"]["all"].enough_sharp == 50
    assert found["s2edit"]["kind"]["mood"].cases == 1
    assert found["s2edit"]["all"].untouched == 0
    told = tables.markdown(scores)
    assert "| inpaint | 10 | 50 [20, 80] | 0.00 [0.00, 0.00] |" in told
    assert "s2edit, by size" in told
    assert "by size" not in tables.markdown(scores, parts=False)


def test_a_score_that_a_kill_cut_short_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / SCORES).write_text('{"case": "tuning-000", "meth', "utf-8")
    assert load(tmp_path, KeeperScore) == []
