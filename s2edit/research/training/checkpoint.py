"""A training's state on disk, resumable to the bit: safetensors (never pickle), with JSON in the metadata."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import torch


def write_tensors(path: Path, tensors: Mapping[str, torch.Tensor], facts: dict[str, Any] | None = None) -> None:
    """Write a file in one rename: a kill or a full disk leaves the earlier one as it was.

    Args:
        path: in a folder that is there.
        tensors: by name.
        facts: JSON-able, kept in the metadata under "facts".

    Raises:
        OSError: it can't be written, for instance because the disk is full.
    """
    part = path.with_suffix(".part")
    metadata = None if facts is None else {"facts": json.dumps(facts)}
    try:
        save_file({key: value.detach().contiguous().clone() for key, value in tensors.items()}, part, metadata)
    except SafetensorError as error:
        part.unlink(missing_ok=True)
        raise OSError(
            f"{path.name} could not be written ({error}). What was saved before is whole: make room, and run the same "
            "command again."
        ) from error
    part.chmod(0o644)  # safetensors writes for the owner only
    part.replace(path)


def save_state(
    path: Path, modules: dict[str, torch.nn.Module], optimizer: torch.optim.Optimizer, facts: dict[str, Any]
) -> None:
    """Write weights, AdamW moments and facts (step, seconds, …) in one atomic rename."""
    tensors = {f"{name}:{key}": value for name, module in modules.items() for key, value in module.state_dict().items()}
    for index, moments in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer:{index}:{key}": value for key, value in moments.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_tensors(path, tensors, facts)


def load_state(
    path: Path, modules: dict[str, torch.nn.Module], optimizer: torch.optim.Optimizer | None
) -> dict[str, Any]:
    """Read what `save_state` wrote into modules and optimizer; returns the facts, {} when there is no file yet.

    Raises:
        ValueError: the file is damaged.
    """
    if not path.exists():
        return {}
    try:
        with safe_open(path, "pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  (safe_open is no dict)
            facts: dict[str, Any] = json.loads(file.metadata()["facts"])
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged ({error}). Move it away, and the stage begins anew.") from error
    for name, module in modules.items():
        module.load_state_dict(
            {key.split(":", 1)[1]: value for key, value in tensors.items() if key.startswith(f"{name}:")}
        )
    if optimizer is not None:
        moments: dict[int, dict[str, Any]] = {}
        for key, value in tensors.items():
            if key.startswith("optimizer:"):
                _, index, field = key.split(":")
                moments.setdefault(int(index), {})[field] = value
        optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})
    return facts
