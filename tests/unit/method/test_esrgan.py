"""A general upscaler beside a checkpoint: read from any file of its kind, it computes what its paper says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from s2edit.errors import CheckpointError
from s2edit.picture.detail import edited
from s2edit.picture.esrgan import Enlarger, EsrganNetwork
from s2edit.picture.finishing import enlarged_by
from s2edit.picture.resolution import UPSCALED, UPSCALER, resolution
from s2edit.picture.upscaling import load_upscaler

CHANNELS, GROWTH, BLOCKS = 6, 4, 2
SIZE, NATIVE = 96, 300


def weights(seed: int = 1) -> dict[str, Tensor]:
    torch.manual_seed(seed)
    return {
        name: 0.3 * torch.randn(each.shape)
        for name, each in EsrganNetwork(CHANNELS, GROWTH, BLOCKS).state_dict().items()
    }


def first_release(name: str) -> str:
    """As ESRGAN's own code of 2018 calls a layer that Real-ESRGAN calls `name`."""
    place = {"conv_first": 0, "conv_up1": 3, "conv_up2": 6, "conv_hr": 8, "conv_last": 10}
    layer, _, kind = name.rpartition(".")
    if layer in place:
        return f"model.{place[layer]}.{kind}"
    if layer == "conv_body":
        return f"model.1.sub.{BLOCKS}.{kind}"
    return re.sub(r"body\.(\d+)\.rdb(\d)\.conv(\d)\.", r"model.1.sub.\1.RDB\2.conv\3.0.", name)


def written(folder: Path, tensors: dict[str, Tensor]) -> Path:
    (folder / UPSCALER).mkdir(exist_ok=True)
    save_file(tensors, folder / UPSCALER / "model.safetensors")
    return folder


def literal(tensors: dict[str, Tensor], picture: Tensor) -> Tensor:
    """ESRGAN (Wang et al. 2018, section 3.1 and figure 4), written out with functions alone."""

    def convolved(name: str, given: Tensor) -> Tensor:
        return F.conv2d(given, tensors[f"{name}.weight"], tensors[f"{name}.bias"], padding=1)

    def rectified(given: Tensor) -> Tensor:
        return torch.where(given > 0, given, 0.2 * given)

    first = convolved("conv_first", picture)
    features = first
    for block in range(BLOCKS):
        entered = features
        for dense in (1, 2, 3):
            given, name = features, f"body.{block}.rdb{dense}.conv"
            one = rectified(convolved(name + "1", given))
            two = rectified(convolved(name + "2", torch.cat([given, one], 1)))
            three = rectified(convolved(name + "3", torch.cat([given, one, two], 1)))
            four = rectified(convolved(name + "4", torch.cat([given, one, two, three], 1)))
            features = given + 0.2 * convolved(name + "5", torch.cat([given, one, two, three, four], 1))
        features = entered + 0.2 * features
    features = first + convolved("conv_body", features)
    for larger in ("conv_up1", "conv_up2"):
        features = rectified(convolved(larger, features.repeat_interleave(2, 2).repeat_interleave(2, 3)))
    return convolved("conv_last", rectified(convolved("conv_hr", features))).clamp(0, 1)


@pytest.mark.parametrize("named", [str, first_release], ids=["Real-ESRGAN", "ESRGAN"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_it_computes_what_the_paper_says(tmp_path: Path, named: type[str], dtype: torch.dtype) -> None:
    tensors = {name: each.to(dtype) for name, each in weights().items()}
    found = load_upscaler(written(tmp_path, {named(name): each for name, each in tensors.items()}))
    assert isinstance(found, Enlarger)
    picture = torch.rand(1, 3, 9, 14)
    drawn = found(picture)
    assert drawn.shape == (1, 3, 36, 56)
    assert float(drawn.std()) > 0.1
    assert torch.allclose(drawn, literal({name: each.float() for name, each in tensors.items()}, picture), atol=1e-5)


def test_the_plan_knows_of_it(tmp_path: Path) -> None:
    """An edit of 1,600 px at 512 is told to be sharp with it, and soft without."""
    crop = (0, 0, 1600, 1600)
    assert resolution(crop, None, (512, 512), tmp_path).finest == pytest.approx(3.12, abs=0.01)
    assert resolution(crop, None, (512, 512), written(tmp_path, weights())).finest == 1


BROKEN = {
    "no such network": ({"layer.weight": torch.zeros(3, 3)}, "checkpoint_unsupported", "not that of an ESRGAN"),
    "for twice the size": (
        weights() | {"conv_first.weight": torch.zeros(CHANNELS, 12, 3, 3)},
        "checkpoint_unsupported",
        "for 4 times",
    ),
    "a layer too few": (
        {name: each for name, each in weights().items() if name != "conv_hr.bias"},
        "checkpoint_incomplete",
        "conv_hr.bias",
    ),
    "a layer of another shape": (
        weights() | {"body.1.rdb2.conv3.weight": torch.zeros(3, 3, 3, 3)},
        "checkpoint_incomplete",
        "body.1.rdb2.conv3.weight",
    ),
    "infinite": (
        weights() | {"conv_last.bias": torch.full((3,), torch.inf)},
        "checkpoint_incomplete",
        "conv_last.bias",
    ),
    "much too wide": (
        weights() | {"conv_first.weight": torch.zeros(200, 3, 3, 3)},
        "checkpoint_unsupported",
        "too large",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_another_file_is_refused_in_words(tmp_path: Path, name: str) -> None:
    tensors, code, said = BROKEN[name]
    with pytest.raises(CheckpointError, match=re.escape(said)) as caught:
        load_upscaler(written(tmp_path, tensors))
    assert caught.value.code == code
    assert f"the folder “{UPSCALER}” out of" in caught.value.hint


def nearest() -> Enlarger:
    """A network that hands on its colours, each pixel as a square: what it draws has hard edges."""
    network = EsrganNetwork(3, 1, 1)
    for name, weight in network.state_dict().items():
        weight.zero_()
        if name.endswith("weight") and name.startswith("conv_") and name != "conv_body.weight":
            weight[range(3), range(3), 1, 1] = 1
    return Enlarger(network.eval(), "x")


def halves(size: int, colour: float) -> Tensor:
    """A wall, and a square of a colour in its middle, with edges on the model's pixels."""
    picture = torch.full((1, 3, size, size), 0.7)
    picture[:, :, size // 3 : size * 2 // 3, size // 3 : size * 2 // 3] = colour
    return picture


def steepest(picture: Tensor) -> float:
    return float(picture.diff(dim=-1).abs().max())


def test_what_is_new_is_sharp_and_the_rest_is_the_pictures_own() -> None:
    original, before, after = halves(NATIVE, 0.7), halves(SIZE, 0.7), halves(SIZE, 0.1)
    inside = torch.ones(NATIVE, NATIVE, dtype=torch.bool)
    plain, _ = edited(original, before, after, inside)
    colours, share = edited(original, before, after, inside, enlarged_by(nearest()))
    assert steepest(colours) > 1.5 * steepest(plain)
    assert not share[: NATIVE // 4].any()
    assert float((colours[..., NATIVE // 2, NATIVE // 2] - 0.1).abs().max()) < 0.01


def test_a_recoloured_texture_stays_as_sharp_as_the_picture() -> None:
    """What the model can't draw, one pixel wide, comes from the picture in the new colours."""
    fine = torch.rand(1, 1, NATIVE, NATIVE, generator=torch.Generator().manual_seed(1)) * 0.4 + 0.3
    original = torch.cat([fine, fine * 0.5, fine * 0.2], 1)
    before = F.interpolate(original, (SIZE, SIZE), mode="area")
    everywhere = torch.ones(NATIVE, NATIVE, dtype=torch.bool)
    colours, _ = edited(original, before, before.flip(1), everywhere, enlarged_by(nearest()))
    right, drawn = original.flip(1), F.interpolate(before.flip(1), (NATIVE, NATIVE), mode="bicubic")
    error, naive = (float((each - right).square().mean()) for each in (colours, drawn))
    assert error < 0.25 * naive


def test_only_tiles_with_a_change_are_computed_and_each_can_be_the_last() -> None:
    asked: list[int] = []
    original, before = halves(NATIVE * 2, 0.7), torch.full((1, 3, 192, 192), 0.7)
    after = before.clone()
    after[..., 10:20, 10:20] = 0
    inside = torch.ones(NATIVE * 2, NATIVE * 2, dtype=torch.bool)
    found = enlarged_by(nearest(), lambda: asked.append(1))(original, before, after, inside)
    assert found.after.shape == (1, 3, UPSCALED * 192, UPSCALED * 192)
    assert len(asked) == 1
    nothing = enlarged_by(nearest(), lambda: asked.append(1))(original, before, before, inside)
    assert len(asked) == 1
    assert torch.equal(nothing.after, nothing.before)

    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        enlarged_by(nearest(), stop)(original, before, after, inside)
