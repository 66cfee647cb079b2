"""Which device and precision an engine runs in, what memory it takes, and what running out of it looks like."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from ..errors import OutOfMemory, SettingError
from .main_memory import free_main_memory

if TYPE_CHECKING:
    from .backbone import Backbone


def choose_device(name: str) -> torch.device:
    """The device of a name; "auto" prefers CUDA, then Apple's GPU, then the CPU.

    Raises:
        SettingError: this machine has no such device, or torch was built without it.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or not _is_here(device):
        raise SettingError(f"There is no device “{name}”.", hint="Use auto, cpu, cuda or mps.")
    return device


def _is_here(device: torch.device) -> bool:
    if device.type == "cuda":
        return (device.index or 0) < torch.cuda.device_count()
    return device.type == "cpu" or (device.type == "mps" and torch.backends.mps.is_available())


def device_name(device: torch.device) -> str:
    """A device as people read it: "cpu", "mps", "cuda:0 (NVIDIA H100)"."""
    if device.type != "cuda":
        return device.type
    index = device.index or 0
    return f"cuda:{index} ({torch.cuda.get_device_name(index)})"


def precision(name: str, device: torch.device) -> torch.dtype | None:
    """The autocast dtype of a name, or None for float32; turns TF32 on or off for the process as a side effect.

    "auto" is autocast on CUDA cards (weights and latents stay float32), in bfloat16 where the card computes in it and
    in float16 on older ones, and float32 elsewhere. "tf32" is float32 wherever there is no CUDA. In float16 gradients
    need `loss_scaler`.

    Raises:
        SettingError: there is no such name.
    """
    choices = ("auto", "float32", "tf32", "bfloat16", "float16")
    if name not in choices:
        raise SettingError(f"The precision has to be one of {', '.join(choices)}, not {name}.")
    if device.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = name in {"auto", "tf32"}
        torch.backends.cudnn.allow_tf32 = name in {"auto", "tf32"}
    if name == "auto" and device.type == "cuda":
        # What older cards offer beside float16 is bfloat16 emulated in float32, slower than float32 itself.
        name = "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float16"
    return {"bfloat16": torch.bfloat16, "float16": torch.float16}.get(name)


def loss_scaler(autocast: torch.dtype | None, device: torch.device) -> torch.amp.GradScaler:
    """Keeps float16 gradients from vanishing (Micikevicius et al., 2018); passes everything through elsewhere."""
    return torch.amp.GradScaler(device.type, enabled=autocast == torch.float16)


def free_bytes(device: torch.device) -> int:
    """Bytes free on the device, or in main memory for the CPU; 0 when the system doesn't tell."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if device.type == "mps":
        return max(0, torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
    return free_main_memory()


def memory_figures(device: torch.device, checkpoint: Backbone | None) -> dict[str, int]:
    """ "used" and "free" bytes."""
    if device.type == "cuda":
        return {"used": int(torch.cuda.memory_reserved(device)), "free": free_bytes(device)}
    if device.type == "mps":
        return {"used": int(torch.mps.driver_allocated_memory()), "free": free_bytes(device)}
    used = 0
    if checkpoint is not None:
        modules = checkpoint.networks().values()
        used = sum(weight.nbytes for module in modules for weight in module.parameters())
    return {"used": used, "free": free_bytes(device)}


def empty_cache(device: torch.device) -> None:
    """Give what torch, or on the CPU the C library, keeps of freed memory back to the device."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()
    elif sys.platform == "linux":
        # glibc keeps blocks under 32 MiB for later: nearly all that fine-tuning takes, gigabytes with large models.
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(ctypes.c_size_t(0))


@contextmanager
def out_of_memory(device: torch.device, level: str) -> Iterator[None]:
    """Turn torch's and numpy's several ways of running out of memory into OutOfMemory.

    Args:
        device: whose free memory the error tells. level: of fine-tuning at that moment, for the error.
    Raises:
        OutOfMemory: in place of theirs.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise OutOfMemory(None, free_bytes(device), level) from error
    except RuntimeError as error:
        if "can't allocate memory" in str(error) or "out of memory" in str(error):
            raise OutOfMemory(None, free_bytes(device), level) from error
        raise
