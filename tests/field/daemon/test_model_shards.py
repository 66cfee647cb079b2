"""Whatever a model's files refer to: only safetensors inside its folder are opened, and all count in the hash."""

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from s2edit.errors import CheckpointError
from s2edit.model.checkpoints import load, model_hash
from tests.fakes.tiny import loaded
from tests.parity import tiny_checkpoint

NAMES = {
    "unet": "diffusion_pytorch_model.safetensors",
    "vae": "diffusion_pytorch_model.safetensors",
    "text_encoder": "model.safetensors",
}


class Bomb:
    """Leaves a file behind when a pickle of it is opened."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.mark,)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_checkpoint.build(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture
def model(tiny: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny, tmp_path / "model"))


def shard(part: Path, name: str, write: bool = True) -> None:
    """Turn a network of one file into one whose index names `name`; only text is written outside the part."""
    single = part / NAMES[part.name]
    weights = load_file(single)
    single.unlink()
    if write and name.endswith(".bin"):
        torch.save(weights, part / name)
    elif write:
        (part / name).parent.mkdir(parents=True, exist_ok=True)
        save_file(weights, part / name, metadata={"format": "pt"})
    index = {"metadata": {"total_size": 1}, "weight_map": dict.fromkeys(weights, name)}
    (part / f"{NAMES[part.name]}.index.json").write_text(json.dumps(index))


@pytest.mark.parametrize("part", NAMES)
@pytest.mark.parametrize("name", ["evil.bin", "../evil.safetensors", "deeper/evil.safetensors", "model.pt"])
def test_a_shard_that_is_no_safetensors_file_beside_its_index(model: Path, part: str, name: str) -> None:
    shard(model / part, name)
    with pytest.raises(CheckpointError) as refused:
        load(model)
    assert refused.value.code == "checkpoint_unsupported" and Path(name).name in str(refused.value)


def test_a_pickle_is_never_opened(model: Path, tmp_path: Path) -> None:
    shard(model / "unet", "evil.bin")
    (model / "unet" / "evil.bin").write_bytes(pickle.dumps(Bomb(tmp_path / "mark")))
    with pytest.raises(CheckpointError):
        load(model)
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize(
    "content",
    [
        '{"weight_map": {"a": 3}}',
        '{"weight_map": {}}',
        '{"weight_map": []}',
        '{"weight_map": {"a": "gone.safetensors"}}',
        "[" * 100_000,
        "{",
    ],
)
def test_an_index_that_is_damaged(model: Path, content: str) -> None:
    (model / "unet" / "diffusion_pytorch_model.safetensors.index.json").write_text(content)
    with pytest.raises(CheckpointError) as refused:
        load(model)
    assert refused.value.code == "checkpoint_incomplete" and "\n" not in str(refused.value)


def test_an_adapter_that_names_another_model(model: Path) -> None:
    (model / "text_encoder" / "adapter_config.json").write_text('{"base_model_name_or_path": "/elsewhere"}')
    with pytest.raises(CheckpointError, match="adapter"):
        load(model)


def test_sharded_weights_are_loaded_and_in_the_hash(model: Path, tiny: Path) -> None:
    shard(model / "unet", "diffusion_pytorch_model-00001-of-00001.safetensors")
    ours, theirs = loaded(model), loaded(tiny)
    for one, other in zip(ours.unet.parameters(), theirs.unet.parameters(), strict=True):
        assert torch.equal(one, other)
    before = model_hash(model)
    with (model / "unet" / "diffusion_pytorch_model-00001-of-00001.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x55")
    assert model_hash(model) != before


def test_weights_in_a_linked_part_are_in_the_hash(model: Path, tiny: Path, tmp_path: Path) -> None:
    shutil.move(model / "unet", tmp_path / "elsewhere")
    (model / "unet").symlink_to(tmp_path / "elsewhere")
    assert model_hash(model) == model_hash(tiny)
    with (tmp_path / "elsewhere" / NAMES["unet"]).open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x55")
    assert model_hash(model) != model_hash(tiny)
