"""Load an instruction model from its folder: only safetensors, never online, and no code that lies beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from .folders import incomplete, load_folder, loading
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
            raise incomplete(path, file)
    whole = getattr(diffusers, kind.pipeline)
    with loading(path):
        networks = load_folder(path, kind.networks, torch.float32, frozen=dtype)
        tokenizer = transformers.Qwen2TokenizerFast.from_pretrained(path / "tokenizer", local_files_only=True)
        scheduler = diffusers.FlowMatchEulerDiscreteScheduler.from_pretrained(
            path, subfolder="scheduler", local_files_only=True
        )
    for network in networks.values():
        network.requires_grad_(requires_grad=False).eval()
    tokenizer.chat_template = _TEMPLATE
    nothing = dict.fromkeys(("transformer", "vae", "scheduler", "text_encoder", "tokenizer"))
    words = whole(**nothing | {"text_encoder": networks["text_encoder"], "tokenizer": tokenizer}, is_distilled=True)
    drawing = {"transformer": networks["transformer"], "vae": networks["vae"], "scheduler": scheduler}
    draws = whole(**nothing | drawing, is_distilled=True)
    for pipeline in (words, draws):
        pipeline.set_progress_bar_config(disable=True)
    return words, draws
