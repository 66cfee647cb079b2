"""Flow transformers through the engine: three stages for a few steps on a tiny checkpoint, exact outside the mask."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from s2edit.engine import ComposeRequest, EditRequest, EditResult, Engine, ObjectSpec
from s2edit.errors import CheckpointError, SettingError
from s2edit.model.checkpoints import load
from s2edit.model.families import FAMILIES, family_of, multiple_of, native_of
from s2edit.model.flow import FlowCheckpoint
from s2edit.profiles import profile, recommended_by
from s2edit.settings import Settings
from tests.parity.stages_of_sd1 import painted, picture

pytestmark = pytest.mark.usefixtures("no_network")

FEW = {
    "identity.steps": 2,
    "identity.learning_rate": 1e-3,
    "identity.level": "lora",
    "inversion.steps": 3,
    "edit.self_replace_max_queries": 1024,
}


def edited(
    folder: Path, changes: dict[str, Any], *, mask: bool = True, cache: Path | None = None, target: str = "a man"
) -> EditResult:
    objects = (ObjectSpec("lady", painted() if mask else None),)
    settings = Settings().replace_from(FEW | changes)
    request = EditRequest(picture(0), "a lady with a hat", f"{target} with a hat", objects, settings=settings)
    return Engine(folder, device="cpu", cache_dir=cache).edit(request)


@pytest.mark.parametrize(
    "changes",
    [
        {"inversion.mode": "direct"},
        {"inversion.mode": "npi", "edit.guidance_until": 0.5},
        {"identity.rank_by_noise": True, "identity.second_mask": True, "identity.clean_padding": True},
        {"identity.enabled": False, "edit.steps": 2, "blend.detail": True},
        {"inversion.mode": "flowedit"},
    ],
    ids=["direct", "npi", "options", "instant", "flowedit"],
)
def test_three_stages(flow_folder: Path, changes: dict[str, Any]) -> None:
    result = edited(flow_folder, changes)
    inside = painted() > 0
    assert not result.alpha[~inside].any()
    assert result.alpha[inside].any()
    assert result.patch[inside].std() > 0
    learns = changes.get("identity.enabled", True)
    assert result.record["unet_forwards"]["identity"] == (2 if learns else 0)
    assert result.record["unet_forwards"]["inversion"] == (0 if changes.get("inversion.mode") == "flowedit" else 3)


def test_an_object_that_is_not_painted(flow_folder: Path) -> None:
    result = edited(flow_folder, {}, mask=False)
    assert result.object_mask.any()


def test_an_identity_from_the_disk_is_the_one_that_was_learned(tiny_klein_folder: Path, tmp_path: Path) -> None:
    """Factors, rows and how their rank falls; another engine has never seen them."""
    changes = {"identity.rank_by_noise": True}
    first = edited(tiny_klein_folder, changes, cache=tmp_path)
    again = edited(tiny_klein_folder, changes, cache=tmp_path)
    assert again.record["cached"] == {"identity": True, "inversion": True}
    assert np.array_equal(first.patch, again.patch)
    other = edited(tiny_klein_folder, {"identity.rank_by_noise": False}, cache=tmp_path)
    assert not other.record["cached"]["identity"]
    half = edited(tiny_klein_folder, changes | {"identity.strength": 0.5}, cache=tmp_path)
    assert half.record["cached"] == {"identity": True, "inversion": False}
    assert not np.array_equal(half.patch, first.patch)
    # What is learned is small, since the weights stay as they are.
    assert max(file.stat().st_size for file in tmp_path.glob("*.safetensors")) < 300_000


def test_an_engine_goes_back_to_the_published_model(tiny_klein_folder: Path) -> None:
    """After one picture was learned, another one's edit is that of a fresh engine."""
    engine = Engine(tiny_klein_folder, device="cpu")
    settings = Settings().replace_from(FEW)
    for number in (0, 1):
        objects = (ObjectSpec("lady", painted()),)
        request = EditRequest(picture(number), "a lady", "a lady with a hat", objects, settings=settings)
        found = engine.edit(request)
    fresh = Engine(tiny_klein_folder, device="cpu").edit(request)
    assert np.array_equal(found.patch, fresh.patch)


def test_composition(flow_folder: Path) -> None:
    request = ComposeRequest(
        picture(0),
        picture(1),
        "a lady",
        "a model with makeup",
        "a lady with makeup",
        word="lady",
        attribute="makeup",
        mask=painted(),
        reference_mask=painted(),
        settings=Settings().replace_from(FEW),
    )
    result = Engine(flow_folder, device="cpu").compose(request)
    assert np.array_equal(result.alpha > 0, painted() > 0)


@pytest.mark.parametrize(
    ("changes", "said", "instead"),
    [
        ({"inversion.mode": "null_text"}, "predicts noise; FLUX.2 klein does not", "inversion.mode to direct"),
        ({"identity.level": "full"}, "The level “full” is not for FLUX.2 klein", "identity.level to “lora”"),
    ],
)
def test_what_means_nothing_is_refused(
    tiny_klein_folder: Path, changes: dict[str, Any], said: str, instead: str
) -> None:
    with pytest.raises(SettingError, match=said) as caught:
        edited(tiny_klein_folder, changes)
    assert instead in caught.value.hint


def test_the_family_and_what_it_recommends(tiny_klein_folder: Path, tmp_path: Path) -> None:
    assert family_of(tiny_klein_folder) is FAMILIES["klein"]
    assert native_of(tiny_klein_folder) == 64
    assert multiple_of(tiny_klein_folder, FAMILIES["klein"]) == 16
    settings = profile("balanced", recommended_by(tiny_klein_folder))
    assert (settings.identity.level, settings.edit.guidance) == ("lora", 4.0)
    folder = shutil.copytree(tiny_klein_folder, tmp_path / "own")
    (folder / "recommended.json").write_text(json.dumps({"guidance": 3, "identity": {"steps": 7}}))
    settings = profile("balanced", recommended_by(folder))
    assert (settings.identity.level, settings.identity.steps, settings.edit.guidance) == ("lora", 7, 3)


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        ("model_index.json", {"is_distilled": True}, "is distilled to a few steps"),
        ("transformer/config.json", {"guidance_embeds": True}, "is not of the .* FLUX.2 klein or Z-Image kind"),
        ("text_encoder/config.json", {"model_type": "mistral3"}, "is not of the .* Z-Image kind"),
        ("tokenizer/tokenizer_config.json", {"padding_side": "left"}, "fills prompts up on the right"),
    ],
)
def test_other_models_are_told_plainly(
    tiny_klein_folder: Path, tmp_path: Path, file: str, change: dict[str, Any], said: str
) -> None:
    folder = shutil.copytree(tiny_klein_folder, tmp_path / "other")
    found = json.loads((folder / file).read_text(encoding="utf-8"))
    (folder / file).write_text(json.dumps(found | change), encoding="utf-8")
    with pytest.raises(CheckpointError, match=said) as caught:
        load(folder)
    assert caught.value.code == "checkpoint_unsupported"


@pytest.mark.parametrize("part", ["transformer", "text_encoder", "vae", "tokenizer"])
def test_a_part_that_is_missing_is_named(tiny_klein_folder: Path, tmp_path: Path, part: str) -> None:
    folder = shutil.copytree(tiny_klein_folder, tmp_path / "torn")
    for file in (folder / part).iterdir():
        if file.suffix in {".safetensors"} or file.name == "tokenizer.json":
            file.unlink()
    with pytest.raises(CheckpointError, match=part) as caught:
        load(folder)
    assert caught.value.code == "checkpoint_incomplete"


def test_on_a_card_published_weights_stay_in_half_precision(flow_folder: Path) -> None:
    """As in bfloat16's autocast: what is learned is float32 all the same, and so is the autoencoder."""
    settings = Settings().replace_from(FEW)
    engine = Engine(flow_folder, device="cpu", dtype="bfloat16", compiled=True)
    request = EditRequest(
        picture(0), "a lady", "a lady with a hat", (ObjectSpec("lady", painted()),), settings=settings
    )
    result = engine.edit(request)
    assert result.record["compiled"] is False, "it has no blocks that are"
    assert not result.alpha[painted() == 0].any()
    assert np.isfinite(result.patch.astype(float)).all()
    checkpoint = engine._loaded().checkpoint
    assert isinstance(checkpoint, FlowCheckpoint)
    kinds = {name: {weight.dtype for weight in one.parameters()} for name, one in checkpoint.networks().items()}
    assert kinds["transformer"] == {torch.bfloat16}
    assert kinds["text_encoder"] == {torch.bfloat16, torch.float32}, "[I]'s row among them"
    assert kinds["vae"] == {weight.dtype for weight in checkpoint.factors.parameters()} == {torch.float32}
    assert checkpoint.rows.rows.dtype == torch.float32
