"""Profiles and overrides; errors name the setting."""

from __future__ import annotations

import json

import pytest

from s2edit.errors import SettingError
from s2edit.settings import Settings, profile


def test_profiles() -> None:
    faithful, balanced, fast = (profile(name) for name in ("faithful", "balanced", "fast"))
    assert (faithful.identity.steps, faithful.identity.learning_rate) == (200, 2e-6)
    assert (faithful.inversion.mode, faithful.inversion.steps) == ("null_text", 50)
    assert balanced.inversion.mode == "direct"
    assert fast.identity.steps < balanced.identity.steps
    assert fast.inversion.steps < balanced.inversion.steps
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
