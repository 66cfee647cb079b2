"""One file from the hub, whatever happens on the way: it gets its final name only when it is whole and proved right.

What has arrived lies in `<name>.partial`; `<name>.journal` says what it is a part of. After a break, a pause or a
restart the rest is asked for with Range and If-Range. When all is there, the digest is compared and, for weights, the
header looked over; then the file is flushed and renamed. A part that proves wrong is deleted, never used.
"""

from __future__ import annotations

import errno
import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from s2edit_wire.errors import WireError
from s2edit_wire.plain_files import open_plain

from ..blobs import flush_folder
from . import tensor_files
from .atomic import read_json, write_json
from .catalogue import File
from .hub import Broken, Facts, Hub, NoSuchRange

CHUNK = 1 << 20
RESERVE = 256 * 1024 * 1024
"""Bytes that a download leaves free on the disk: jobs need room too."""
MAX_FAILURES = 6
"""Connections that may break in a row without a single byte arriving."""
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Paused(Exception):
    """The download was asked to stop; what has arrived is kept."""


class _Wrong(Exception):
    """All bytes are here, and they are not the file."""


@dataclass
class Fetch:
    """Downloads one file.

    Args:
        hub: where from.
        repo, revision: which repository, at which commit.
        file: what the catalogue knows of it.
        target: its final path.
        arrived: called with the bytes that are here now, after every piece.
        stop: asked after every piece; True raises Paused.
        backoff: seconds to wait after the first break; doubled each time.
        reserve: bytes that have to stay free on the disk.
    """

    hub: Hub
    repo: str
    revision: str
    file: File
    target: Path
    arrived: Callable[[int], None] = lambda _: None
    stop: Callable[[], bool] = lambda: False
    backoff: float = 1.0
    reserve: int = RESERVE
    _etag: str = field(default="", init=False)

    def run(self) -> Facts:
        """Fetch what is missing; returns what the file was proved to be.

        Raises:
            Paused: see `stop`.
            WireError: download_failed, disk_full. What has arrived is kept, unless it is proved wrong.
        """
        self.target.parent.mkdir(parents=True, exist_ok=True)
        facts = self._pinned(self._patiently(lambda: self.hub.facts(self.repo, self.revision, self.file.name)))
        self._take_up(facts)
        self._check_room(facts.size - self._here())
        for again in (True, False):
            try:
                self._patiently(lambda: self._receive(facts))
                return self._finish(facts)
            except _Wrong as wrong:
                # One second chance: a bit can flip anywhere between a disk there and a disk here.
                self._drop()
                if not again:
                    message = f"{self.file.name} arrived damaged twice ({wrong}); it was deleted."
                    raise WireError("download_failed", message, "Set another mirror, or import a copy.") from wrong
            except OSError as error:
                if error.errno in _NO_ROOM:
                    raise _full() from error
                raise
        raise AssertionError

    @property
    def _partial(self) -> Path:
        return self.target.with_name(self.target.name + ".partial")

    @property
    def _journal(self) -> Path:
        return self.target.with_name(self.target.name + ".journal")

    def _here(self) -> int:
        try:
            return self._partial.stat().st_size
        except FileNotFoundError:
            return 0

    def _pinned(self, facts: Facts) -> Facts:
        """The hub's word joined with the catalogue's; where they differ, the catalogue's was pinned and wins."""
        file = self.file
        if (file.size and facts.size != file.size) or (file.sha256 and facts.sha256 not in ("", file.sha256)):
            message = f"The hub offers another {self.file.name} than the one that S²Edit knows."
            raise WireError("download_failed", message, "Nothing was downloaded. Update S²Edit, or set another mirror.")
        sha256 = file.sha256 or facts.sha256
        if not sha256 and not facts.git_sha1:
            message = f"The hub tells no digest of {file.name}, so it could not be checked."
            raise WireError("download_failed", message, "Nothing was downloaded. Set another mirror.")
        return Facts(facts.size, sha256, facts.git_sha1)

    def _take_up(self, facts: Facts) -> None:
        """Go on with a part of this very file; anything else that lies there is of no use."""
        try:
            journal = read_json(self._journal)
            known, self._etag = Facts(**journal["facts"]), str(journal["etag"])
        except (KeyError, TypeError):
            known = None
        if known != facts or self._here() > facts.size:
            self._drop()

    def _drop(self) -> None:
        self._partial.unlink(missing_ok=True)
        self._journal.unlink(missing_ok=True)
        self._etag = ""

    def _check_room(self, missing: int) -> None:
        if hasattr(os, "statvfs"):
            state = os.statvfs(self.target.parent)
            if state.f_bavail * state.f_frsize < missing + self.reserve:
                raise _full(missing + self.reserve)

    def _patiently(self, attempt: Callable[[], Facts | None]) -> Facts:
        """Try, and after a break try again, for as long as bytes keep coming."""
        failures, wait, before = 0, self.backoff, self._here()
        while True:
            try:
                return attempt() or Facts(0)
            except Broken as broken:
                now = self._here()
                failures = failures + 1 if now <= before else 1
                wait = wait * 2 if failures > 1 else self.backoff
                before = now
                if failures >= MAX_FAILURES:
                    message = f"The model hub can't be reached, or keeps breaking off: {broken}."
                    hint = "Check the connection, the mirror and the proxy, and try again: what has arrived is kept."
                    raise WireError("download_failed", message, hint) from broken
            self._sleep(min(wait, 30.0))

    def _sleep(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while True:
            if self.stop():
                raise Paused
            left = end - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, 0.2))

    def _receive(self, facts: Facts) -> None:
        offset = self._here()
        if offset == facts.size and self._partial.exists():
            return
        try:
            body = self.hub.open(self.repo, self.revision, self.file.name, offset, self._etag)
        except NoSuchRange:
            self._drop()
            raise
        if body.start not in (0, offset):
            body.close()
            raise Broken("the store sent another part of the file than was asked for")
        try:
            if body.etag != self._etag or not self._journal.exists():
                self._etag = body.etag
                write_json(self._journal, {"facts": asdict(facts), "etag": body.etag})
            with self._partial.open("r+b" if body.start else "wb") as file:
                file.seek(body.start)
                file.truncate()
                here = body.start
                while here < facts.size:
                    piece = body.read(min(CHUNK, facts.size - here))
                    if not piece:
                        raise Broken("it ended too early")
                    file.write(piece)
                    here += len(piece)
                    self.arrived(here)
                    if self.stop():
                        raise Paused
                file.flush()
                os.fsync(file.fileno())
        finally:
            body.close()

    def _finish(self, facts: Facts) -> Facts:
        fault = verify(self._partial, facts, self.stop)
        if fault:
            raise _Wrong(fault)
        if self.target.name.endswith(".safetensors"):
            try:
                tensor_files.check(self._partial)
            except tensor_files.BadTensorFile as error:
                raise _Wrong(str(error)) from error
        self._partial.replace(self.target)
        flush_folder(self.target.parent)
        self._journal.unlink(missing_ok=True)
        return facts


def verify(path: Path, facts: Facts, stop: Callable[[], bool] = lambda: False) -> str:
    """What is wrong with a file, or "" when its size and digest are right; reads all of it.

    Args:
        stop: asked after every piece; True raises Paused.
    """
    with open_plain(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size != facts.size:
            return f"{size} bytes where {facts.size} belong"
        if facts.sha256:
            digest, wanted, fault = hashlib.sha256(), facts.sha256, "its SHA-256 is wrong"
        else:
            # What git calls a blob; the hub gives no other digest of its small files, and it is binding for a revision.
            digest, wanted = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False), facts.git_sha1
            fault = "its digest is wrong"
        while piece := file.read(CHUNK):
            digest.update(piece)
            if stop():
                raise Paused
    return "" if digest.hexdigest() == wanted else fault


def _full(needed: int = 0) -> WireError:
    figure = f" {needed / 2**30:.1f} GiB are needed." if needed else ""
    return WireError("disk_full", f"There is no room for these weights.{figure}", "Free some space and try again.")
