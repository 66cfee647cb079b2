"""Renderer, attributes, captions: deterministic, one change at a time, and truthful."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from s2edit.research.starter.attributes import (
    BACKGROUNDS,
    TRAINING_SEED_LIMIT,
    VALUES,
    Portrait,
    sample_attributes,
    visible,
)
from s2edit.research.starter.captions import caption
from s2edit.research.starter.renderer import render, sample_portrait

FRESH = range(TRAINING_SEED_LIMIT, TRAINING_SEED_LIMIT + 300)


def _changed(before: Portrait, **changes: str) -> np.ndarray:
    """Where the picture differs, as fractions (rows, columns) of changed pixels' positions."""
    difference = np.abs(render(before).astype(int) - render(before.change(**changes))).max(axis=2)
    return np.argwhere(difference > 8) / 128


def test_same_seed_same_picture_and_other_seed_another() -> None:
    first, portrait = sample_portrait(TRAINING_SEED_LIMIT)
    again, same = sample_portrait(TRAINING_SEED_LIMIT)
    assert portrait == same
    assert np.array_equal(first, again)
    assert not np.array_equal(first, sample_portrait(TRAINING_SEED_LIMIT + 1)[0])


def test_vectors_render_at_any_size() -> None:
    portrait = sample_attributes(TRAINING_SEED_LIMIT + 2)
    large = render(portrait, 512)
    assert large.shape == (512, 512, 3)
    shrunk = large.reshape(128, 4, 128, 4, 3).mean(axis=(1, 3))
    assert np.abs(shrunk - render(portrait)).mean() < 4
    with pytest.raises(ValueError, match="16 to 8192"):
        render(portrait, 9000)


@pytest.mark.parametrize(
    ("changes", "rows", "columns"),
    [
        ({"accessory": "glasses"}, (0.3, 0.6), (0.2, 0.8)),
        ({"accessory": "sunglasses"}, (0.3, 0.6), (0.2, 0.8)),
        ({"facial_hair": "beard"}, (0.35, 0.8), (0.25, 0.75)),
        ({"mood": "sad"}, (0.25, 0.75), (0.25, 0.75)),
        ({"clothes_color": "red"}, (0.6, 1.0), (0.0, 1.0)),
        ({"hair_color": "pink"}, (0.0, 0.5), (0.2, 0.8)),
    ],
)
def test_one_change_stays_in_its_region(
    changes: dict[str, str], rows: tuple[float, float], columns: tuple[float, float]
) -> None:
    where = _changed(Portrait(scene=7), **changes)
    assert len(where) > 10, "the change must be seen"
    low, high = where.min(axis=0), where.max(axis=0)
    assert rows[0] <= low[0]
    assert high[0] <= rows[1]
    assert columns[0] <= low[1]
    assert high[1] <= columns[1]


def test_background_changes_behind_the_person_only() -> None:
    before, after = Portrait(background="blue", scene=3), Portrait(background="yellow", scene=3)
    difference = np.abs(render(before).astype(int) - render(after)).max(axis=2)
    assert difference[:20, :20].min() > 8
    assert difference[60:75, 55:72].max() == 0


def test_backgrounds_keep_their_order_of_paint() -> None:
    """A drawn wall is nearer to its own named colour than to any other, for nearly all scenes."""
    hits = []
    for scene in range(60):
        name = list(BACKGROUNDS)[scene % len(BACKGROUNDS)]
        corner = render(Portrait(background=name, scene=scene))[:24, :24].reshape(-1, 3).mean(axis=0)
        paints = {
            key: np.array([int(value[at : at + 2], 16) for at in (1, 3, 5)]) for key, value in BACKGROUNDS.items()
        }
        hits.append(min(paints, key=lambda key: float(np.abs(paints[key] - corner).sum())) == name)
    assert np.mean(hits) > 0.9


def test_unknown_value_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="accessory cannot be 'monocle'; choose one of: none, glasses"):
        Portrait(accessory="monocle")


def test_wayfarers_are_sunglasses() -> None:
    """Both drawings of sunglasses have dark lenses, both of glasses let the skin through."""
    for variant in range(0, 1 << 10, 37):
        face = Portrait(skin="pale", variant=variant)
        lens = {
            kind: render(face.change(accessory=kind), 256)[112:132, 92:116].mean() for kind in ("glasses", "sunglasses")
        }
        assert lens["sunglasses"] < 110 < lens["glasses"]


def test_captions_claim_only_what_is_seen() -> None:
    negatives = {"accessory": ("glasses", "sunglasses", "eyepatch"), "facial_hair": ("beard", "moustache")}
    for seed in FRESH:
        portrait = sample_attributes(seed)
        text = f" {caption(portrait, np.random.default_rng(seed))} ".replace(",", " ")
        for field, words in negatives.items():
            for word in words:
                assert f" {word} " not in text or word in getattr(portrait, field), text
        for word in VALUES["mood"]:
            assert f" {word} " not in text or portrait.mood == word, text
        assert " hair " not in text or "hair" in visible(portrait), text
        assert " hat " not in text or portrait.hat != "none", text
        assert " background " not in text or f"{portrait.background} background" in text, text


def test_full_caption_names_every_visible_part() -> None:
    portrait = Portrait(person="woman", hair="curly", hair_color="red", accessory="glasses", background="green")
    assert caption(portrait) == (
        "a smiling woman with red curly hair, glasses and pale skin, wearing a blue t-shirt on a green background"
    )
    assert caption(portrait, mention={"mood", "accessory", "hair"}) == "a smiling woman with red curly hair and glasses"
    assert caption(Portrait(hair="bald", mood="angry"), mention={"mood", "hair"}) == "an angry bald man"


def test_every_value_is_drawn_often_enough() -> None:
    portraits = [sample_attributes(seed) for seed in range(2000)]
    for field, values in VALUES.items():
        drawn = [getattr(portrait, field) for portrait in portraits]
        assert all(drawn.count(value) >= 30 for value in values), field


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, s2edit.research.starter as s; s.Portrait(); "
        "print([m for m in ('torch', 'python_avatars', 'resvg_py', 'transformers') if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert answer.stdout.strip() == "[]"
