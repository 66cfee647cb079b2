"""Reduced precision: which is taken where, and that an edit in it comes close to the one in float32."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from s2edit.engine import EditRequest, Engine, ObjectSpec
from s2edit.errors import OutOfMemory, SettingError
from s2edit.model.device import choose_device, free_bytes, loss_scaler, memory_figures, out_of_memory, precision
from s2edit.settings import Settings

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """TF32's switches are put back; a test says what the card can do."""
    backends: tuple[Any, ...] = (torch.backends.cuda.matmul, torch.backends.cudnn)
    before = [backend.allow_tf32 for backend in backends]
    yield monkeypatch
    for backend, value in zip(backends, before, strict=True):
        backend.allow_tf32 = value


@pytest.mark.parametrize(("native", "wanted"), [(True, torch.bfloat16), (False, torch.float16)])
def test_automatic_precision_of_a_card(card: pytest.MonkeyPatch, native: bool, wanted: torch.dtype) -> None:
    card.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: native or including_emulation)
    assert precision("auto", CUDA) == wanted
    assert torch.backends.cuda.matmul.allow_tf32
    assert precision("float32", CUDA) is None
    assert not torch.backends.cuda.matmul.allow_tf32
    assert precision("tf32", CUDA) is None
    assert torch.backends.cuda.matmul.allow_tf32


def test_automatic_precision_of_a_processor() -> None:
    assert precision("auto", CPU) is None
    assert precision("bfloat16", CPU) == torch.bfloat16
    with pytest.raises(SettingError, match="float16"):
        precision("float8", CPU)


@pytest.mark.parametrize("name", ["cuda:1", "mps", "meta", "gpu7"])
def test_a_device_that_is_not_here_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(SettingError, match=f"“{name}”"):
        choose_device(name)
    assert choose_device("cuda:0").index == 0
    assert choose_device("cpu") == CPU


@pytest.mark.parametrize(
    ("cuda", "mps", "wanted"), [(True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")]
)
def test_automatic_device(monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool, wanted: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert choose_device("auto").type == wanted


def test_apples_memory_is_what_its_driver_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.mps, "recommended_max_memory", lambda: 100)
    monkeypatch.setattr(torch.mps, "driver_allocated_memory", lambda: 30)
    assert free_bytes(torch.device("mps")) == 70
    assert memory_figures(torch.device("mps"), None) == {"used": 30, "free": 70}


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("MPS backend out of memory (…)")])
def test_every_way_of_running_out_of_memory(error: Exception) -> None:
    with pytest.raises(OutOfMemory), out_of_memory(CPU, "full"):
        raise error


def test_only_float16_scales_its_loss() -> None:
    one = torch.tensor(1.0)
    assert float(loss_scaler(torch.float16, CPU).scale(one)) > 1
    assert float(loss_scaler(torch.bfloat16, CPU).scale(one)) == 1
    assert float(loss_scaler(None, CPU).scale(one)) == 1


@pytest.mark.parametrize(("dtype", "share"), [("bfloat16", 0.5), ("float16", 0.15)])
@pytest.mark.parametrize("mode", ["direct", "null_text"])
def test_an_edit_stays_close(
    tiny_folder: Path,
    picture: np.ndarray[Any, Any],
    mask: np.ndarray[Any, Any],
    quick: Settings,
    dtype: str,
    share: float,
    mode: str,
) -> None:
    """Closer than a share of what the edit changes; with random weights every rounding error grows in each step."""
    settings = quick.replace_from({"inversion.mode": mode, "inversion.inner_steps": 2})
    request = EditRequest(picture, "a lady", "a lady with a hat", (ObjectSpec("lady", mask),), settings=settings)
    whole = Engine(tiny_folder, device="cpu", dtype="float32").edit(request)
    half = Engine(tiny_folder, device="cpu", dtype=dtype).edit(request)
    untrained = Engine(tiny_folder, device="cpu", dtype=dtype).edit(
        dataclasses.replace(request, settings=settings.replace_from({"identity.steps": 0}))
    )
    inside = whole.alpha == 255
    difference = np.abs(whole.patch.astype(int) - half.patch)[inside]
    assert difference.mean() < share * np.abs(whole.patch.astype(int) - picture)[inside].mean()
    assert difference.any(), "the precision has to be in force"
    assert not np.array_equal(half.patch, untrained.patch), "the steps must not have been skipped as overflown"
