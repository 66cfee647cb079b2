"""Pixels on disk: one file per content, named by its SHA-256, never changed once it has its name.

A blob is written to a temporary file, flushed, renamed and its folder flushed, all before a row names it; so a row that
was committed never points at a missing or torn file. Blobs that no row names are swept.
"""

from __future__ import annotations

import errno
import hashlib
import os
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from s2edit_wire.errors import WireError

from .store import disk_full

CHUNK = 4 * 1024 * 1024
RESERVE = 8 * 1024 * 1024
"""Bytes that stay free when a blob is accepted, so that the database can still note what happens."""
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def digest_of(data: memoryview | bytes) -> str:
    """SHA-256 of the bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


@contextmanager
def room_errors() -> Iterator[None]:
    """Turn "no space left" into WireError("disk_full"); other faults of the disk pass."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise disk_full() from error
        raise


def flush_file(descriptor: int) -> None:
    """fsync; the one place where blobs do it, so that tests can fail it."""
    os.fsync(descriptor)


def flush_folder(folder: Path) -> None:
    """Make a rename in the folder durable, where the system has such a thing (Windows has not)."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            flush_file(descriptor)
        finally:
            os.close(descriptor)


class Blobs:
    """The folder of blobs. All methods block: call them from a thread. Thread-safe.

    Args:
        folder: made when absent; on the same file system as the folders that `adopt` takes files from.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._incoming = folder / "incoming"
        self._incoming.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._pins: dict[str, int] = {}
        self._pinned_since_sweep: set[str] = set()
        for leftover in self._incoming.iterdir():
            leftover.unlink()
        self._bytes = sum(path.stat().st_size for path in self._files())

    def path(self, digest: str) -> Path:
        """Where the blob is, or would be."""
        return self.folder / digest[:2] / digest

    def put(self, data: memoryview | bytes, digest: str) -> None:
        """Keep the bytes, whose SHA-256 is `digest`, durably; the blob stays pinned until `unpin`.

        Raises WireError("disk_full"); nothing is left behind then.
        """
        self._pin(digest)
        try:
            if self._already(digest, len(data)):
                return
            self._check_room(len(data))
            temporary = self._incoming / uuid.uuid4().hex
            with room_errors():
                try:
                    with temporary.open("xb") as file:
                        file.write(data)
                        file.flush()
                        flush_file(file.fileno())
                    self._name(temporary, digest)
                finally:
                    temporary.unlink(missing_ok=True)
        except BaseException:
            self.unpin(digest)
            raise

    def adopt(self, path: Path) -> str:
        """Take a finished file over; returns its digest, pinned. Raises WireError("disk_full")."""
        with path.open("r+b") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
            self._pin(digest)
            try:
                if not self._already(digest, size):
                    with room_errors():
                        flush_file(file.fileno())
                        self._name(path, digest)
            except BaseException:
                self.unpin(digest)
                raise
        return digest

    def unpin(self, digest: str) -> None:
        """Say that a row names the blob now, or that none ever will."""
        with self._lock:
            left = self._pins.get(digest, 0) - 1
            if left > 0:
                self._pins[digest] = left
            else:
                self._pins.pop(digest, None)

    def sweep(self, referenced: Callable[[], set[str]]) -> int:
        """Delete blobs that no row names; returns the bytes freed.

        A blob that was pinned at any time since the sweep began survives it: its row may be younger than the answer of
        `referenced`.
        """
        with self._lock:
            self._pinned_since_sweep = set(self._pins)
        candidates = list(self._files())
        wanted = referenced()
        freed = 0
        for path in candidates:
            with self._lock:
                if path.name in wanted or path.name in self._pinned_since_sweep:
                    continue
                size = path.stat().st_size
                try:
                    path.unlink()
                except PermissionError:
                    continue  # Windows: somebody is being sent it; the next sweep comes
                self._bytes -= size
                freed += size
        return freed

    def total_bytes(self) -> int:
        """Bytes of all blobs."""
        return self._bytes

    def _files(self) -> Iterator[Path]:
        for shelf in self.folder.iterdir():
            if len(shelf.name) == 2:
                yield from shelf.iterdir()

    def _pin(self, digest: str) -> None:
        with self._lock:
            self._pins[digest] = self._pins.get(digest, 0) + 1
            self._pinned_since_sweep.add(digest)

    def _already(self, digest: str, size: int) -> bool:
        path = self.path(digest)
        try:
            if path.stat().st_size != size:
                return False  # cut short by whatever befell the disk: it is stored anew
        except FileNotFoundError:
            return False
        # Whoever named it may have died before its name was durable.
        with room_errors():
            flush_folder(path.parent)
        return True

    def _check_room(self, size: int) -> None:
        if not hasattr(os, "statvfs"):
            return
        state = os.statvfs(self._incoming)
        if state.f_bavail * state.f_frsize < size + RESERVE:
            raise disk_full()

    def _name(self, temporary: Path, digest: str) -> None:
        final = self.path(digest)
        if not final.parent.is_dir():
            final.parent.mkdir(exist_ok=True)
            flush_folder(self.folder)
        size = temporary.stat().st_size
        with self._lock:
            before = final.stat().st_size if final.exists() else 0
            temporary.replace(final)
            self._bytes += size - before
        flush_folder(final.parent)


def damaged() -> WireError:
    """The error for a frame whose digest is not what its sender said."""
    return WireError("bad_request", "A picture arrived damaged.", "Send it again.")
