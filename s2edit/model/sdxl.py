"""Stable Diffusion XL (Podell et al., 2023): two text encoders, a pooled state, and the picture's size and crop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..method.prompts import Prompt, PromptTokenizer
from ..picture.region import LATENT_STRIDE
from .backbone import Encoded, Encoding
from .families import read_object
from .sd1 import Checkpoint


@dataclass(eq=False, kw_only=True)
class XlCheckpoint(Checkpoint):
    """An SDXL checkpoint: see `Checkpoint`.

    Args:
        text_encoder_2: OpenCLIP's, with its projection. tokenizer_2: of it; it has the same ids and pads otherwise.
        zero_empty: whether the empty prompt is states and pooled state of zeros, as guidance takes it.
    """

    text_encoder_2: Any
    tokenizer_2: PromptTokenizer
    zero_empty: bool = True
    family: ClassVar[str] = "sdxl"
    map_strides: ClassVar[tuple[int, ...]] = (2, 4)

    @classmethod
    def stated_in(cls, folder: Path) -> dict[str, Any]:
        """`zero_empty`, from the pipeline's index."""
        found = read_object(folder / "model_index.json").get("force_zeros_for_empty_prompt", True)
        return {"zero_empty": bool(found)}

    def text_encoders(self) -> dict[str, nn.Module]:
        """Both, by name."""
        return {"text_encoder": self.text_encoder, "text_encoder_2": self.text_encoder_2}

    def encode(self, prompts: Sequence[Prompt | None]) -> Encoded:
        """Penultimate states of both encoders side by side, the second one's projected end state as pooled state.

        Eq. 1 compares CLIP's last states, as in Stable Diffusion 1, and OpenCLIP's *projected* last states, since it
        was trained to make a sentence's embedding of the end token's there.
        """
        hidden: list[Tensor] = []
        last: list[Tensor] = []
        for encoder, tokenizer in ((self.text_encoder, self.tokenizer), (self.text_encoder_2, self.tokenizer_2)):
            ids = torch.tensor([tokenizer.padded(prompt) for prompt in prompts], device=self.device)
            found = encoder(ids, output_hidden_states=True)
            hidden.append(found.hidden_states[-2].float())
            last.append(found.last_hidden_state.float())
        states = torch.cat(hidden, dim=-1)
        projected: Tensor = self.text_encoder_2.text_projection(last[1])
        # Not transformers' own pooling: older configurations have it look for the largest id, which [I]'s is.
        ends = [1 if prompt is None else prompt.end for prompt in prompts]
        pooled = projected[range(len(prompts)), ends]
        if self.zero_empty and None in prompts:
            kept = torch.tensor([prompt is not None for prompt in prompts], device=self.device)
            states, pooled = states * kept[:, None, None], pooled * kept[:, None]
        return Encoded(Encoding(states, pooled), (last[0], projected))

    def conditions(self, latents: Tensor, encoding: Encoding) -> dict[str, Any]:
        """The pooled state, and six numbers: original height and width, crop's top and left, target height and width.

        The picture is what the model is shown, nothing of it was cropped away, and both branches say the same.
        """
        height, width = (LATENT_STRIDE * side for side in latents.shape[-2:])
        numbers = torch.tensor([height, width, 0, 0, height, width], dtype=latents.dtype, device=latents.device)
        times = numbers.expand(latents.shape[0], -1)
        return {"added_cond_kwargs": {"text_embeds": encoding.pooled, "time_ids": times}}
