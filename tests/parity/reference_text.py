"""What the text encoders give, one prompt at a time, as the families' papers have it; nothing of `encode` is used."""

from __future__ import annotations

import torch
from torch import Tensor

from s2edit.method.prompts import Prompt
from s2edit.model.backbone import Encoding
from s2edit.model.checkpoints import Checkpoint
from s2edit.model.sdxl import XlCheckpoint

START, END = 49406, 49407


def literal(checkpoint: Checkpoint, prompt: Prompt | None) -> tuple[Encoding, list[Tensor]]:
    """The encoding of one prompt (None: the empty one), and each encoder's L×D where Eq. 1 looks."""
    ids = [START, END] if prompt is None else list(prompt.ids)
    first = torch.tensor([ids + [END] * (77 - len(ids))])
    if not isinstance(checkpoint, XlCheckpoint):
        states = checkpoint.text_encoder(first).last_hidden_state
        return Encoding(states), [states[0]]
    one = checkpoint.text_encoder(first, output_hidden_states=True)
    two = checkpoint.text_encoder_2(torch.tensor([ids + [0] * (77 - len(ids))]), output_hidden_states=True)
    projection = checkpoint.text_encoder_2.text_projection.weight
    projected = torch.stack([projection @ state for state in two.last_hidden_state[0]])
    beside = zip(one.hidden_states[-2][0], two.hidden_states[-2][0], strict=True)
    states = torch.stack([torch.cat([a, b]) for a, b in beside])[None]
    pooled = projected[ids.index(END)][None]
    if prompt is None:
        states, pooled = torch.zeros_like(states), torch.zeros_like(pooled)
    return Encoding(states, pooled), [one.last_hidden_state[0], projected]
