"""Profiles and overrides; errors name the setting."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from s2edit.errors import SettingError
from s2edit.profiles import profile, recommended_by
from s2edit.settings import Settings


def test_profiles() -> None:
    faithful, balanced, fast = (profile(name) for name in ("faithful", "balanced", "fast"))
    assert (faithful.identity.steps, faithful.identity.learning_rate) == (200, 2e-6)
    assert (faithful.inversion.mode, faithful.inversion.steps) == ("null_text", 50)
    assert balanced.inversion.mode == "direct"
    assert fast.identity.steps < balanced.identity.steps
    assert fast.inversion.steps < balanced.inversion.steps
    instant = profile("instant", {"identity": {"steps": 16}, "edit": {"cross_replace": 1}, "guidance": 4})
    assert not instant.identity.enabled
    assert (instant.inversion.mode, instant.edited_in, instant.edit.guidance) == ("direct", 3, 4)
    assert (balanced.edited_in, instant.replace_from({"inversion.steps": 2}).edited_in) == (50, 2)
    with pytest.raises(SettingError, match="best"):
        profile("best")


def test_recommended() -> None:
    recommended = {
        "identity": {"steps": 150, "learning_rate": 1e-5},
        "guidance": 4,
        "native_size": 128,
        "self_replace_max_queries": 64,
        "blend": {"feather": 4},
        "prompt_examples": ["a man"],
        "profiles": {"fast": {"inversion.steps": 10}},
    }
    found = profile("balanced", recommended)
    assert (found.identity.steps, found.edit.guidance, found.native_size, found.blend.feather) == (150, 4.0, 128, 4.0)
    assert profile("fast", recommended).inversion.steps == 10


def test_faithful_is_the_paper_whatever_is_recommended() -> None:
    """Section 4.1: 200 steps, λ 0.1, all parameters, T 50; only the rate, w and sizes are the weights' own."""
    paper = profile("faithful")
    found = profile(
        "faithful",
        {
            "identity": {"steps": 60, "learning_rate": 1e-5, "semantic_weight": 1, "spatial": False, "level": "lora"},
            "inversion": {"steps": 20, "mode": "npi", "inner_steps": 1},
            "edit": {"self_replace": 0.2, "local_blend": False},
            "blend": {"context": 4},
            "guidance": 4,
            "native_size": 128,
            "profiles": {"faithful": {"identity.steps": 9, "inversion.mode": "direct", "edit.map_stride": 1}},
        },
    )
    assert (found.identity.learning_rate, found.edit.guidance, found.native_size) == (1e-5, 4.0, 128)
    assert (found.edit.self_replace, found.edit.map_stride, found.blend.context) == (0.2, 1, 4.0)
    assert replace(found.identity, learning_rate=paper.identity.learning_rate) == paper.identity
    assert found.inversion == paper.inversion
    assert found.edit.local_blend


def test_what_a_maker_recommends_is_read_beside_the_weights(tmp_path: Path) -> None:
    assert recommended_by(tmp_path) == {}
    (tmp_path / "recommended.json").write_text('{"guidance": 3.5}')
    assert recommended_by(tmp_path) == recommended_by(tmp_path / "one.safetensors") == {"guidance": 3.5}
    for bad in ("{", "[]", '{"blend": 4}', "\ud800"):
        (tmp_path / "recommended.json").write_text(bad, encoding="utf-8", errors="surrogatepass")
        with pytest.raises(SettingError, match=r"recommended\.json"):
            recommended_by(tmp_path)


def test_names_and_values_can_be_taken_back() -> None:
    settings = profile("fast", {"native_size": 128, "blend": {"context": 4}})
    named = settings.by_name()
    assert (named["blend.context"], named["native_size"], named["inversion.steps"]) == (4.0, 128, 20)
    assert Settings().replace_from(named) == settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("edit.guidance", "high"),
        ("edit.guidance", True),
        ("edit.guidance", float("nan")),
        ("edit.guidance", -1),
        ("edit.cross_replace", 1.5),
        ("identity.steps", 2.5),
        ("identity.level", "none"),
        ("inversion.mode", 3),
        ("inversion.steps", 101),
        ("edit.emphasize", 2),
        ("edit.emphasize.hat", 1000),
        ("edit.guidance.hat", 2),
        ("edit.nothing", 2),
        ("nothing", 2),
        ("edit", 2),
        ("validate", 2),
        ("edit.validate", 2),
        ("edit.__class__", 2),
        ("native_size", 3),
        ("edit.map_stride", 3),
    ],
)
def test_wrong_overrides_name_the_setting(name: str, value: object) -> None:
    with pytest.raises(SettingError) as caught:
        Settings().replace_from({name: value})
    assert f"“{name}" in str(caught.value)


def test_overrides() -> None:
    found = Settings().replace_from({"edit.guidance": 5, "edit.emphasize.beard": 2, "blend.colour_match": False})
    assert found.edit.guidance == 5.0
    assert found.edit.emphasize == {"beard": 2.0}
    assert found.blend.colour_match is False
    assert Settings().edit.emphasize == {}
    assert json.loads(json.dumps(found.as_dict()))["edit"]["emphasize"] == {"beard": 2.0}
