"""The shipped attribute classifiers, on portraits and robots that no training has seen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from s2edit.research.starter.attributes import TRAINING_SEED_LIMIT, VALUES, Portrait
from s2edit.research.starter.classifier import classify, propose_caption
from s2edit.research.starter.portraits import PORTRAITS
from s2edit.research.starter.renderer import render
from s2edit.research.starter.robots import ROBOTS
from s2edit.research.training import dataset, train_classifier

if TYPE_CHECKING:
    from pathlib import Path

    from s2edit.research.starter.domain import Domain

FIRST = TRAINING_SEED_LIMIT + 20_000


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def _right(world: Domain[Any], count: int) -> dict[str, float]:
    """Share of right answers on fresh pictures by `classify`, for each field that they show."""
    right: dict[str, list[bool]] = {}
    for seed in range(FIRST, FIRST + count):
        picture, thing = world.picture(seed)
        seen = classify(picture, world)
        for name in world.visible(thing):
            right.setdefault(name, []).append(seen.get(name) == getattr(thing, name))
    return {name: float(np.mean(hits)) for name, hits in right.items()}


def test_it_reads_fresh_portraits() -> None:
    shares = _right(PORTRAITS, 80)
    del shares["person"]  # a guess: the drawings show no difference but hair and beard
    for name in ("accessory", "facial_hair", "hat", "hair_color", "skin", "background", "mood"):
        assert shares[name] >= 0.9, shares
    assert np.mean(list(shares.values())) >= 0.93, shares


def test_it_reads_fresh_robots() -> None:
    shares = _right(ROBOTS, 60)
    assert shares.keys() == ROBOTS.values.keys(), "a robot hides nothing"
    assert min(shares.values()) >= 0.9, shares
    assert np.mean(list(shares.values())) >= 0.97, shares


def test_it_reads_any_size() -> None:
    portrait = Portrait(accessory="sunglasses", background="green", scene=5)
    for size in (64, 128, 300, 512):
        seen = classify(render(portrait, size))
        assert seen["accessory"] == "sunglasses", size
        assert seen["background"] == "green", size
        assert seen.keys() <= VALUES.keys()
        assert "eyes" not in seen, "eyes behind dark lenses are not to be seen"


def test_it_proposes_a_source_prompt() -> None:
    portrait = Portrait(person="woman", hair="curly", hair_color="red", accessory="glasses", mood="smiling", scene=2)
    assert propose_caption(render(portrait)) == "a smiling woman with red curly hair and glasses"


def test_other_arrays_are_refused_in_words() -> None:
    with pytest.raises(ValueError, match=r"reads \(H, W, 3\) uint8 pictures"):
        classify(np.zeros((64, 64), dtype=np.uint8))


def test_another_domain_has_a_classifier_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (dataset, train_classifier):
        monkeypatch.setattr(module, "SHARD", 4)
    monkeypatch.setattr(train_classifier, "_BATCH", 4)
    own = replace(ROBOTS, classifier=tmp_path / "own.safetensors")
    robot, _ = own.picture(FIRST)
    with pytest.raises(FileNotFoundError, match="training --domain robots classifier"):
        classify(robot, own)
    dataset.build(tmp_path, 1, name="robots")
    assert train_classifier.train_classifier(tmp_path, own, shards=1, steps=30, seed=4)["step"] == 30
    assert own.classifier.exists()
    assert classify(robot, own).keys() == ROBOTS.values.keys()
    known = train_classifier.accuracy(own, count=4, first_seed=0)
    assert known["color"] >= 0.5, "four robots seen thirty times"
    assert propose_caption(robot, own).split()[-1] in ROBOTS.words()
