"""Load a Stable-Diffusion-family checkpoint: folder, Hugging Face snapshot or one .safetensors file. Never online."""

from __future__ import annotations

import hashlib
import json
import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor, nn

from .errors import CheckpointError
from .framing import FOLDER as FRAMING
from .framing import Framing, load_framing
from .prompts import MAX_IDENTITIES, PromptTokenizer
from .region import LATENT_STRIDE
from .upscaling import FOLDER as UPSCALER
from .upscaling import Upscaler, load_upscaler
from .weight_files import check_folder, hashed_files

CONFIGS = Path(__file__).parent / "configs"
"""Configurations for single files, by family; the only family so far is `sd1`."""
_RARE_WORD = "sks"
"""The token whose embedding [I] starts from, as DreamBooth chose it; rare in CLIP's training text."""


@dataclass(eq=False)
class Checkpoint:
    """The networks of a checkpoint, float32, in evaluation mode.

    Args:
        unet, text_encoder, vae: diffusers' and transformers' modules.
        tokenizer: of the text encoder. alphas: ᾱ of the 1000 training steps, float32.
        native_size: px of the short side it was trained at. size_multiple: px that both sides must be a multiple of.
        model_hash: SHA-256 over all weights and configurations but the last two's, hexadecimal.
        upscaler: for what it draws. framing: finds what it knows; stays on the CPU. Both from the checkpoint's folder
            (a single file's: that of its configuration); None without one.
    """

    unet: Any
    text_encoder: Any
    vae: Any
    tokenizer: PromptTokenizer
    alphas: Tensor
    native_size: int
    size_multiple: int
    model_hash: str
    upscaler: Upscaler | None = None
    framing: Framing | None = None

    def trainable(self) -> dict[str, nn.Module]:
        """What identity fine-tuning may change, by name."""
        return {"unet": self.unet, "text_encoder": self.text_encoder}

    def encode_text(self, ids: list[list[int]], device: torch.device) -> Tensor:
        """Last hidden states after the final layer norm, B×L×D float32, of padded ids."""
        states: Tensor = self.text_encoder(torch.tensor(ids, device=device)).last_hidden_state
        return states.float()

    def latent_moments(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of the posterior, scaled, 1×4×h×w, of 1×3×H×W pixels in [-1, 1]."""
        posterior = self.vae.encode(pixels).latent_dist
        scale = float(self.vae.config.scaling_factor)
        return posterior.mean * scale, posterior.std * scale

    def decode(self, latent: Tensor) -> Tensor:
        """Pixels in [-1, 1] (not clipped), 1×3×H×W, of a scaled latent."""
        pixels: Tensor = self.vae.decode(latent / float(self.vae.config.scaling_factor), return_dict=False)[0]
        return pixels

    def move_to(self, device: torch.device) -> None:
        """Move all networks, on the CPU with the convolutions' channels last in memory.

        The numbers stay the same up to rounding. Nothing has to be put into another order between convolutions and
        attention then, which saves the embedded model about a tenth of its time. On other devices nobody has measured.
        """
        convolutional = [self.unet, self.vae, *([self.upscaler.network] if self.upscaler else [])]
        for module in (*convolutional, self.text_encoder):
            module.to(device)
        if device.type == "cpu":
            for module in convolutional:
                module.to(memory_format=torch.channels_last)


def load(path: Path) -> Checkpoint:
    """Load a checkpoint onto the CPU in float32.

    Args:
        path: a diffusers folder, a Hugging Face cache entry (`models--…`) or snapshot, or one .safetensors file. A
            file's configuration is a folder of the same name without the suffix, else that of the SD 1.x family.
    Raises:
        CheckpointError: something is missing, damaged or of another family.
    """
    path = _resolved(path)
    single = path.is_file()
    folder = _single_config(path) if single else path
    check_folder(folder)
    tokenizer = PromptTokenizer.from_folder(folder)
    _check_scheduler(folder)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            unet, text_encoder, vae = _load_single(path, folder) if single else _load_folder(path)
    except CheckpointError:
        raise
    except Exception as error:
        raise CheckpointError(
            f"The model “{path.name}” can't be loaded: {_first_line(error)}",
            code="checkpoint_incomplete",
            hint="Verify the model, or download it again.",
        ) from error
    _check_family(unet, text_encoder, path)
    for module in (unet, text_encoder, vae):
        module.requires_grad_(False).eval()
    add_identity_rows(text_encoder, tokenizer)
    levels = len(unet.config.block_out_channels)
    return Checkpoint(
        unet=unet,
        text_encoder=text_encoder,
        vae=vae,
        tokenizer=tokenizer,
        alphas=_alphas(folder),
        native_size=int(unet.config.sample_size) * LATENT_STRIDE,
        size_multiple=LATENT_STRIDE * 2 ** (levels - 1),
        model_hash=model_hash(path),
        upscaler=load_upscaler(folder),
        framing=load_framing(folder),
    )


def add_identity_rows(text_encoder: Any, tokenizer: PromptTokenizer) -> None:
    """Append embedding rows for the identity tokens, each a copy of a rare token's (the mean of its pieces')."""
    old = text_encoder.get_input_embeddings()
    rows = tokenizer.vocabulary_size + MAX_IDENTITIES
    new = nn.Embedding(max(rows, old.num_embeddings), old.embedding_dim).requires_grad_(False)
    pieces = list(tokenizer.encode(_RARE_WORD).ids[1:-1])
    new.weight[: old.num_embeddings] = old.weight
    new.weight[tokenizer.vocabulary_size : rows] = old.weight[pieces].mean(dim=0)
    text_encoder.set_input_embeddings(new)


def model_hash(path: Path) -> str:
    """SHA-256 over a checkpoint's weights and configurations (`hashed_files`), in the order of their names.

    Upscaler and framing network are left out: what they do shows in the record and in the pictures learned from.
    """
    path = _resolved(path)
    whole = hashlib.sha256()
    for file in [path] if path.is_file() else hashed_files(path):
        name = file.name if path.is_file() else file.relative_to(path).as_posix()
        if not name.startswith((f"{UPSCALER}/", f"{FRAMING}/")):
            with file.open("rb") as stream:
                whole.update(f"{name}\0{hashlib.file_digest(stream, 'sha256').hexdigest()}\0".encode())
    return whole.hexdigest()


def _resolved(path: Path) -> Path:
    """The folder or file that holds the weights: a Hugging Face cache entry is followed to its snapshot."""
    if (path / "snapshots").is_dir():
        main = path / "refs" / "main"
        names = [main.read_text(encoding="utf-8").strip()] if main.is_file() else []
        names += sorted(entry.name for entry in (path / "snapshots").iterdir())
        path = next((path / "snapshots" / n for n in names if (path / "snapshots" / n).is_dir()), path)
    if path.is_file() and path.suffix == ".safetensors":
        return path
    if (path / "model_index.json").is_file():
        return path
    if path.is_file():
        raise CheckpointError(
            f"“{path.name}” is not a .safetensors file.",
            code="checkpoint_unsupported",
            hint="Use a model in the safetensors format; other formats can run code when they are opened.",
        )
    raise CheckpointError(
        f"There is no model at “{path.name}”.", code="checkpoint_missing", hint="Download it, or choose another model."
    )


def _load_folder(path: Path) -> tuple[Any, Any, Any]:
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextModel

    options = {"local_files_only": True, "use_safetensors": True}
    # Said, or diffusers would print a block of advice where accelerate isn't installed.
    saving = {"low_cpu_mem_usage": find_spec("accelerate") is not None}
    networks: dict[str, Any] = {}
    for part, kind in (("unet", UNet2DConditionModel), ("vae", AutoencoderKL), ("text_encoder", CLIPTextModel)):
        of_diffusers = part != "text_encoder"
        dtype = "torch_dtype" if of_diffusers else "dtype"
        more = {**options, dtype: torch.float32, "variant": _variant(path / part), **(saving if of_diffusers else {})}
        networks[part] = kind.from_pretrained(path, subfolder=part, **more)
    return networks["unet"], networks["text_encoder"], networks["vae"]


def _variant(part: Path) -> str | None:
    """ "fp16" where only the half-precision file of a network is there, as in many downloads."""
    names = [file.name for file in part.glob("*.safetensors")]
    return "fp16" if names and all(".fp16" in name for name in names) else None


def _load_single(path: Path, config: Path) -> tuple[Any, Any, Any]:
    _check_single(path, config)
    from diffusers import StableDiffusionPipeline

    pipeline = StableDiffusionPipeline.from_single_file(
        str(path),
        config=str(config),
        local_files_only=True,
        torch_dtype=torch.float32,
        low_cpu_mem_usage=find_spec("accelerate") is not None,
        safety_checker=None,
        requires_safety_checker=False,
    )
    return pipeline.unet, pipeline.text_encoder, pipeline.vae


def _single_config(path: Path) -> Path:
    beside = path.with_suffix("")
    return beside if (beside / "model_index.json").is_file() else CONFIGS / "sd1"


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


def _check_family(unet: Any, text_encoder: Any, path: Path) -> None:
    fits = (
        unet.config.in_channels == 4
        and unet.config.cross_attention_dim == text_encoder.config.hidden_size
        and not unet.config.addition_embed_type
    )
    if not fits:
        raise _foreign(path)


def _foreign(path: Path) -> CheckpointError:
    return CheckpointError(
        f"The model “{path.name}” is not of the Stable Diffusion 1.x kind.",
        code="checkpoint_unsupported",
        hint="Choose a text-to-image model of the Stable Diffusion 1.x family (not inpainting, not SDXL).",
    )


def _scheduler_config(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / "scheduler" / "scheduler_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"The scheduler's configuration of “{folder.name}” can't be read.",
            code="checkpoint_incomplete",
            hint="Verify the model, or download it again.",
        ) from error
    return found if isinstance(found, dict) else {}


def _check_scheduler(folder: Path) -> None:
    if _scheduler_config(folder).get("prediction_type", "epsilon") != "epsilon":
        raise CheckpointError(
            f"The model “{folder.name}” predicts velocities; S²Edit needs one that predicts noise.",
            code="checkpoint_unsupported",
            hint="Choose a model of the Stable Diffusion 1.x family.",
        )


def _alphas(folder: Path) -> Tensor:
    from diffusers import DDIMScheduler

    config = _scheduler_config(folder)
    keys = ("num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas")
    scheduler = DDIMScheduler(**{key: config[key] for key in keys if key in config})
    alphas: Tensor = scheduler.alphas_cumprod
    return alphas


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
