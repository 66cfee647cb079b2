"""A model's download in a thread of its own: file after file, paused and taken up again, over restarts too."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from s2edit_wire.errors import WireError

from .atomic import read_json, write_json
from .catalogue import CatalogueEntry, File
from .download import Fetch, Paused
from .hub import Hub
from .places import fetched, note_fetched

LOG = logging.getLogger(__name__)
NOTE = "transfer.json"
TELL_INTERVAL = 0.25
"""Seconds between two reports of bytes, at least."""
_RATE_SPAN = 3.0
"""Seconds that the speed is the mean of."""


class Transfer:
    """Downloads what is missing of a model.

    Args:
        entry: which.
        folder: its own folder.
        hub: where from.
        changed: called when there is news: bytes, the end, a failure. From the transfer's thread.
        options: passed on to `download.Fetch` (its `backoff` and `reserve`).
    """

    def __init__(
        self,
        entry: CatalogueEntry,
        folder: Path,
        hub: Hub,
        changed: Callable[[], None],
        options: dict[str, float] | None = None,
    ) -> None:
        self.entry, self.folder = entry, folder
        self._hub, self._changed, self._options = hub, changed, options or {}
        self._stop = threading.Event()
        self._keep_note = False
        self._ended = False
        self._told = 0.0
        self._samples: list[tuple[float, int]] = []
        self._whole = 0
        self._thread = threading.Thread(target=self._run, name=f"download {entry.id}", daemon=True)

    def start(self) -> None:
        """Begin."""
        write_note(self.folder, "downloading")
        self._thread.start()

    def pause(self, *, for_restart: bool = False) -> None:
        """Stop soon and keep what has arrived; with `for_restart`, the next daemon goes on by itself."""
        self._keep_note = for_restart
        self._stop.set()

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end; True when it has come."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    @property
    def active(self) -> bool:
        """Whether it is still at work."""
        return self._thread.is_alive() and not self._ended

    def rate(self) -> float:
        """Bytes a second, lately."""
        samples = self._samples[:]
        if len(samples) < 2:
            return 0.0
        (since, before), (now, after) = samples[0], samples[-1]
        return max(0.0, (after - before) / max(now - since, 1e-3))

    def _run(self) -> None:
        state, message = "done", ""
        try:
            for file in missing(self.entry, self.folder):
                self._fetch(file)
        except Paused:
            state = "downloading" if self._keep_note else "paused"
        except WireError as error:
            state, message = "failed", f"{error.message} {error.hint}".strip()
        except Exception:
            LOG.exception("the download of %s stopped", self.entry.id)
            state, message = "failed", "A fault in S²Edit stopped the download. The daemon's log has the details."
        try:
            write_note(self.folder, state, message)
        except OSError:
            LOG.exception("the state of the download of %s can't be noted", self.entry.id)
        self._samples = []
        self._ended = True
        self._changed()

    def _fetch(self, file: File) -> None:
        self._whole = present_bytes(self.entry, self.folder, but=file.name)
        fetch = Fetch(
            self._hub,
            self.entry.repo,
            self.entry.revision,
            file,
            self.folder / file.name,
            arrived=self._arrived,
            stop=self._stop.is_set,
            **self._options,  # type: ignore[arg-type]
        )
        facts = fetch.run()
        note_fetched(self.folder, file.name, asdict(facts) | {"at": time.time()})
        self._changed()

    def _arrived(self, here: int) -> None:
        now = time.monotonic()
        if now - self._told >= TELL_INTERVAL:
            self._told = now
            fresh = [sample for sample in self._samples if now - sample[0] < _RATE_SPAN]
            self._samples = [*fresh, (now, self._whole + here)]
            self._changed()


def missing(entry: CatalogueEntry, folder: Path) -> list[File]:
    """The files that are not here, or are here without having been verified."""
    known = fetched(folder)
    return [file for file in entry.files if not is_whole(folder / file.name, known.get(file.name))]


def is_whole(path: Path, facts: dict[str, object] | None) -> bool:
    """Whether a file is on the record of verified files and still has its size."""
    try:
        return facts is not None and path.stat().st_size == facts["size"]
    except (OSError, KeyError):
        return False


def present_bytes(entry: CatalogueEntry, folder: Path, but: str = "") -> int:
    """Bytes of the entry that are here, parts included; `but` leaves one file out."""
    total = 0
    for file in entry.files:
        if file.name != but:
            path = folder / file.name
            total += _size(path) or _size(path.with_name(path.name + ".partial"))
    return total


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def write_note(folder: Path, state: str, message: str = "") -> None:
    """Record how a download stands: `downloading`, `paused`, `failed` or `done`."""
    write_json(folder / NOTE, {"state": state, "message": message})


def read_note(folder: Path) -> tuple[str, str]:
    """(state, message) of the last download, ("", "") when there was none."""
    note = read_json(folder / NOTE)
    return str(note.get("state", "")), str(note.get("message", ""))
