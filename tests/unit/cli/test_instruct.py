"""`s2edit edit --instruct` against a real daemon and worker, with a tiny instruction model."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import pyvips
from s2edit_cli.main import main

from tests.fakes.daemon import RunningDaemon
from tests.fakes.distorted import PHOTOGRAPHS
from tests.fakes.tiny_klein import build_klein_edit
from tests.unit.cli.test_end_to_end import said

PHOTOGRAPH = PHOTOGRAPHS / "astronaut.jpg"
MODEL = ["--model", "import-klein"]
INSTRUCT = ["--instruct", "add sunglasses"]


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDaemon]:
    model = build_klein_edit(tmp_path_factory.mktemp("own") / "klein")
    with tempfile.TemporaryDirectory(prefix="s2i") as folder:
        running = RunningDaemon(Path(folder), worker=None)
        (Path(folder) / "weights").mkdir()
        (Path(folder) / "weights" / "imports.json").write_text(json.dumps({"paths": [str(model)]}))
        with running:
            yield running


@pytest.fixture(autouse=True)
def this_daemon(daemon: RunningDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2EDIT_HOME", str(daemon.folder))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture
def mask(tmp_path: Path) -> Path:
    marked = np.zeros((256, 256), np.uint8)
    marked[60:120, 80:170] = 255
    pyvips.Image.new_from_array(marked).pngsave(str(tmp_path / "mask.png"))
    return tmp_path / "mask.png"


def test_one_sentence_changes_nothing_outside_the_mask(
    mask: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.png"
    words = ["edit", str(PHOTOGRAPH), "-o", str(out), *MODEL, *INSTRUCT, "--mask", str(mask), "--json"]
    assert main([*words, "--reference", str(PHOTOGRAPHS / "rocket.jpg"), "--reference", str(PHOTOGRAPH)]) == 0
    told = said(capsys)
    assert told["record"]["engine"] == "instruct" and told["record"]["references"] == 2
    assert "could not be laid over" in told["remark"]
    before, after = (pyvips.Image.new_from_file(str(path)).numpy() for path in (PHOTOGRAPH, out))
    differs = (before != after[..., :3]).any(axis=2)
    outside = pyvips.Image.new_from_file(str(mask)).numpy().reshape(256, 256) == 0
    assert differs.any() and not differs[outside].any()
    assert b"compositeWithTrainedAlgorithmicMedia" in out.read_bytes()


@pytest.mark.parametrize(
    ("more", "code", "says"),
    [
        ([*INSTRUCT, "--source", "a man"], 2, "--source can't go with it"),
        (["--source", "a man"], 2, "Missing option “--target”"),
        ([*INSTRUCT, "--mask", "a.png", "--edit-mask", "b.png"], 2, "one mask"),
        (["--source", "a", "--target", "b", "--object", "a", "--reference", "a.png"], 2, "goes with --instruct"),
        ([*INSTRUCT, *["--reference", "a.png"] * 4], 2, "too many"),
        (["--instruct", " "], 3, "instruction is empty"),
        ([*INSTRUCT, "--model", "portraits"], 3, "takes no instruction"),
        (["--source", "a man", "--target", "a man with a hat", "--object", "man", *MODEL], 3, "one instruction"),
    ],
)
def test_what_does_not_go_together(
    more: list[str], code: int, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = [] if "--model" in more else MODEL
    assert main(["edit", str(PHOTOGRAPH), "-o", str(tmp_path / "out.png"), *model, *more]) == code
    printed = capsys.readouterr()
    assert says in " ".join((printed.out + printed.err).split())
    assert not (tmp_path / "out.png").exists()
