"""The trainer's command line: what is typed reaches the stage, with the domain's own folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from typer.testing import CliRunner

from s2edit.starter import dataset, train, train_classifier, train_unet, train_vae
from s2edit.starter.domain import domain
from s2edit.starter.robots import ROBOTS

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
