"""Proposes a source prompt: with a captioner from the catalogue where one was asked for, else with the classifier."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from s2edit_wire.errors import WireError

from s2edit.profiles import recommended_by
from s2edit.research.starter.domain import NAMES, domain

from ..settings import DaemonSettings
from ..weights.manager import Weights
from ..worker_link import Model

MAX_CAPTION_TOKENS = 30
"""A source prompt longer than this says more than an edit needs, and CLIP's limit comes at 75."""


def captioner_for(model: Model, state: Path) -> Path:
    """The weights that describe pictures for a model: that model's own, or the catalogue's captioner.

    Args:
        model: as the job names it.
        state: the daemon's state folder.
    Raises:
        WireError: unknown_model: the captioner is not installed.
    """
    weights = Weights(state, DaemonSettings)
    captioner = weights.captioner(model.id)
    return Path(model.path) if captioner.id == model.id else weights.find(captioner.id)


def propose(model: Path, picture: NDArray[np.uint8], threads: int, device: str = "auto") -> str:
    """A caption for an H×W×3 picture.

    Args:
        model: folder of a BLIP captioner, or of an editing model for drawn things. Of which domain it is says its
            `recommended.json` ("domain"); a model that says nothing counts as one for portraits.
        threads: compute threads.
        device: what a captioner computes on, by the name that an engine takes.
    Raises:
        WireError: model_failed.
    """
    import torch

    torch.set_num_threads(threads)
    if _is_blip(model):
        return _blip(model, picture, device)
    from s2edit.research.starter.classifier import propose_caption

    name = recommended_by(model).get("domain")
    try:
        return propose_caption(picture, domain(name if name in NAMES else NAMES[0]))
    except FileNotFoundError as error:
        hint = "Describe the picture yourself."
        raise WireError("model_failed", f"Nothing here can describe pictures of {name}.", hint) from error


def _is_blip(model: Path) -> bool:
    try:
        config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(config, dict) and config.get("model_type") == "blip"


def _blip(model: Path, picture: NDArray[np.uint8], wanted: str) -> str:
    """Li et al., BLIP, 2022, through transformers; loaded for one caption and let go: it is as large as an editor."""
    import torch
    from PIL import Image
    from transformers import AutoTokenizer, BlipForConditionalGeneration, BlipImageProcessor

    from s2edit.model.device import choose_device

    device = choose_device(wanted)
    if device.type == "mps":
        device = torch.device("cpu")
    try:
        network = BlipForConditionalGeneration.from_pretrained(model, local_files_only=True, use_safetensors=True)
        tokenizer = AutoTokenizer.from_pretrained(model, local_files_only=True)
        processor = BlipImageProcessor.from_pretrained(model, local_files_only=True)
    except (OSError, ValueError) as error:
        hint = "Verify the captioner in the tray, or download it again."
        raise WireError("model_failed", "The captioner can't be loaded.", hint) from error
    pixels = processor(images=Image.fromarray(picture), return_tensors="pt")["pixel_values"].to(device)
    with torch.inference_mode():
        tokens = network.to(device).eval().generate(pixel_values=pixels, max_new_tokens=MAX_CAPTION_TOKENS)
    return str(tokenizer.decode(tokens[0], skip_special_tokens=True)).strip()
