"""Load a checkpoint of a known family: folder, Hugging Face snapshot or one .safetensors file. Never online."""

from __future__ import annotations

import json
from importlib.util import find_spec
from math import prod
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor

from ..errors import CheckpointError
from ..method.prompts import PromptTokenizer
from ..picture.framing import load_framing
from ..picture.region import LATENT_STRIDE
from ..picture.upscaling import load_upscaler
from .backbone import Backbone
from .families import CONFIGS, FAMILIES, SD1, Family, FamilyKey, family_of, header, multiple_of, read_object
from .flow import FlowCheckpoint
from .folders import DTYPE, incomplete, load_folder, loading, scheduler_config
from .klein import KleinCheckpoint
from .prompting import prompt_tokenizer
from .sd1 import Checkpoint, add_identity_rows
from .sdxl import XlCheckpoint
from .weight_files import check_folder, model_hash, resolved
from .z_image import ZImageCheckpoint

KINDS: dict[FamilyKey, type[Checkpoint]] = {"sd1": Checkpoint, "sdxl": XlCheckpoint}
FLOW_KINDS: dict[FamilyKey, type[FlowCheckpoint]] = {"klein": KleinCheckpoint, "z-image": ZImageCheckpoint}
"""The backbone of each family."""
_NO_WEIGHTS = ("position_ids", "logit_scale")
"""Ends of names in one file that no network's parameter has."""

__all__ = ["CONFIGS", "Checkpoint", "load", "model_hash"]


def load(path: Path, half: torch.dtype | None = None) -> Backbone:
    """Load a checkpoint onto the CPU, in float32 but for what `half` says.

    Args:
        path: a diffusers folder, a Hugging Face cache entry (`models--…`) or snapshot, or one .safetensors file. A
            file's configuration is a folder of the same name without the suffix, else that of its family.
        half: of matrix products; weights that nothing changes, and that were published in bfloat16, stay in it then.
    Raises:
        CheckpointError: something is missing, damaged or of another family.
    """
    path = resolved(path)
    single = path.is_file()
    family = _family(path)
    folder = _single_config(path, family) if single else path
    check_folder(folder)
    return _flow(path, folder, family, half) if family.key in FLOW_KINDS else _unet(path, folder, family)


def _unet(path: Path, folder: Path, family: Family) -> Checkpoint:
    """A model of Stable Diffusion's kind."""
    tokenizers = _tokenizers(folder, family)
    if not all(tokenizers["tokenizer"].agrees(other) for other in tokenizers.values()):
        raise _foreign(path)
    _check_scheduler(folder)
    networks = _networks(path, folder, family)
    _check_widths(networks, family, path)
    unet = networks["unet"]
    for name in family.text_encoders:
        add_identity_rows(networks[name], tokenizers[tokenizer_of(name)])
    parts: dict[str, Any] = {
        **networks,
        **tokenizers,
        "alphas": _alphas(folder),
        "native_size": int(unet.config.sample_size) * LATENT_STRIDE,
        "size_multiple": multiple_of(folder, family),
    }
    kind = KINDS[family.key]
    return kind(**parts, **_beside(path, folder), **kind.stated_in(folder))


def _flow(path: Path, folder: Path, family: Family, half: torch.dtype | None) -> FlowCheckpoint:
    """A flow transformer with a language model."""
    if read_object(folder / "model_index.json").get("is_distilled"):
        raise CheckpointError(
            f"The model “{path.name}” is distilled to a few steps; S²Edit learns and guides with the base model.",
            code="checkpoint_unsupported",
            hint="Choose the model of the same family that is called “base”.",
        )
    kind = FLOW_KINDS[family.key]
    tokenizer = prompt_tokenizer(folder)
    # In float16 their activations would overflow, and numbers made for bfloat16 vanish.
    networks = _networks(path, folder, family, half if half == torch.bfloat16 else None)
    # The autoencoder's configuration says what it was trained at; a transformer's says nothing.
    native, scheduler = int(networks["vae"].config.sample_size), scheduler_config(folder)
    return kind(**networks, tokenizer=tokenizer, scheduler=scheduler, native_size=native, **_beside(path, folder))


def _beside(path: Path, folder: Path) -> dict[str, Any]:
    """What a checkpoint has beside its networks, whatever its family."""
    return {"model_hash": model_hash(path), "upscaler": load_upscaler(folder), "framing": load_framing(folder)}


def _networks(path: Path, folder: Path, family: Family, frozen: torch.dtype | None = None) -> dict[str, Any]:
    """All networks, ready for use on the CPU; raises CheckpointError, whatever the loaders raise."""
    with loading(path):
        whole = path.is_file()
        networks = _load_single(path, folder, family) if whole else load_folder(path, family, DTYPE, frozen)
    for module in networks.values():
        module.requires_grad_(requires_grad=False).eval()
    return networks


def tokenizer_of(text_encoder: str) -> str:
    """The folder of a text encoder's tokenizer."""
    return text_encoder.replace("text_encoder", "tokenizer")


def _tokenizers(folder: Path, family: Family) -> dict[str, PromptTokenizer]:
    names = [tokenizer_of(name) for name in family.text_encoders]
    return {name: PromptTokenizer.from_folder(folder, name, vocabulary=SD1.config) for name in names}


def _family(path: Path) -> Family:
    """The family; raises CheckpointError for another one. What tells nothing is left to the loaders to complain of."""
    family = family_of(path)
    told = any((path / part / "config.json").is_file() for part in ("unet", "transformer"))
    if family is None and (bool(header(path)) if path.is_file() else told):
        raise _foreign(path)
    return family or SD1


def _load_single(path: Path, config: Path, family: Family) -> dict[str, Any]:
    _check_single(path, config)
    import diffusers
    from diffusers.models.modeling_utils import no_init_weights
    from transformers import CLIPTokenizer

    # Ours encode; diffusers would look for the vocabulary in the configuration, which need not repeat it.
    tokenizer = CLIPTokenizer.from_pretrained(SD1.config / "tokenizer", local_files_only=True)
    tokenizers = {tokenizer_of(name): tokenizer for name in family.text_encoders}
    with no_init_weights():  # as folders are loaded: all numbers come from the file
        pipeline = getattr(diffusers, family.pipeline).from_single_file(
            str(path),
            config=str(config),
            local_files_only=True,
            torch_dtype=DTYPE,
            low_cpu_mem_usage=find_spec("accelerate") is not None,
            **tokenizers,
            **family.left_out,
        )
    networks = {part: getattr(pipeline, part) for part in family.prefixes}
    _check_whole(path, networks, family)
    return networks


def _check_whole(path: Path, networks: dict[str, Any], family: Family) -> None:
    """Raise CheckpointError, naming it, for a network of which one file lacks numbers: loaders leave them undefined."""
    shapes = header(path)
    for part, network in networks.items():
        prefix = family.prefixes[part]
        weights = [name for name in shapes if name.startswith(prefix) and not name.endswith(_NO_WEIGHTS)]
        if sum(prod(shapes[name]) for name in weights) < sum(weight.numel() for weight in network.parameters()):
            raise incomplete(path, part)


def _single_config(path: Path, family: Family) -> Path:
    beside = path.with_suffix("")
    return beside if (beside / "model_index.json").is_file() else family.config


def _check_single(path: Path, config: Path) -> None:
    """Raise CheckpointError for one file of another family, by its header: diffusers would say that it is damaged."""
    unet = "model.diffusion_model."
    wanted = json.loads((config / "unet" / "config.json").read_text(encoding="utf-8"))
    with safe_open(path, framework="pt") as file:
        names = list(file.keys())
        width = next((n for n in names if n.startswith(unet) and n.endswith(".attn2.to_k.weight")), None)
        first = f"{unet}input_blocks.0.0.weight"
        if width is None or first not in names:
            raise _foreign(path)
        found = [file.get_slice(name).get_shape()[1] for name in (first, width)]
    if found != [wanted["in_channels"], wanted["cross_attention_dim"]]:
        raise _foreign(path)


def _check_widths(networks: dict[str, Any], family: Family, path: Path) -> None:
    """Raise CheckpointError where the U-Net doesn't attend to what the text encoders give."""
    wanted = networks["unet"].config.cross_attention_dim
    if wanted != sum(networks[name].config.hidden_size for name in family.text_encoders):
        raise _foreign(path)


def _foreign(path: Path) -> CheckpointError:
    known = " or ".join(family.title for family in FAMILIES.values())
    return CheckpointError(
        f"The model “{path.name}” is not of the {known} kind.",
        code="checkpoint_unsupported",
        hint="Choose a text-to-image model of one of these families (not inpainting, no refiner).",
    )


def _check_scheduler(folder: Path) -> None:
    if scheduler_config(folder).get("prediction_type", "epsilon") != "epsilon":
        raise CheckpointError(
            f"The model “{folder.name}” predicts velocities; S²Edit needs one that predicts noise.",
            code="checkpoint_unsupported",
            hint="Choose another model of the same family.",
        )


def _alphas(folder: Path) -> Tensor:
    from diffusers import DDIMScheduler

    config = scheduler_config(folder)
    keys = ("num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas")
    scheduler = DDIMScheduler(**{key: config[key] for key in keys if key in config})
    alphas: Tensor = scheduler.alphas_cumprod
    return alphas
