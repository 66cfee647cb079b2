"""The upscaler's loader takes exactly what it knows, and the network finishes edits without moving anything."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from s2edit.errors import CheckpointError, ImageError
from s2edit.model.checkpoints import load, model_hash
from s2edit.picture.resolution import UPSCALER
from s2edit.picture.upscaling import SCALE, Upscaler, UpscalerNetwork, load_upscaler


def write(folder: Path, *, seed: int = 1, **config: Any) -> UpscalerNetwork:
    """An upscaler with random weights in a checkpoint's folder; returns its network."""
    torch.manual_seed(seed)
    network = UpscalerNetwork(8, 2)
    torch.nn.init.normal_(network.head[-1].weight, std=0.05)  # type: ignore[arg-type]
    (folder / UPSCALER).mkdir(parents=True, exist_ok=True)
    save_file(
        {name: each.half() for name, each in network.state_dict().items()}, folder / UPSCALER / "model.safetensors"
    )
    (folder / UPSCALER / "config.json").write_text(json.dumps(network.config() | config))
    return network


def found(folder: Path) -> Upscaler:
    upscaler = load_upscaler(folder)
    assert isinstance(upscaler, Upscaler)
    return upscaler


def test_a_checkpoint_may_have_none(tmp_path: Path) -> None:
    assert load_upscaler(tmp_path) is None


def pictures(height: int, width: int, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, ...]:
    """A picture at the large size, its reconstruction and an edit at the model's."""
    large = torch.rand(1, 3, SCALE * height, SCALE * width, dtype=dtype)
    return large, torch.rand(1, 3, height, width, dtype=dtype), torch.rand(1, 3, height, width, dtype=dtype)


def test_untrained_it_is_halfway_to_the_bicubic_enlargement() -> None:
    original, before, after = pictures(11, 7)
    wanted = (original + F.interpolate(after, scale_factor=SCALE, mode="bicubic")) / 2
    assert torch.allclose(Upscaler(UpscalerNetwork(8, 2), "x")(original, before, after), wanted.clamp(0, 1), atol=1e-6)


def test_what_was_written_is_computed(tmp_path: Path) -> None:
    network, given = write(tmp_path), pictures(9, 16, torch.float64)
    finished = found(tmp_path)(*given)
    assert (finished.shape, finished.dtype) == ((1, 3, 36, 64), torch.float32)
    assert 0 <= finished.min() < finished.max() <= 1
    with torch.no_grad():
        wanted = network.half().float()(*(each.float() for each in given)).clamp(0, 1)
        assert torch.allclose(finished, wanted, atol=1e-5)
    assert not finished.requires_grad
    assert torch.equal(finished, found(tmp_path)(*given))


def test_another_upscaler_has_another_digest(tmp_path: Path) -> None:
    digests = []
    for seed in (1, 1, 2):
        write(tmp_path, seed=seed)
        digests.append(found(tmp_path).digest)
    write(tmp_path, seed=2, note="other bytes")
    digests.append(found(tmp_path).digest)
    assert [len(each) for each in digests] == [16] * 4
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


@pytest.mark.parametrize("shape", [(3, 8, 8), (2, 3, 8, 8), (1, 1, 8, 8), (1, 4, 8, 8), (1, 3, 0, 8), (1, 3, 8, 9)])
@pytest.mark.parametrize("which", [0, 1, 2])
def test_other_shapes_are_refused(shape: tuple[int, ...], which: int) -> None:
    given = list(pictures(8, 8))
    given[which] = torch.zeros(shape)
    with pytest.raises(ImageError, match="a picture in three colours, 4 times as large as its edit"):
        Upscaler(UpscalerNetwork(8, 2), "x")(*given)


@pytest.mark.parametrize(
    ("config", "code"),
    [
        (b"", "incomplete"),
        (b"\xff\xfe{}", "incomplete"),
        (b"[" * 4000, "incomplete"),
        (b"[]", "unsupported"),
        (b"{}", "unsupported"),
        ({"scale": 2}, "unsupported"),
        ({"architecture": "rrdb"}, "unsupported"),
        ({"channels": 10**9}, "unsupported"),
        ({"channels": True}, "unsupported"),
        ({"channels": 8.0}, "unsupported"),
        ({"blocks": 0}, "unsupported"),
        ({"blocks": 10**6}, "unsupported"),
        ({"sharpening": 17}, "unsupported"),
        ({"sharpening": True}, "unsupported"),
        ({"channels": 16}, "incomplete"),
        ({"blocks": 1}, "incomplete"),
        ({"note": "x" * 5000}, "unsupported"),
    ],
)
def test_a_configuration_that_is_not_known(config: bytes | dict[str, Any], code: str, tmp_path: Path) -> None:
    write(tmp_path, **(config if isinstance(config, dict) else {}))
    if isinstance(config, bytes):
        (tmp_path / UPSCALER / "config.json").write_bytes(config)
    refused(tmp_path, code)


def refused(folder: Path, code: str) -> None:
    with pytest.raises(CheckpointError, match="upscaler") as caught:
        load_upscaler(folder)
    assert caught.value.code == f"checkpoint_{code}"
    assert f"the folder “{UPSCALER}” out of" in caught.value.hint


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
@pytest.mark.parametrize("what", ["missing", "folder", "pipe", "too large"])
def test_files_that_are_none(name: str, what: str, tmp_path: Path) -> None:
    write(tmp_path)
    file = tmp_path / UPSCALER / name
    file.unlink()
    if what == "folder":
        file.mkdir()
    elif what == "pipe":
        os.mkfifo(file)
    elif what == "too large":
        with file.open("wb") as sparse:
            sparse.truncate(2**40)
    # Without a configuration, weights would be those of another kind of upscaler.
    other = what == "too large" or (name, what) == ("config.json", "missing")
    refused(tmp_path, "unsupported" if other else "incomplete")


@pytest.mark.parametrize("damage", ["torn", "pickle", "header", "name", "more", "shape", "numbers", "nan"])
def test_weights_that_are_damaged(damage: str, tmp_path: Path) -> None:
    tensors = write(tmp_path).state_dict()
    file = tmp_path / UPSCALER / "model.safetensors"
    whole = file.read_bytes()
    bias = tensors.pop("enter.bias")
    changed: dict[str, dict[str, torch.Tensor]] = {
        "name": {"enter.offset": bias},
        "more": {"enter.bias": bias, "secret": bias.clone()},
        "shape": {"enter.bias": bias[:4].clone()},
        "numbers": {"enter.bias": bias.int()},
        "nan": {"enter.bias": bias * torch.nan},
    }
    raw = {
        "torn": whole[:-10],
        "pickle": b"\x80\x04" + whole,
        "header": (2**62).to_bytes(8, "little") + whole[8:],
    }
    if damage in raw:
        file.write_bytes(raw[damage])
    else:
        save_file(tensors | changed[damage], file)
    refused(tmp_path, "incomplete")


def test_it_comes_with_its_checkpoint_whose_identities_it_leaves_alone(tiny_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_folder, tmp_path / "tiny")
    plain = load(folder)
    write(folder)
    both = load(folder)
    assert plain.upscaler is None
    assert isinstance(both.upscaler, Upscaler)
    assert both.model_hash == plain.model_hash == model_hash(folder)
    both.move_to(torch.device("cpu"))
    assert both.upscaler.network.enter.weight.is_contiguous(memory_format=torch.channels_last)
    assert "upscaler" not in both.trainable()
