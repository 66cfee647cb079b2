"""The trainer's command line: what is typed reaches the stage, with the domain's own folder."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from typer.testing import CliRunner

from s2edit.research.starter.domain import domain
from s2edit.research.starter.robots import ROBOTS
from s2edit.research.training import __main__ as train
from s2edit.research.training import dataset, train_classifier, train_unet, train_upscaler, train_vae
from s2edit.research.training.whole import Amounts

if TYPE_CHECKING:
    from pathlib import Path


def _type(*words: str) -> str:
    told = CliRunner().invoke(train.app, list(words))
    assert told.exit_code == 0, told.output
    return told.output


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The trainer's folder, for this test alone."""
    monkeypatch.setenv("S2EDIT_TRAINING", str(tmp_path))
    return tmp_path


def test_a_domain_has_a_folder_of_its_own(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "SHARD", 2)
    _type("--domain", "robots", "pictures", "--shards", "1")
    assert np.array_equal(np.load(home / "robots" / "pictures" / "0000.npy")[1], ROBOTS.picture(1)[0])
    refused = CliRunner().invoke(train.app, ["--domain", "cats", "pictures"])
    assert refused.exit_code == 2
    assert list(home.iterdir()) == [home / "robots"]


@pytest.mark.parametrize(
    ("stage", "module", "function", "more"),
    [
        ("vae", train_vae, "train_vae", {}),
        ("refine", train_vae, "train_on", {"with_encoder": True}),
        ("decoder", train_vae, "train_on", {"with_encoder": False}),
        ("unet", train_unet, "train_unet", {}),
        ("classifier", train_classifier, "train_classifier", {}),
        ("upscaler", train_upscaler, "train_upscaler", {}),
    ],
)
def test_every_stage_is_told_what_was_typed(
    stage: str, module: Any, function: str, more: dict[str, Any], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    monkeypatch.setattr(module, function, lambda *where, **limits: calls.append((where, limits)))
    monkeypatch.setattr(train_classifier, "accuracy", lambda _domain, _count: {"color": 0.75})
    for name, folder in (("portraits", home), ("robots", home / "robots")):
        _type("--domain", name, stage, "--shards", "3", "--steps", "70", "--minutes", "2", "--seed", "8")
        (where, limits) = calls.pop()
        assert where == ((folder, domain(name)) if stage in {"unet", "classifier"} else (folder,))
        assert limits == {"shards": 3, "steps": 70, "seconds": 120, "seed": 8, **more}


def test_the_classifiers_accuracy_is_told_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    shares = {(ROBOTS.name, 9): {"color": 0.75}}
    monkeypatch.setattr(train_classifier, "accuracy", lambda domain, count: shares[domain.name, count])
    assert _type("--domain", "robots", "accuracy", "--count", "9").split() == ["color", "0.750"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["unet", "--minutes", "nan"], "a number above 0"),
        (["vae", "--minutes", "-1"], "a number above 0"),
        (["vae", "--steps", "0"], "--steps"),
        (["decoder", "--shards", "0"], "--shards"),
        (["latents", "--threads", "0"], "--threads"),
        (["assess", "--count", "0"], "--count"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(words: list[str], told: str, home: Path) -> None:
    refused = CliRunner().invoke(train.app, words)
    assert refused.exit_code == 2
    assert told in " ".join(refused.output.replace("│", " ").split()), "a frame is drawn around it"
    assert not list(home.iterdir())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["vae"], "the trainer's stage “pictures” makes it"),
        (["latents"], "stage “vae”"),
        (["unet"], "stage “latents”"),
        (["decoder"], "stage “latents”"),
        (["latents", "--adopt"], "stage “latents”"),
        (["export", "--target", "out"], "stage “unet”"),
        (["upscaler"], "stage “pairs”"),
        (["export-upscaler", "--target", "out"], "stage “upscaler”"),
        (["pairs", "--model", "none"], "training export"),
        (["assess-upscaler", "--model", "none"], "training export"),
        (["assess", "--model", "none"], "training export"),
        (["--domain", "robots", "warm", "--checkpoint", "none"], "holds no checkpoint"),
    ],
)
def test_a_stage_too_early_says_which_comes_before(
    words: list[str], told: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    refused = CliRunner().invoke(train.app, words)
    assert refused.exit_code == 1
    assert told in refused.output
    assert isinstance(refused.exception, SystemExit), "an error of Python's would print where in the code it was"


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "find_spec", lambda module: None if module == "resvg_py" else module)
    refused = CliRunner().invoke(train.app, ["pictures"])
    assert refused.exit_code == 1
    assert "needs resvg-py. Run: pip install 's2edit[starter]'" in refused.output


def test_a_full_disk_says_what_to_do(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(home))

    monkeypatch.setattr(dataset, "build", full)
    refused = CliRunner().invoke(train.app, ["pictures"])
    assert refused.exit_code == 1
    assert "No space left" in refused.output
    assert "run the same command again" in refused.output


def test_everything_is_told_how_much(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def whole(folder: Path, world: Any, target: Path, amounts: Amounts, *, seconds: float) -> list[str]:
        calls.append((folder, world.name, target.name, amounts, seconds))
        return ["Told."]

    monkeypatch.setattr("s2edit.research.training.whole.train_whole", whole)
    words = ["--shards", "3", "--autoencoder-steps", "7", "--unet-steps", "9", "--minutes", "2"]
    assert _type("--domain", "robots", "all", *words) == "Told.\n"
    assert calls == [(home / "robots", "robots", "weights", Amounts(3, 7, 9), 120)]
