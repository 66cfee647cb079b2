"""Identities and inversions on disk: content-addressed, under a quota. Importing this loads no torch."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from . import cache_files

if TYPE_CHECKING:
    from torch import Tensor

DEFAULT_QUOTA = 20 << 30
"""Bytes; a Stable Diffusion identity takes about 2 GiB."""


def digest(parts: Mapping[str, Any]) -> str:
    """SHA-256 of named parts: JSON-able values, or arrays as {"shape", "dtype", "bytes"} through `array_digest`."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def array_digest(array: Any) -> str:
    """SHA-256 of a numpy array's shape, dtype and bytes; "none" for None."""
    if array is None:
        return "none"
    found = hashlib.sha256(f"{array.shape}{array.dtype.str}".encode())
    found.update(memoryview(array if array.flags.c_contiguous else array.copy()).cast("B"))
    return found.hexdigest()


class DiskCache:
    """Tensors by key. Safe under several processes; a torn or altered file counts as absent and is removed.

    Args:
        folder: made when missing.
        quota: bytes, and never more than half of what entries and free disk are together; the entries used longest ago
            go first, the newest always stays.

    Attributes:
        user: for whom entries are looked for and made from now on, as `note` writes down; "" for nobody.
    """

    def __init__(self, folder: Path, quota: int | None = None) -> None:
        self._folder, self.user = folder, ""
        self._quota = DEFAULT_QUOTA if quota is None else quota
        folder.mkdir(parents=True, exist_ok=True)

    def __contains__(self, key: str) -> bool:
        """Whether there is an entry; it is read, and may turn out torn, only in `get`."""
        return self._path(key).is_file()

    def lock(self, key: str) -> FileLock:
        """Held while an entry is made, so that two processes don't both spend minutes on it.

        Keys share 256 lock files, since removing a lock file while it is waited for would let two in. Don't nest.
        """
        return FileLock(self._folder / f"{key[:2]}.lock")

    def note(self, key: str) -> None:
        """Write down that `user` needs an entry, before it is found or made; without a user nothing. Raises OSError."""
        if self.user:
            cache_files.note(self._folder, self.user, key)

    def get(self, key: str) -> dict[str, Tensor] | None:
        """The tensors of an entry by name, as `put` got them but on the CPU; None without one, or for a damaged one."""
        from safetensors import SafetensorError, safe_open
        from safetensors.torch import load_file

        path = self._path(key)
        try:
            with safe_open(path, framework="pt") as file:
                wanted = (file.metadata() or {}).get("sha256", "")
            tensors: dict[str, Tensor] = load_file(path)
        except FileNotFoundError:
            return None
        except (SafetensorError, OSError, ValueError):
            cache_files.drop(path)
            return None
        if _content_hash(tensors) != wanted:
            cache_files.drop(path)
            return None
        with suppress(OSError):
            os.utime(path)
        return tensors

    def put(self, key: str, tensors: Mapping[str, Tensor]) -> None:
        """Write an entry so that it is there as a whole or not at all, then evict beyond the quota.

        Raises:
            OSError: the disk is full, or can't be written.
        """
        from safetensors import SafetensorError
        from safetensors.torch import save_file

        ready = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        handle, name = tempfile.mkstemp(dir=self._folder, suffix=cache_files.UNFINISHED)
        os.close(handle)
        temporary = Path(name)
        try:
            try:
                save_file(ready, temporary, metadata={"sha256": _content_hash(ready)})
            except SafetensorError as error:  # What the system said is only in its text.
                raise OSError(str(error)) from error
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.replace(self._path(key))
        finally:
            temporary.unlink(missing_ok=True)
        self._evict(keep=key)

    def size(self) -> int:
        """Bytes of all entries."""
        return sum(size for _, size, _ in cache_files.entries(self._folder))

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}{cache_files.SUFFIX}"

    def _evict(self, keep: str) -> None:
        with FileLock(self._folder / "evict.lock"):
            cache_files.sweep(self._folder)
            entries = cache_files.entries(self._folder)
            total = sum(size for _, size, _ in entries)
            excess = total - min(self._quota, (total + shutil.disk_usage(self._folder).free) // 2)
            for _, size, path in entries:
                if excess <= 0:
                    break
                if path != self._path(keep):
                    cache_files.drop(path)
                    excess -= size


def _content_hash(tensors: Mapping[str, Tensor]) -> str:
    import torch

    found = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        found.update(f"{name}\0{tuple(tensor.shape)}\0{tensor.dtype}\0".encode())
        found.update(tensor.contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return found.hexdigest()
