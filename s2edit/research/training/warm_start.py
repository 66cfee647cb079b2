"""Begin a domain's training where another checkpoint ended: same weights, and embeddings for the words that are new."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from s2edit.research.training.checkpoint import save_state
from s2edit.research.training.grow import grown
from s2edit.research.training.tokenizer import extend_tokenizer
from s2edit.research.training.widen import begin_wider

if TYPE_CHECKING:
    from pathlib import Path

    from s2edit.research.starter.domain import Domain


def warm_start(checkpoint: Path, folder: Path, domain: Domain[Any], *, seed: int) -> None:
    """Fill a training folder with a checkpoint's autoencoder, U-Net and text encoder, as if trained for 0 steps.

    The stages then go on: `pictures`, `refine` (the autoencoder), `latents --adopt` (its latents turned towards those
    that the U-Net knows), `unet`. The rows of new words are drawn around the mean of the known ones (Hewitt 2021).
    Where the domain's pictures are twice as large, the U-Net is `grown`; the autoencoder needs no `refine` then.

    Args:
        checkpoint: a folder that `StableDiffusionPipeline.from_pretrained` opens.
        folder: of the new training.
        domain: whose words to add.
        seed: of the new rows.

    Raises:
        FileExistsError: a training is under way in the folder.
        FileNotFoundError: there is no checkpoint.
        ValueError: the domain's pictures are neither of the checkpoint's size nor of twice that.
    """
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextModel

    if any((folder / name).exists() for name in ("vae.safetensors", "latents", "unet.safetensors")):
        raise FileExistsError(f"{folder} holds a training already. Go on with it, or move it away first.")
    if not (checkpoint / "model_index.json").exists():
        raise FileNotFoundError(
            f"{checkpoint} holds no checkpoint. Write one with: python -m s2edit.research.training export"
        )

    def part(kind: Any, name: str) -> Any:
        return kind.from_pretrained(checkpoint / name, local_files_only=True).float()

    tokenizer = extend_tokenizer(checkpoint / "tokenizer", folder / "tokenizer", domain.words())
    unet, text_encoder = part(UNet2DConditionModel, "unet"), part(CLIPTextModel, "text_encoder")
    if 8 * int(unet.config.sample_size) != domain.size:
        unet = grown(unet, part(AutoencoderKL, "vae"), domain, seed=seed)
    torch.manual_seed(seed)
    text_encoder.resize_token_embeddings(len(tokenizer))
    modules = {"unet": unet, "text_encoder": text_encoder, "unet_ema": unet, "text_encoder_ema": text_encoder}
    optimizer = torch.optim.AdamW(unet.parameters())  # without a step it keeps nothing
    begin_wider(checkpoint, folder, seed=seed)
    # Last: what says that the training has begun.
    save_state(folder / "unet.safetensors", modules, optimizer, {"step": 0, "seconds": 0.0, "began": domain.name})
