"""Reading a diffusers folder's networks and scheduler, whatever the family, with errors that name what is missing."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from ..errors import CheckpointError
from .families import Family

DTYPE = torch.float32
"""Of all weights, whatever their files have: fine-tuning's steps would be lost in half precision's rounding."""


@contextmanager
def loading(path: Path) -> Iterator[None]:
    """Turns whatever the loaders raise into CheckpointError; what they warn of is for programmers, and not shown."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except CheckpointError:
        raise
    except Exception as error:
        raise CheckpointError(
            f"The model “{path.name}” can't be loaded: {first_line(error)}",
            code="checkpoint_incomplete",
            hint="Verify the model, or download it again.",
        ) from error


def load_folder(path: Path, family: Family, dtype: torch.dtype, frozen: torch.dtype | None = None) -> dict[str, Any]:
    """All networks of a folder, by name, on the CPU; raises CheckpointError for one that is not whole.

    Args:
        dtype: of their weights. frozen: of those that nothing changes, but for the autoencoder's.
    """
    import diffusers
    import transformers

    options = {"local_files_only": True, "use_safetensors": True}
    # Said, or diffusers would print a block of advice where accelerate isn't installed.
    saving = {"low_cpu_mem_usage": find_spec("accelerate") is not None}
    kinds: dict[str, Any] = {name: getattr(diffusers, kind) for name, kind in family.networks.items()}
    kinds |= {name: getattr(transformers, kind) for name, kind in family.text_encoders.items()}
    check_parts(path, list(kinds))
    networks: dict[str, Any] = {}
    for part, kind in kinds.items():
        of_diffusers = part not in family.text_encoders
        word = "torch_dtype" if of_diffusers else "dtype"
        own = dtype if frozen is None or part == "vae" else frozen
        more = {**options, word: own, "variant": _variant(path / part), **(saving if of_diffusers else {})}
        networks[part], found = kind.from_pretrained(path, subfolder=part, output_loading_info=True, **more)
        if found["missing_keys"]:
            # Loaders would fill in random numbers, such as for the projection that another family's encoder lacks.
            raise incomplete(path, f"{part}, {min(found['missing_keys'])}")
    return networks


def check_parts(path: Path, parts: list[str]) -> None:
    """Raise CheckpointError, naming it, for a part without configuration or weights, or with a torn file."""
    for part in parts:
        files = sorted((path / part).glob("*.safetensors"))
        if not files or not (path / part / "config.json").is_file():
            raise incomplete(path, part)
        for file in files:
            try:
                with safe_open(file, framework="pt"):
                    pass
            except SafetensorError as error:  # the loaders' own words name the whole path
                raise incomplete(path, f"a part of {part}/{file.name}") from error


def incomplete(path: Path, missing: str) -> CheckpointError:
    """The error for a model of which something is missing."""
    return CheckpointError(
        f"The model “{path.name}” is not whole: {missing} is missing.",
        code="checkpoint_incomplete",
        hint="Verify the model, or download it again.",
    )


def _variant(part: Path) -> str | None:
    """ "fp16" where only the half-precision file of a network is there, as in many downloads."""
    names = [file.name for file in part.glob("*.safetensors")]
    return "fp16" if names and all(".fp16" in name for name in names) else None


def scheduler_config(folder: Path) -> dict[str, Any]:
    """What the scheduler's configuration says; raises CheckpointError where it can't be read."""
    try:
        found = json.loads((folder / "scheduler" / "scheduler_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"The scheduler's configuration of “{folder.name}” can't be read.",
            code="checkpoint_incomplete",
            hint="Verify the model, or download it again.",
        ) from error
    return found if isinstance(found, dict) else {}


def first_line(error: Exception) -> str:
    """Of what an error says."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
