"""torch.compile for an engine that lives long: the blocks between the attention layers, which no edit changes."""

from __future__ import annotations

import logging
import warnings

import torch
from torch import Tensor, nn

LOG = logging.getLogger(__name__)

_VARIANTS = 64
"""Versions of a block's code that are kept: by widths, with and without gradients, by batch and picture size."""


def compile_blocks(unet: nn.Module, device: torch.device) -> bool:
    """Have a U-Net's residual and feed-forward blocks compiled where they are, at their first use.

    Attention is left alone: what it does differs from step to step. Weights, names and results stay as they are, up to
    rounding. The first edit of each size takes minutes longer, so this pays in a process that makes many.

    Returns:
        Whether it was done. A flow transformer has no such blocks; where no compiler works, the log says so. Then the
        network runs as it is.
    """
    from diffusers.models.attention import FeedForward
    from diffusers.models.resnet import ResnetBlock2D

    blocks = [module for module in unet.modules() if isinstance(module, (ResnetBlock2D, FeedForward))]
    if not blocks:
        return False
    if (reason := missing_compiler(device)) is not None:
        LOG.warning(
            "The model runs uncompiled, because no compiler works for %s (%s). Install g++ or clang (for CUDA: triton),"
            " or turn compiling off.",
            device.type,
            reason,
        )
        return False
    torch._dynamo.config.recompile_limit = max(torch._dynamo.config.recompile_limit, _VARIANTS)
    for module in blocks:
        module.compile()
    return True


def missing_compiler(device: torch.device) -> str | None:
    """Why nothing can be compiled for a device, in a line, or None; found out by compiling something small."""
    try:
        with warnings.catch_warnings():
            # Torch's compiler uses parts of torch that torch itself has deprecated.
            warnings.simplefilter("ignore", DeprecationWarning)
            torch.compile(_probe)(torch.ones(16, device=device))
    except (RuntimeError, OSError) as error:
        return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
    return None


def _probe(values: Tensor) -> Tensor:
    return torch.nn.functional.silu(values) + 1
