"""Load an instruction model from its folder: only safetensors, never online, and no code that lies beside them."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from ..errors import CheckpointError
from .instructed import Instructed
from .weight_files import check_folder

_TEMPLATE = (
    "{{ '<|im_start|>user\\n' + messages[0].content + '<|im_end|>\\n<|im_start|>assistant\\n' }}"
    "{{ '<think>\\n\\n</think>\\n\\n' }}"
)
"""Qwen3's for one message of a user, without thinking. The folder's own would be a program that is run."""

_FILES = ("tokenizer/tokenizer.json", "tokenizer/tokenizer_config.json", "scheduler/scheduler_config.json")
"""What loaders would do without, or name by its whole path."""


def load_pipelines(path: Path, kind: Instructed, dtype: torch.dtype) -> tuple[Any, Any]:
    """diffusers' pipeline in two halves on the CPU, so that each can be on the device alone.

    Args:
        path: the folder. dtype: of transformer and text encoder; the autoencoder is float32, so that what it draws
            twice differs by what was edited only.
    Returns:
        One that encodes sentences, and one that draws.
    Raises:
        CheckpointError: something is missing, damaged or no safetensors file.
    """
    import diffusers
    import transformers

    check_folder(path)
    for file in _FILES:
        if not (path / file).is_file():
            raise _incomplete(path, file)
    whole = getattr(diffusers, kind.pipeline)
    classes: dict[str, tuple[Any, torch.dtype]] = {
        "transformer": (diffusers.Flux2Transformer2DModel, dtype),
        "vae": (diffusers.AutoencoderKLFlux2, torch.float32),
        "text_encoder": (transformers.Qwen3ForCausalLM, dtype),
    }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            networks = {name: _network(path, name, *each) for name, each in classes.items()}
            tokenizer = transformers.Qwen2TokenizerFast.from_pretrained(path / "tokenizer", local_files_only=True)
            scheduler = diffusers.FlowMatchEulerDiscreteScheduler.from_pretrained(
                path, subfolder="scheduler", local_files_only=True
            )
    except CheckpointError:
        raise
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise CheckpointError(
            f"The model “{path.name}” can't be loaded: {reason}",
            code="checkpoint_incomplete",
            hint="Verify the model, or download it again.",
        ) from error
    tokenizer.chat_template = _TEMPLATE
    nothing = dict.fromkeys(("transformer", "vae", "scheduler", "text_encoder", "tokenizer"))
    words = whole(**nothing | {"text_encoder": networks["text_encoder"], "tokenizer": tokenizer}, is_distilled=True)
    drawing = {"transformer": networks["transformer"], "vae": networks["vae"], "scheduler": scheduler}
    draws = whole(**nothing | drawing, is_distilled=True)
    for pipeline in (words, draws):
        pipeline.set_progress_bar_config(disable=True)
    return words, draws


def _network(path: Path, part: str, kind: Any, dtype: torch.dtype) -> Any:
    if not any((path / part).glob("*.safetensors")) or not (path / part / "config.json").is_file():
        raise _incomplete(path, part)
    options: dict[str, Any] = {"local_files_only": True, "use_safetensors": True, "output_loading_info": True}
    if part == "text_encoder":
        options["dtype"] = dtype
    else:
        # Said, or diffusers would print a block of advice where accelerate isn't installed.
        options |= {"torch_dtype": dtype, "low_cpu_mem_usage": find_spec("accelerate") is not None}
    network, found = kind.from_pretrained(path, subfolder=part, **options)
    missing = sorted(found["missing_keys"])
    if missing:  # loaders would fill in random numbers
        raise _incomplete(path, f"{part}, {missing[0]}")
    return network.requires_grad_(False).eval()


def _incomplete(path: Path, missing: str) -> CheckpointError:
    return CheckpointError(
        f"The model “{path.name}” is not whole: {missing} is missing.",
        code="checkpoint_incomplete",
        hint="Verify the model, or download it again.",
    )
