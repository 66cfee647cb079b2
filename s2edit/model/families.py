"""The model families, told by files without opening weights, and the sizes that they like. Torch-free."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from ..picture.region import LATENT_STRIDE, bucket_size, model_size
from ..settings import InversionMode, Level

CONFIGS = Path(__file__).parent / "configs"
"""Configurations for single files, by family."""
_MEMORY = Path(__file__).parent / "memory.json"
NOTHING_LEARNED = "nothing"
"""Beside the levels of learning: an edit without any, or with an identity that was learned before."""
_MAX_HEADER = 4 << 20
"""Bytes of a safetensors header that is looked at: that of SDXL has about a tenth of it."""
_MAX_CONFIG = 1 << 20
_UNET, _VAE = "model.diffusion_model.", "first_stage_model."
FamilyKey = Literal["sd1", "sdxl", "klein", "z-image"]
"""How a family is called in the catalogue and in records."""


@dataclass(frozen=True)
class Family:
    """A kind of model.

    Args:
        key: in the catalogue and in records. title: for people. native: px of the square its published models know.
        levels: of the published network, each half as large. networks: diffusers' class of each, by its folder.
        pipeline: diffusers' name in `model_index.json`.
        text_encoders: transformers' class of each, by its folder. prefixes: of each network's names in a single file.
        left_out: arguments that keep diffusers' pipeline from loading what is not used here.
        operations: of one forward pass of the published denoiser at its native size, a product and a sum being two.
        size: (w, h, native, multiple) to (h, w), see `region`.
        learns: levels of identity fine-tuning that it has, the most faithful first. inverts: modes that mean something.
        thinking: of prompts that stand in a chat's template, see `ChatTokenizer`; None for CLIP's.
        recommended: as a checkpoint's `recommended.json` has it, for models that bring none.
    """

    key: FamilyKey
    title: str
    native: int
    levels: int
    networks: Mapping[str, str]
    pipeline: str
    text_encoders: Mapping[str, str]
    prefixes: Mapping[str, str]
    left_out: Mapping[str, object]
    operations: float
    size: Callable[[int, int, int, int], tuple[int, int]]
    learns: tuple[Level, ...] = ("full", "checkpointing", "adam8bit", "kv", "lora")
    inverts: tuple[InversionMode, ...] = ("direct", "null_text", "npi")
    thinking: bool | None = None
    recommended: Mapping[str, Any] = field(default_factory=dict)

    @property
    def multiple(self) -> int:
        """Pixels that both sides of what the published model sees have to be a multiple of."""
        return int(LATENT_STRIDE * 2 ** (self.levels - 1))

    @property
    def config(self) -> Path:
        """Its configuration, for a file that brings none."""
        return CONFIGS / self.key

    @property
    def memory(self) -> dict[str, int]:
        """Bytes that the published model takes at its native size, by identity level and for `NOTHING_LEARNED`.

        Counted (`memory_counts`), not measured.
        """
        return {level: parts["total"] for level, parts in _counts()[self.key].items()}


@cache
def _counts() -> dict[str, dict[str, dict[str, int]]]:
    found: dict[str, dict[str, dict[str, int]]] = json.loads(_MEMORY.read_text(encoding="utf-8"))
    return found


_DIFFUSION = {"unet": "UNet2DConditionModel", "vae": "AutoencoderKL"}
SD1 = Family(
    key="sd1",
    title="Stable Diffusion 1",
    native=512,
    levels=4,
    networks=_DIFFUSION,
    pipeline="StableDiffusionPipeline",
    text_encoders={"text_encoder": "CLIPTextModel"},
    prefixes={"unet": _UNET, "vae": _VAE, "text_encoder": "cond_stage_model."},
    left_out={"safety_checker": None, "requires_safety_checker": False},
    operations=8.0e11,
    size=model_size,
)
SDXL = Family(
    key="sdxl",
    title="Stable Diffusion XL",
    native=1024,
    levels=3,
    networks=_DIFFUSION,
    pipeline="StableDiffusionXLPipeline",
    text_encoders={"text_encoder": "CLIPTextModel", "text_encoder_2": "CLIPTextModelWithProjection"},
    prefixes={
        "unet": _UNET,
        "vae": _VAE,
        "text_encoder": "conditioner.embedders.0.",
        "text_encoder_2": "conditioner.embedders.1.",
    },
    left_out={"add_watermarker": False},
    operations=6.8e12,
    size=bucket_size,
)
_FLOW_RECOMMENDED: Mapping[str, Any] = {
    "identity": {"level": "lora"},
    # All of the picture's tokens are in one layer: 64 by 64 of them at 1,024 px, twice as many in a long picture.
    "self_replace_max_queries": 8192,
    "guidance": 4.0,
}
"""Level and injection follow from the network; w is the pipeline's own."""
KLEIN = Family(
    key="klein",
    title="FLUX.2 klein",
    native=1024,
    levels=2,
    networks={"transformer": "Flux2Transformer2DModel", "vae": "AutoencoderKLFlux2"},
    pipeline="Flux2KleinPipeline",
    text_encoders={"text_encoder": "Qwen3Model"},
    prefixes={},
    left_out={},
    operations=3.48e13,
    size=bucket_size,
    learns=("lora",),
    inverts=("direct", "npi", "flowedit"),
    thinking=False,
    recommended=_FLOW_RECOMMENDED,
)
Z_IMAGE = Family(
    key="z-image",
    title="Z-Image",
    native=1024,
    levels=2,
    networks={"transformer": "ZImageTransformer2DModel", "vae": "AutoencoderKL"},
    pipeline="ZImagePipeline",
    text_encoders={"text_encoder": "Qwen3Model"},
    prefixes={},
    left_out={},
    operations=6.25e13,
    size=bucket_size,
    learns=("lora",),
    inverts=("direct", "npi", "flowedit"),
    thinking=True,
    # Its pipeline counts w from 0, where here it is 1: 4 in the middle of what its makers advise.
    recommended={**_FLOW_RECOMMENDED, "guidance": 5.0},
)
_FLOWS = (KLEIN, Z_IMAGE)
FAMILIES: dict[str, Family] = {family.key: family for family in (SD1, SDXL, *_FLOWS)}


def family_of(path: Path) -> Family | None:
    """The family of a diffusers folder or a single .safetensors file; None for another one, or where nothing tells."""
    return _of_folder(path) if path.is_dir() else _of_file(path)


def native_of(folder: Path) -> int | None:
    """px of the square that a diffusers folder's model was trained at; None where its configurations don't tell."""
    unet, vae = (read_object(folder / part / "config.json") for part in ("unet", "vae"))
    try:
        if not unet and (folder / "transformer" / "config.json").is_file():
            return int(vae["sample_size"])
        return int(unet["sample_size"]) * int(2 ** (len(vae["block_out_channels"]) - 1))
    except (ValueError, KeyError, TypeError, OverflowError):
        return None


def multiple_of(folder: Path, family: Family) -> int:
    """Pixels that both sides have to be a multiple of: a latent cell at the U-Net's coarsest level."""
    blocks = read_object(folder / "unet" / "config.json").get("block_out_channels")
    if not (isinstance(blocks, list) and 0 < len(blocks) <= 8):
        return family.multiple
    return int(LATENT_STRIDE * 2 ** (len(blocks) - 1))


def _of_folder(folder: Path) -> Family | None:
    unet = read_object(folder / "unet" / "config.json")
    # The networks decide, not what the index says: a pipeline's name is often somebody's own.
    transformer = read_object(folder / "transformer" / "config.json")
    if transformer:
        return _of_transformer(transformer, read_object(folder / "text_encoder" / "config.json"))
    if unet.get("addition_embed_type") == "text_time" and unet.get("in_channels", 4) == 4:
        # The refiner attends to its one text encoder, XL's second, alone. What else is missing, loaders complain of.
        second = read_object(folder / "text_encoder_2" / "config.json").get("hidden_size")
        return None if second == unet.get("cross_attention_dim") else SDXL
    if unet.get("addition_embed_type") or unet.get("in_channels", 4) != 4:
        return None
    return SD1


def _of_transformer(config: Mapping[str, Any], text_encoder: Mapping[str, Any]) -> Family | None:
    """FLUX.2 dev has klein's transformer, with another text encoder and a guidance that is distilled into it."""
    if text_encoder.get("model_type") != "qwen3" or config.get("guidance_embeds") or config.get("siglip_feat_dim"):
        return None
    name = config.get("_class_name")
    return next((family for family in _FLOWS if family.networks["transformer"] == name), None)


def _of_file(path: Path) -> Family | None:
    names = header(path)
    first = names.get(f"{_UNET}input_blocks.0.0.weight", [])
    if len(first) != 4 or first[1] != 4:
        return None
    if "conditioner.embedders.1.model.text_projection" in names:
        return SDXL if "conditioner.embedders.0.transformer.text_model.final_layer_norm.weight" in names else None
    return SD1 if any(name.startswith("cond_stage_model.transformer.") for name in names) else None


def header(path: Path) -> dict[str, list[int]]:
    """Shapes by name of a safetensors file, of its first bytes alone; empty where it is none."""
    if not path.is_file():  # reading a pipe would wait for somebody to write
        return {}
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            found = json.loads(file.read(length)) if length <= _MAX_HEADER else {}
        return {name: list(entry["shape"]) for name, entry in found.items() if name != "__metadata__"}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, struct.error, RecursionError):
        return {}


def read_object(file: Path) -> dict[str, Any]:
    """What a small JSON file holds; empty where it holds no object or can't be read."""
    try:
        if not file.is_file() or file.stat().st_size > _MAX_CONFIG:
            return {}
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
