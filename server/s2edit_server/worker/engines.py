"""The model in memory: at most one, made when a job needs it, dropped when another is needed or memory is wanted."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2edit.model.main_memory import free_main_memory

from ..settings import SettingsFile
from ..worker_link import Memory, Run
from .processors import free_cores

if TYPE_CHECKING:
    from s2edit.engine import Engine
    from s2edit.instruct import InstructEngine

_WEIGHT_SUFFIXES = {".safetensors", ".json"}
Signature = tuple[tuple[str, int, int], ...]


class Engines:
    """Keeps one engine.

    Args:
        state: the daemon's state folder; the identity cache is `cache/` below it.
    """

    def __init__(self, state: Path) -> None:
        self.state = state
        self._engine: Engine | InstructEngine | None = None
        self._key: tuple[str, Signature, bool, str, str] | None = None
        self._model = ""
        self._device = "auto"
        self._set = 0

    @staticmethod
    def threads(run: Run) -> int:
        """Compute threads of a job that begins now."""
        return run.threads or free_cores()

    def get(self, run: Run) -> Engine | InstructEngine:
        """The engine that a job asks for.

        It is made anew when the job's weights are others than last time's, when they were replaced on disk, when
        compiling was turned on or off, and when another device or precision was chosen. It uses as many threads as the
        job says, 0 standing for one per free core.

        Raises:
            S2EditError: the weights can't be loaded, or there is no such device.
        """
        from s2edit.instruct import open_engine

        path = Path(run.model.path)
        key = (run.model.path, signature(path), run.compiled, run.device, run.precision)
        wanted = self.threads(run)
        # The daemon may have cleared it since the engine was made.
        (self.state / "cache").mkdir(exist_ok=True)
        if self._engine is None or key != self._key:
            self.drop()
            quota = SettingsFile(self.state / "settings.json").now.cache_quota
            options: dict[str, Any] = {"cache_dir": self.state / "cache", "cache_quota": quota}
            options |= {"device": run.device, "dtype": run.precision, "compiled": run.compiled}
            self._engine = open_engine(path, **options, threads=wanted)
            self._key, self._model, self._set = key, run.model.id, wanted
            self._device = run.device
        elif wanted != self._set:
            import torch

            torch.set_num_threads(wanted)
            self._set = wanted
        self._engine.work_for(run.holds)
        return self._engine

    def drop(self) -> None:
        """Give the memory back."""
        if self._engine is not None:
            self._engine.unload()
        self._engine, self._key, self._model = None, None, ""
        gc.collect()

    def memory(self) -> Memory:
        """What the device holds now."""
        if self._engine is None:
            return Memory(used=0, free=free_memory(self._device))
        figures = self._engine.memory()
        return Memory(used=int(figures["used"]), free=int(figures["free"]), model=self._model)


def signature(model: Path) -> Signature:
    """Names, sizes and times of the files that make up a checkpoint: changes when any of them is replaced."""
    files = [model] if model.is_file() else sorted(model.rglob("*"))
    stats = [(file, file.stat()) for file in files if file.suffix in _WEIGHT_SUFFIXES]
    return tuple((str(file.relative_to(model.parent)), stat.st_size, stat.st_mtime_ns) for file, stat in stats)


def free_memory(device: str) -> int:
    """Bytes free on the device, or, while torch is not loaded, in main memory; 0 when the system doesn't tell.

    Args:
        device: by the name that an engine was made with: one that is here.
    """
    if "torch" not in sys.modules:
        return free_main_memory()
    from s2edit.model.device import choose_device, free_bytes

    return free_bytes(choose_device(device))
