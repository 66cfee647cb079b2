"""What the engine keeps between edits of a picture, and what makes it learn or invert anew."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from s2edit.engine import EditRequest, Engine, ObjectSpec

Array = np.ndarray[Any, Any]


def test_same_request_same_pixels(engine: Engine, request_: EditRequest, tiny_folder: Path, tmp_path: Path) -> None:
    """Made, found in memory, found on disk, and made by another engine: always the same."""
    results = [engine.edit(request_), engine.edit(request_)]
    results.append(Engine(tiny_folder, device="cpu", cache_dir=tmp_path / "cache").edit(request_))
    results.append(Engine(tiny_folder, device="cpu").edit(request_))
    found = [result.record["cached"]["identity"] for result in results]
    assert found == [False, True, True, False]
    assert np.array_equal(results[1].patch, results[0].patch)
    for result in results[2:]:
        # Another load puts the weights elsewhere in memory, which may round the last bit of a sum another way.
        assert np.abs(result.patch.astype(int) - results[0].patch).max() <= 1
        assert np.array_equal(result.alpha, results[0].alpha)


def test_next_target_reuses_identity_and_inversion(
    engine: Engine, request_: EditRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = engine.edit(request_)
    monkeypatch.setattr(engine._loaded().checkpoint, "latent_moments", None)  # the picture is not encoded again
    second = engine.edit(dataclasses.replace(request_, target="a lady with a beard"))
    assert second.record["cached"] == {"identity": True, "inversion": True}
    assert second.record["unet_forwards"]["identity"] == second.record["unet_forwards"]["inversion"] == 0
    assert not np.array_equal(first.patch, second.patch)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 6},
        {"source": "a young lady", "target": "a young lady with a hat"},
        {"settings": {"identity.steps": 3}},
        {"settings": {"identity.semantic_weight": 0.2}},
        {"mask": True},
        {"image": True},
    ],
    ids=["seed", "prompt", "steps", "weight", "mask", "image"],
)
def test_anything_else_is_learned_anew(engine: Engine, request_: EditRequest, change: dict[str, Any]) -> None:
    engine.edit(request_)
    if "settings" in change:
        change = {"settings": request_.settings.replace_from(change["settings"])}
    elif "mask" in change:
        mask = request_.objects[0].mask
        assert mask is not None
        change = {"objects": (ObjectSpec("lady", np.roll(mask, 3)),)}
    elif "image" in change:
        change = {"image": request_.image ^ 1}
    again = engine.edit(dataclasses.replace(request_, **change))
    assert again.record["cached"] == {"identity": False, "inversion": False}


def test_guidance_retrains_nothing_but_null_text_inverts_anew(engine: Engine, request_: EditRequest) -> None:
    engine.edit(request_)
    settings = request_.settings.replace_from({"edit.guidance": 3.0})
    assert engine.edit(dataclasses.replace(request_, settings=settings)).record["cached"]["inversion"]
    null = settings.replace_from({"inversion.mode": "null_text", "inversion.inner_steps": 1})
    assert not engine.edit(dataclasses.replace(request_, settings=null)).record["cached"]["inversion"]
    other = null.replace_from({"edit.guidance": 4.0})
    found = engine.edit(dataclasses.replace(request_, settings=other)).record["cached"]
    assert found == {"identity": True, "inversion": False}


def test_a_part_of_what_was_learned_is_taken_without_learning_again(
    engine: Engine, request_: EditRequest, tiny_folder: Path, tmp_path: Path
) -> None:
    """The same pixels whether the part was asked for first or later, in another process or in this one."""

    def at(strength: float, engine: Engine = engine) -> tuple[Array, dict[str, bool]]:
        settings = request_.settings.replace_from({"identity.strength": strength})
        result = engine.edit(dataclasses.replace(request_, settings=settings))
        return result.patch, result.record["cached"]

    first, _ = at(0.5)
    whole, found = at(1)
    assert found == {"identity": True, "inversion": False}
    assert not np.array_equal(first, whole)
    again, found = at(0.5)
    assert found == {"identity": True, "inversion": True}
    other = Engine(tiny_folder, device="cpu", cache_dir=tmp_path / "other", threads=1)
    then, found = at(1, other)
    assert not found["identity"]
    recalled, found = at(0.5, other)
    assert found["identity"]
    other.unload()
    for patch, wanted in ((again, first), (then, whole), (recalled, first)):
        assert np.array_equal(patch, wanted)


def test_nothing_is_learned_of_which_no_part_is_taken(engine: Engine, request_: EditRequest) -> None:
    settings = request_.settings.replace_from({"identity.strength": 0})
    result = engine.edit(dataclasses.replace(request_, settings=settings))
    assert "identity" not in result.record["unet_forwards"] or not result.record["unet_forwards"]["identity"]
    assert not engine.edit(request_).record["cached"]["identity"]


def test_torn_cache_is_rebuilt(engine: Engine, request_: EditRequest, tiny_folder: Path, tmp_path: Path) -> None:
    first = engine.edit(request_)
    for file in (tmp_path / "cache").glob("*.safetensors"):
        file.write_bytes(file.read_bytes()[:-7])
    second = Engine(tiny_folder, device="cpu", cache_dir=tmp_path / "cache").edit(request_)
    assert second.record["cached"] == {"identity": False, "inversion": False}
    assert np.abs(first.patch.astype(int) - second.patch).max() <= 1


def test_another_precision_learns_anew(tiny_folder: Path, tmp_path: Path, request_: EditRequest) -> None:
    for dtype in ("float32", "bfloat16"):
        engine = Engine(tiny_folder, device="cpu", dtype=dtype, cache_dir=tmp_path / "cache")
        assert engine.edit(request_).record["cached"] == {"identity": False, "inversion": False}


def test_full_disk_costs_only_the_cache(engine: Engine, request_: EditRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert engine.edit(request_).alpha.any()


# Of 4 steps: with null-text the source's latents are known, so its row runs only in the 3 steps of injection. With npi
# its unconditional row would be the conditional one again.
