"""The daemon's side of weights and planning: `weights` and `planning`, off the event loop, loaded when first used."""

from __future__ import annotations

import asyncio
import logging
import shutil
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2edit_wire.errors import WireError
from s2edit_wire.frames import FrameRecord

from . import queries, timings
from .blocking_calls import BlockingCalls
from .settings import DaemonSettings
from .store import Store
from .supervisor import Health

if TYPE_CHECKING:
    from .weights.manager import Weights

LOG = logging.getLogger(__name__)
VERIFY_PATIENCE = 540.0
"""Seconds that an answer to `verify` may take."""
SIZE_AGE = 5.0
"""Seconds for which a folder's size is believed."""


class WeightsDesk:
    """Weights, plans and the identity cache, as handlers and scheduler need them.

    Args:
        state_folder: holds `weights/` and `cache/`.
        settings: asked for each time.
        on_change: called on the event loop with a changed model's record.
        foreign: True when the worker is not S²Edit's own: models need not be installed then.
    """

    def __init__(
        self,
        state_folder: Path,
        settings: Callable[[], DaemonSettings],
        on_change: Callable[[dict[str, Any]], None],
        *,
        foreign: bool,
    ) -> None:
        self._folder, self._settings, self._foreign = state_folder, settings, foreign
        self._on_change, self._loop = on_change, asyncio.get_running_loop()
        self._sizes: dict[Path, tuple[float, int]] = {}
        self._lock = threading.Lock()
        self._aside = BlockingCalls()
        self._weights: Weights | None = None

    async def find_model(self, model: str) -> Path:
        """Path of a model's weights. Raises WireError("unknown_model")."""
        return self._folder if self._foreign else await self._aside.call(lambda: self._loaded().find(model))

    async def check_submit(self, edit: dict[str, Any], frames: list[tuple[FrameRecord, memoryview]]) -> None:
        """Raise WireError for an edit that can't succeed, so that no job is made of it."""
        if self._foreign:
            return
        problem = await self._aside.call(lambda: _planning().check_submit(edit, frames, self._loaded()))
        if problem is not None:
            raise problem

    async def plan(
        self, request: dict[str, Any], store: Store, health: Health, owner: str | None = None
    ) -> dict[str, Any]:
        """The answer to `plan`, for whom sees only this owner's jobs; raises WireError."""
        kind, model, profile = request["kind"], request["model"], request["profile"]
        paces = await store.call(timings.expected, kind, model, profile)
        if health.model == model:
            paces = timings.without_loading(paces)
        cached = bool(await self.cache_bytes()) and await store.call(queries.done_before, request, owner)
        told: dict[str, Any] = {
            "cached": cached,
            "paces": paces,
            "device": health.device,
            "memory_free": health.memory_free,
            "memory_used": health.memory_used,
        }
        answer: dict[str, Any] = await self._aside.call(lambda: _planning().plan(request, self._loaded(), **told))
        if self._foreign:
            # Such a worker has models of its own: that one is not installed here is no problem.
            absent = ("model", "unknown_model")
            answer["problems"] = [told for told in answer["problems"] if (told["field"], told["code"]) != absent]
        return answer

    async def models(self) -> list[dict[str, Any]]:
        """The records of all models."""
        return await self._aside.call(lambda: self._loaded().models())

    async def act(self, model: str, action: str) -> dict[str, Any]:
        """Do something with a model's weights; returns its record. Raises WireError.

        `verify` answers when all files were read, or after some minutes: it goes on then, and events tell of its end.
        """
        record: dict[str, Any] = await self._aside.call(lambda: self._loaded().act(model, action))
        if action == "verify" and (under_way := self._loaded().verifications(model)):
            await asyncio.wait([asyncio.wrap_future(one) for one in under_way], timeout=VERIFY_PATIENCE)
            record = await self._aside.call(lambda: self._loaded().model(model))
        return record

    async def rescan(self) -> None:
        """Look again for imported and cached weights."""
        await self._aside.call(lambda: self._loaded().rescan())

    async def resume(self) -> None:
        """Go on with the downloads that the last end of the daemon interrupted."""
        if (self._folder / "weights").is_dir():
            try:
                await self._aside.call(lambda: self._loaded().resume_interrupted())
            except (OSError, ValueError, WireError):
                LOG.exception("interrupted downloads can't be taken up")

    async def close(self) -> None:
        """Stop downloads; they go on at the next start."""
        if self._weights is not None:
            await self._aside.call(self._weights.close)

    async def cache_bytes(self) -> int:
        """Size of the identity cache."""
        return await self._size(self._folder / "cache")

    async def total_bytes(self) -> int:
        """Size of the downloaded weights."""
        return await self._size(self._folder / "weights")

    async def keep_identities(self, needed: frozenset[str]) -> None:
        """Delete all of the identity cache but what is noted for these (`identities.digest`)."""
        await self._aside.call(lambda: _keep_identities(self._folder / "cache", needed))
        self._sizes.clear()

    def _loaded(self) -> Weights:
        with self._lock:
            if self._weights is None:
                from .weights.manager import Weights

                self._weights = Weights(self._folder, self._settings, self._changed)
            return self._weights

    def _changed(self, record: dict[str, Any]) -> None:
        try:
            self._loop.call_soon_threadsafe(self._on_change, record)
        except RuntimeError:
            LOG.debug("a change of %s came after the end", record["id"])

    async def _size(self, folder: Path) -> int:
        at, size = self._sizes.get(folder, (0.0, 0))
        if time.monotonic() - at > SIZE_AGE or not at:
            size = await self._aside.call(lambda: _folder_bytes(folder))
            self._sizes[folder] = (time.monotonic(), size)
        return size


def _planning() -> Any:
    # Not at import: it brings NumPy and the tokenizer.
    from . import planning

    return planning


def _keep_identities(folder: Path, needed: frozenset[str]) -> None:
    if not needed:
        shutil.rmtree(folder, ignore_errors=True)
    elif folder.is_dir():
        from s2edit.cache_files import forget_others

        forget_others(folder, needed)


def _folder_bytes(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            found = path.lstat()  # a link's target is somebody else's
            total += found.st_size if stat.S_ISREG(found.st_mode) else 0
        except OSError:
            continue
    return total
