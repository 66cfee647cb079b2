"""Portraits at twice the side, for the checkpoint in training: dark sunglasses, more of what the first fails at.

A domain of its own, because a checkpoint must be measured against pictures of the kind that it learned from: the
benchmark of the shipped one goes on with `portraits`, drawn as ever.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from s2edit.research.starter.attributes import Portrait, draw_value, sample_attributes
from s2edit.research.starter.portraits import PORTRAITS
from s2edit.research.starter.renderer import render

SIZE = 256
# Sad faces come out as serious ones, and dark skin turns orange in edits: both are drawn more often.
_MOODS = {"smiling": 30, "serious": 22, "sad": 28, "surprised": 11, "angry": 9}
_SKINS = {"pale": 22, "tanned": 22, "brown": 24, "dark": 32}


def sample(seed: int) -> Portrait:
    """The portrait `sample_attributes` draws, with mood and skin drawn anew at other odds."""
    rng = np.random.default_rng([0x256, seed])
    return sample_attributes(seed).change(mood=draw_value(rng, _MOODS), skin=draw_value(rng, _SKINS))


PORTRAITS_256 = replace(
    PORTRAITS,
    name="portraits-256",
    sample=sample,
    render=partial(render, dark_lenses=True),
    size=SIZE,
)
