"""The harness from the command to the page, with steps too few for good edits: what is made, kept, shared and shown."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image
from s2edit_cli.main import main as s2edit

from s2edit.picture.compositing import closed
from s2edit.profiles import profile
from s2edit.research.evaluation import bench, curves, records, runner
from s2edit.research.evaluation.__main__ import main
from s2edit.research.evaluation.cases import Case, cases
from s2edit.research.evaluation.methods import METHODS, at_scale, chosen, scale_of
from s2edit.research.evaluation.page import OVERVIEW
from s2edit.research.evaluation.tables import PAIRED, methods_of
from s2edit.research.starter import recommended
from s2edit.settings import Settings
from tests.fakes.tiny import one_thread

__all__ = ["one_thread"]

METHODS_RUN = "s2edit,ift,sine,direct+p2p,ddim+p2p,nti+p2p,sdedit,inpaint"
FEW = ["--portraits", "1", "--edits", "2"]
FEW += ["--set", "inversion.steps=3", "--set", "identity.steps=2", "--set", "edit.attempts=1"]


def command(out: Path) -> list[str]:
    return ["run", "--subset", *FEW, "--methods", METHODS_RUN, "--sweep", "6", "--device", "cpu", "--out", str(out)]


@pytest.mark.parametrize("words", [[], ["run"], ["score"], ["keepers", "run"]])
def test_help_is_laid_out_like_the_other_commands(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*words, "--help"])
    shown = capsys.readouterr().out
    assert ended.value.code == 0
    assert f"Usage: {' '.join(['s2edit', 'bench', *words])} [OPTIONS]" in shown
    assert "─ Options ─" in shown and ("─ Commands ─" in shown) == (not words) and "--help, -h" in shown
    assert ("[required]" in shown) == bool(words)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bench")
    assert main(command(out)) == 0
    return out


@pytest.fixture(scope="module")
def scores(folder: Path) -> dict[tuple[str, str], bench.Score]:
    return {(score.method, score.case): score for score in bench.load(folder)}


@pytest.fixture(scope="module")
def pair() -> list[Case]:
    return list(cases(1, 2))


def test_every_planned_edit_has_a_score_and_a_picture(
    folder: Path, scores: dict[tuple[str, str], bench.Score], pair: list[Case]
) -> None:
    names = [*METHODS_RUN.split(","), "s2edit@6", "direct+p2p@6"]
    expected = {(name, case.id) for name in names for case in pair if case.painted or name != "inpaint"}
    assert scores.keys() == expected
    for (method, case), score in scores.items():
        path = folder / method / f"{case}.png"
        assert path.is_file() != bool(score.error)
        if not score.error:
            with Image.open(path) as picture:
                assert picture.size == (128, 128)
    assert sum(not score.error for score in scores.values()) >= 12


def test_a_painted_mask_leaves_the_rest_of_the_picture_alone(folder: Path, pair: list[Case]) -> None:
    painted = [case for case in pair if case.mask is not None]
    assert painted
    close = profile("balanced", recommended()).blend.close
    for case in painted:
        with Image.open(folder / "inpaint" / f"{case.id}.png") as picture:
            found = np.asarray(picture)
        assert case.mask is not None
        outside = ~closed(case.mask > 127, close)
        assert np.array_equal(found[outside], case.image[outside])
        assert not np.array_equal(found, case.image)


def test_an_automatic_mask_is_kept_and_shown(folder: Path, pair: list[Case]) -> None:
    for case in pair:
        kept, shown = folder / "s2edit" / f"{case.id}.mask.png", folder / "cases" / f"{case.id}.mask.png"
        assert kept.is_file() != case.painted
        with Image.open(shown) as opened:
            mask = np.asarray(opened)[..., 0]
        if case.mask is not None:
            assert np.array_equal(mask, case.mask)
            continue
        with Image.open(kept) as opened:
            assert np.array_equal(mask, np.asarray(opened))
        with Image.open(folder / "s2edit" / f"{case.id}.png") as opened:
            assert np.array_equal(np.asarray(opened)[mask == 0], case.image[mask == 0]), "nothing changes outside of it"


def test_a_first_edit_costs_what_a_next_one_reuses(
    scores: dict[tuple[str, str], bench.Score], pair: list[Case]
) -> None:
    made = [scores["s2edit", case.id] for case in pair if not scores["s2edit", case.id].error]
    for score in made:
        # The mask's 7 passes, two steps of a forward and a backward pass on two rows (of the prompt and the empty one),
        # and three of inversion.
        assert score.first_forwards - score.forwards == 7 + 2 * 2 * 3 + 3
        assert score.forwards <= 3 * 3
        assert score.first_seconds > score.seconds > 0
    for case in pair:
        sdedit = scores["sdedit", case.id]
        assert sdedit.first_forwards == sdedit.forwards == 2 + 1, "of three steps the last two, the last unguided"


def test_the_same_command_makes_nothing_twice_and_what_was_cut_anew(
    folder: Path, pair: list[Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = (folder / records.SCORES).read_text()
    lines = whole.splitlines(keepends=True)
    last = json.loads(lines[-1])
    (folder / records.SCORES).write_text("".join(lines[:-1]) + lines[-1][:30])
    attempts: list[tuple[str, str]] = []
    attempt = runner._attempt

    def counted(workbench: object, case: Case, method: object, *others: object) -> bench.Score:
        attempts.append((case.id, method.name))  # type: ignore[attr-defined]
        return attempt(workbench, case, method, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(runner, "_attempt", counted)
    assert main(command(folder)) == 0
    assert attempts == [(last["case"], last["method"])]
    again = bench.load(folder)
    assert len(again) == len(lines)
    assert again[-1].psnr_inside == last["psnr_inside"]


def test_a_folder_of_another_run_is_not_gone_on_with(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (folder / records.SCORES).read_bytes()
    assert main([*command(folder), "--guidance", "9"]) == 2
    assert "another settings" in capsys.readouterr().err
    assert (folder / records.SCORES).read_bytes() == before


def test_a_checkpoint_that_is_not_there_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, missing = tmp_path / "out", tmp_path / "none"
    assert main(["run", "--domain", "robots", *FEW, "--checkpoint", str(missing), "--out", str(out)]) == 2
    assert "no checkpoint" in (told := capsys.readouterr().err)
    assert "--checkpoint" in told
    # A package: the domain is there, at most its settings beside it, but not its weights.
    missing.mkdir()
    (missing / "recommended.json").write_text("{}")
    monkeypatch.setattr("s2edit.research.starter.package.weights_folder", lambda _name: missing)
    assert main(["run", "--domain", "robots", *FEW, "--out", str(out)]) == 2
    assert "checkpoint of robots is not in this installation" in (told := capsys.readouterr().err)
    assert "s2edit/research/starter/robots/weights" in told
    assert not out.exists()


@pytest.mark.parametrize(
    ("option", "told"),
    [
        (["--device", "moon"], "“moon”"),
        (["--profile", "best"], "Choose one of faithful"),
        (["--set", "identity.steps=many"], "identity.steps"),
        (["--sweep", "nan"], "edit.guidance"),
    ],
)
def test_what_can_t_be_run_is_told_and_leaves_nothing(
    option: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["run", *FEW, "--methods", "s2edit", *option, "--out", str(out)]) == 2
    assert told in capsys.readouterr().err
    assert not out.exists()


def test_the_page_shows_all_of_it_and_needs_nothing_but_its_folder(folder: Path) -> None:
    (folder / "index.html").unlink()
    assert main(["report", "--out", str(folder)]) == 0
    page = (folder / "index.html").read_text("utf-8")
    for name in METHODS_RUN.split(","):
        assert f"<td>{name}<td>" in page
    assert page.count("<svg") == len(PAIRED) + 4, "differences, the trade-off, and three measures over w"
    shown = [unquote(path) for path in re.findall(r'src="([^"]+)"', page)]
    scored = bench.load(folder)
    cases_of_run = {score.case for score in scored}
    assert {f"cases/{case}.{name}.png" for case in cases_of_run for name in ("source", "mask", "truth")} <= {*shown}
    assert {f"{score.method}/{score.case}.png" for score in scored if not score.error and "@" not in score.method} <= {
        *shown
    }
    assert all((folder / path).is_file() for path in shown)
    assert not re.findall(r"(?:href|src|url)\W{1,2}(?:https?:)?//", page), "nothing is fetched from elsewhere"


def test_the_overview_has_two_cases_of_each_kind(
    folder: Path, tmp_path: Path, pair: list[Case], capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "overview.png"
    assert main(["report", "--out", str(folder), "--overview", str(picture)]) == 0
    with Image.open(picture) as grid:
        assert grid.size == ((len(OVERVIEW) + 3) * 134 + 6, len(pair) * 152 + 18)
    empty = tmp_path / "empty"
    empty.mkdir()
    assert main(["report", "--out", str(empty), "--overview", str(picture)]) == 2
    assert "run these methods first" in capsys.readouterr().err


def test_work_is_in_an_order_that_shares_and_can_be_cut() -> None:
    listed = list(cases(3, 2))
    plan = runner.planned(listed, chosen("", [3.0], with_weights=False), others=1)
    seeds = [case.seed for case, _ in plan]
    assert seeds == sorted(seeds)
    for seed in set(seeds):
        names = [method.name for case, method in plan if case.seed == seed]
        assert names == sorted(names, key=names.index)
    later = {method.name for case, method in plan if case.seed != seeds[0]}
    assert later == {name for name, method in METHODS.items() if method.core}
    assert {"faithful", "fast", "s2edit@3", "ledits++"} <= {m.name for case, m in plan if case.seed == seeds[0]}
    assert all(case.painted for case, method in plan if method.name == "inpaint")


def test_parts_make_the_whole() -> None:
    listed, methods = list(cases(5, 2)), chosen("s2edit,ift", [], with_weights=False)
    whole = runner.planned(listed, methods, others=0)
    parts = [runner.planned(listed, methods, others=0, part=(number, 2)) for number in (1, 2)]
    assert all(parts)
    assert sorted((c.id, m.name) for part in parts for c, m in part) == sorted((c.id, m.name) for c, m in whole)


def test_profiles_and_ablations_differ_where_they_should() -> None:
    recommended = {"guidance": 4.0, "identity": {"steps": 30}}

    def settings(name: str) -> Settings:
        return METHODS[name].settings("balanced", recommended, {"edit.self_replace": 0.5})

    full = settings("s2edit")
    assert (full.edit.guidance, full.identity.steps, full.edit.self_replace) == (4.0, 30, 0.5)
    assert settings("faithful").inversion.mode == "null_text"
    assert settings("fast").inversion.steps < full.inversion.steps
    assert not settings("ift+spc").identity.semantic
    assert settings("ift+spc").identity.spatial
    assert not settings("nti+p2p").identity.enabled
    assert at_scale(METHODS["s2edit"], 7).settings("balanced", recommended).edit.guidance == 7


def test_methods_are_named_when_there_is_none() -> None:
    with pytest.raises(ValueError, match="photoshop"):
        chosen("s2edit,photoshop", [], with_weights=False)
    assert "instruct-pix2pix" not in [method.name for method in chosen("", [], with_weights=False)]
    assert "instruct-pix2pix" in [method.name for method in chosen("", [], with_weights=True)]
    assert scale_of("s2edit@3.5") == ("s2edit", 3.5)
    assert scale_of("other@v2") == ("other@v2", None)


def test_curves_join_the_scales_of_one_method_over_common_cases(pair: list[Case]) -> None:
    first, second = pair
    found = [
        bench.judge(first, "s2edit", first.image),
        bench.judge(second, "s2edit", second.truth),
        bench.judge(first, "s2edit@6", first.truth),
        bench.judge(first, "sdedit", first.image),
        bench.judge(second, "inpaint", second.truth),
    ]
    assert methods_of(found) == ["s2edit", "s2edit@6", "sdedit", "inpaint"]
    points = curves.points(found, 4.5)
    assert {(point.method, point.scale) for point in points} == {("s2edit", 4.5), ("s2edit", 6.0), ("sdedit", None)}
    assert next(p for p in points if p.scale == 4.5).values["psnr_outside"].mean == found[0].psnr_outside
    assert {point.cases for point in points} == {1}
    chart = curves.over_scale(points, "psnr_inside")
    assert chart.count("<polyline") == 1
    assert "sdedit" not in chart
    assert "sdedit" in curves.trade_off(points)


def test_the_command_line_hands_everything_on(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert s2edit(["bench", "export", "--portraits", "1", "--edits", "2", "--out", str(tmp_path)]) == 0
    listed = json.loads((tmp_path / "cases.json").read_text())
    assert len(listed) == 2
    for entry in listed:
        assert (tmp_path / f"{entry['id']}.source.png").is_file()
        assert entry["instruction"].split()[0] in {"add", "remove", "change"}
        assert entry["object"] in entry["source"].split()
        assert (tmp_path / f"{entry['id']}.mask.png").is_file() == entry["painted"]
    assert "2 cases" in capfd.readouterr().err
    assert s2edit(["bench", "score", "--results", str(tmp_path / "none"), "--out", str(tmp_path)]) == 2
    assert "There is no folder" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("option", "told"),
    [
        (["--portraits", "0"], "no whole number from 1 on"),
        (["--edits", "-1"], "no whole number"),
        (["--threads", "many"], "no whole number"),
        (["--sweep", "3,wide"], "“wide” is no guidance scale"),
        (["--guidance", "high"], "“high” is no guidance scale"),
        (["--part", "3/2"], "“3/2” is no part"),
    ],
)
def test_numbers_are_refused_as_they_are_read(
    option: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["run", *option, "--out", str(tmp_path / "out")])
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_another_system_stands_beside_a_run_s_methods(
    folder: Path, pair: list[Case], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, answers = tmp_path / "run", tmp_path / "other@v2"
    shutil.copytree(folder, run)
    before = bench.load(run)
    answers.mkdir()
    Image.fromarray(pair[0].truth).save(answers / f"{pair[0].id}.png")
    (answers / "notes.txt").write_text("mine")
    assert main(["score", "--results", str(answers), "--out", str(run)]) == 0
    told = capsys.readouterr()
    assert "1 of 2 cases have no picture" in told.err
    assert "such as notes.txt" in told.err
    assert "| other@v2 |" in told.out
    assert "| s2edit |" in told.out
    after = bench.load(run)
    assert after[: len(before)] == before
    assert [score.case for score in after[len(before) :]] == [case.id for case in pair]
    page = (run / "index.html").read_text("utf-8")
    assert f"other%40v2/{pair[0].id}.png" in page
    # Scored again it takes its own place; under the name of one of the run's methods it is refused.
    assert main(["score", "--results", str(answers), "--out", str(run)]) == 0
    assert len(bench.load(run)) == len(after)
    ours = answers.rename(tmp_path / "s2edit")
    assert main(["score", "--results", str(ours), "--out", str(run)]) == 2
    assert "whose scores would be lost" in capsys.readouterr().err
    assert len(bench.load(run)) == len(after)
