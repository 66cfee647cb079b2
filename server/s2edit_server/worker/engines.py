"""The model in memory: at most one, made when a job needs it, dropped when another is needed or memory is wanted."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..settings import SettingsFile
from ..worker_link import Memory, Model
from .processors import physical_cores

if TYPE_CHECKING:
    from s2edit.engine import Engine

_WEIGHT_SUFFIXES = {".safetensors", ".json"}
Signature = tuple[tuple[str, int, int], ...]


class Engines:
    """Keeps one engine.

    Args:
        state: the daemon's state folder; the identity cache is `cache/` below it.
    """

    def __init__(self, state: Path) -> None:
        self.state = state
        self._engine: Engine | None = None
        self._key: tuple[str, Signature] | None = None
        self._model = ""
        self._set = 0

    @property
    def threads(self) -> int:
        """Compute threads when a job names none."""
        return physical_cores()

    def get(self, model: Model, threads: int) -> Engine:
        """The engine for these weights, loaded anew when they are others than last time, or were replaced on disk.

        Args:
            model: weights that the daemon checked.
            threads: compute threads, 0 for one per physical core.
        Raises:
            S2EditError: they can't be loaded.
        """
        from s2edit.engine import Engine

        key = (model.path, signature(Path(model.path)))
        wanted = threads or self.threads
        # The daemon may have cleared it since the engine was made.
        (self.state / "cache").mkdir(exist_ok=True)
        if self._engine is None or key != self._key:
            self.drop()
            quota = SettingsFile(self.state / "settings.json").now.cache_quota
            self._engine = Engine(Path(model.path), cache_dir=self.state / "cache", cache_quota=quota, threads=wanted)
            self._key, self._model, self._set = key, model.id, wanted
        elif wanted != self._set:
            import torch

            torch.set_num_threads(wanted)
            self._set = wanted
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
            return Memory(used=0, free=free_memory())
        figures = self._engine.memory()
        return Memory(used=int(figures["used"]), free=int(figures["free"]), model=self._model)


def signature(model: Path) -> Signature:
    """Names, sizes and times of the files that make up a checkpoint: changes when any of them is replaced."""
    files = [model] if model.is_file() else sorted(model.rglob("*"))
    stats = [(file, file.stat()) for file in files if file.suffix in _WEIGHT_SUFFIXES]
    return tuple((str(file.relative_to(model.parent)), stat.st_size, stat.st_mtime_ns) for file, stat in stats)


def device_name() -> str:
    """The device as people read it; imports torch."""
    import torch

    if torch.cuda.is_available():
        return f"cuda:0 ({torch.cuda.get_device_name(0)})"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def free_memory() -> int:
    """Bytes free on the device, or, without one, in main memory; 0 when the system doesn't tell."""
    if "torch" in sys.modules:
        import torch

        if torch.cuda.is_available():
            return int(torch.cuda.mem_get_info()[0])
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0
