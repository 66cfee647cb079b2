"""Small pictures of an edit under way, decoded so seldom that the edit hardly takes longer for them."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

_MOST = 5
"""Previews in an edit."""
_SHARE = 0.05
"""Of the time so far that decoding may have taken, the first preview apart. A small model's whole edit is over in a
second or two, of which five decodings would be a tenth."""


class Previews:
    """When to decode one.

    Args:
        decode: makes the picture, h×w×3, of a clean latent.
        steps: of the edit.
    """

    def __init__(self, decode: Callable[[Tensor], NDArray[np.uint8]], steps: int) -> None:
        self._decode = decode
        self._every = max(1, steps // _MOST)
        self._started, self._spent = time.perf_counter(), 0.0

    def at(self, index: int, clean: Tensor) -> NDArray[np.uint8] | None:
        """The preview of step `index`, or None when there is none due."""
        if index % self._every != self._every - 1:
            return None
        clean.cpu()  # A device works off a queue of steps; waiting for them must not count as decoding.
        now = time.perf_counter()
        if self._spent > _SHARE * (now - self._started):
            return None
        picture = self._decode(clean)
        self._spent += time.perf_counter() - now
        return picture
