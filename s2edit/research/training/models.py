"""The checkpoint's networks: Stable Diffusion v1's classes and block topology at small widths, for 128 or 256 px."""

from __future__ import annotations

from typing import Any

VAE_CONFIG: dict[str, Any] = {
    "block_out_channels": (32, 64, 128, 128),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "layers_per_block": 2,
    "latent_channels": 4,
    "norm_num_groups": 16,
    "mid_block_add_attention": False,
}
_UNET_CONFIG: dict[str, Any] = {
    "layers_per_block": 1,
    "cross_attention_dim": 128,
    "attention_head_dim": 4,  # read as the number of heads, as in Stable Diffusion v1's config
    "norm_num_groups": 16,
}
SCHEDULER_CONFIG: dict[str, Any] = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
    "clip_sample": False,
    "set_alpha_to_one": False,
    "steps_offset": 1,
    "timestep_spacing": "leading",
    "prediction_type": "epsilon",
}
# The U-Net's levels, by the side of the pictures in px. 256 px put one more around the others, without attention.
UNET_LEVELS: dict[int, dict[str, Any]] = {
    128: {
        "block_out_channels": (64, 96, 160),
        "down_block_types": ("CrossAttnDownBlock2D",) * 3,
        "up_block_types": ("CrossAttnUpBlock2D",) * 3,
    },
    256: {
        "block_out_channels": (64, 64, 96, 160),
        "down_block_types": ("DownBlock2D", *("CrossAttnDownBlock2D",) * 3),
        "up_block_types": (*("CrossAttnUpBlock2D",) * 3, "UpBlock2D"),
    },
}
# Standard deviation of the latents that the U-Net sees. SD aims at 1; here a picture is only 16 x 16 latents, so with 1
# the noisiest step would still show large flat colours and the U-Net would read them there instead of in the prompt.
# At twice the side four latents stand where one stood, and their mean has half the noise: half the signal keeps what
# can be seen through it (Hoogeboom et al. 2023 shift the schedule by as much).
LATENT_STD = {128: 0.5, 256: 0.25}


def new_vae(size: int = 128) -> Any:
    """An untrained AutoencoderKL, f = 8, 4 latent channels; it is the same for all sizes but for its scaling factor."""
    from diffusers import AutoencoderKL

    return AutoencoderKL(**VAE_CONFIG, sample_size=size, scaling_factor=LATENT_STD[size])


def new_unet(size: int = 128) -> Any:
    """An untrained UNet2DConditionModel with cross-attention at 16, 8 and 4 latents, for pictures of `size` px."""
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(**_UNET_CONFIG, **UNET_LEVELS[size], sample_size=size // 8)


def new_text_encoder(vocabulary: int, start: int, end: int) -> Any:
    """An untrained 3-layer CLIP text encoder of width 128.

    Args:
        vocabulary: number of tokens.
        start: id of the start token.
        end: id of the end token, which also pads.
    """
    from transformers import CLIPTextConfig, CLIPTextModel

    from s2edit.research.training.tokenizer import MAX_TOKENS

    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=vocabulary,
            hidden_size=128,
            intermediate_size=512,
            num_hidden_layers=3,
            num_attention_heads=4,
            max_position_embeddings=MAX_TOKENS,
            bos_token_id=start,
            eos_token_id=end,
            pad_token_id=end,
        )
    )


def new_scheduler() -> Any:
    """DDIM with Stable Diffusion v1's noise schedule and an explicit steps_offset of 1."""
    from diffusers import DDIMScheduler

    return DDIMScheduler(**SCHEDULER_CONFIG)
