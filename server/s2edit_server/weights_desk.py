"""The daemon's side of weights and planning: `weights` and `planning`, off the event loop, loaded when first used."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from s2edit_wire.errors import WireError

from .settings import Settings

SIZE_AGE = 5.0
"""Seconds for which a folder's size is believed."""


class WeightsDesk:
    """Weights, plans and the identity cache, as handlers and scheduler need them.

    Args:
        state_folder: holds `weights/` and `cache/`.
        settings: asked for each time.
        foreign: True when the worker is not S²Edit's own: models are then not looked up.
    """

    def __init__(self, state_folder: Path, settings: Callable[[], Settings], *, foreign: bool) -> None:
        self._folder, self._settings, self._foreign = state_folder, settings, foreign
        self._sizes: dict[Path, tuple[float, int]] = {}

    def find_model(self, model: str) -> Path:
        """Path of a model's weights; blocks. Raises WireError("unknown_model")."""
        if self._foreign:
            return self._folder
        raise WireError("unknown_model", f"There is no model “{model}”.")

    async def check_submit(self, edit: dict[str, Any], frames: list[tuple[dict[str, Any], memoryview]]) -> None:
        """Raise WireError for an edit that can't succeed, so that no job is made of it."""

    async def cache_bytes(self) -> int:
        """Size of the identity cache."""
        return await self._size(self._folder / "cache")

    async def total_bytes(self) -> int:
        """Size of the downloaded weights."""
        return await self._size(self._folder / "weights")

    async def clear_cache(self) -> None:
        """Delete the identity cache."""
        await asyncio.to_thread(shutil.rmtree, self._folder / "cache", ignore_errors=True)
        self._sizes.clear()

    async def _size(self, folder: Path) -> int:
        at, size = self._sizes.get(folder, (0.0, 0))
        if time.monotonic() - at > SIZE_AGE:
            size = await asyncio.to_thread(_folder_bytes, folder)
            self._sizes[folder] = (time.monotonic(), size)
        return size


def _folder_bytes(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:
            continue
    return total
