"""What the daemon asks for: which models there are, where a model's weights lie, and what to do with them.

All methods block for moments (they look at files): call them from a thread. Long work, downloads and verifications,
runs in threads of its own and tells `on_change`.
"""

from __future__ import annotations

import logging
import os
import shutil
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from pathlib import Path
from typing import Any

from s2edit_wire.errors import WireError

from s2edit.model.instructed import INSTRUCTED, kinds

from ..settings import DaemonSettings
from . import confined, places, transfers
from .catalogue import CatalogueEntry, load, load_own
from .download import Paused
from .finder import Finder
from .hub import Hub, find_token
from .licences import Licences
from .places import ModelFiles
from .verification import damaged_files

LOG = logging.getLogger(__name__)
_SHOWN = ("id", "title", "purpose", "role", "domain", "native", "memory", "licence", "gated", "embedded")
"""Fields of an entry that its record shows as they are."""


class Weights:
    """All weights of this machine. Thread-safe.

    Args:
        state_folder: `weights/` below it holds downloads, licences, imports, the token and the user's own catalogue.
        settings: asked for each time (offline, mirror, proxy).
        on_change: called with a changed model's record (`s2edit_wire.records.MODEL`), from whatever thread.
        catalogue: by id; S²Edit's own and the user's additions when left out.
        caches: Hugging Face cache folders; the environment's when left out.
        options: passed on to downloads, for tests.
    """

    def __init__(
        self,
        state_folder: Path,
        settings: Callable[[], DaemonSettings],
        on_change: Callable[[dict[str, Any]], None] = lambda _: None,
        *,
        catalogue: Mapping[str, CatalogueEntry] | None = None,
        caches: list[Path] | None = None,
        options: dict[str, float] | None = None,
    ) -> None:
        self.folder = state_folder / "weights"
        self._settings, self._on_change, self._options = settings, on_change, options
        known = catalogue if catalogue is not None else load() | load_own(self.folder)
        known = {name: entry.counted(kinds()[entry.family].memory) for name, entry in known.items()}
        self._finder = Finder(self.folder, known, caches if caches is not None else places.hub_caches())
        self._licences = Licences(self.folder / "licences.json")
        self._lock = threading.RLock()
        self._transfers: dict[str, transfers.Transfer] = {}
        self._checking: dict[str, Future[None]] = {}
        self._closed = threading.Event()

    def rescan(self) -> None:
        """Look again for imports, and at files that may have been mended since."""
        with self._lock:
            self._finder.rescan()

    def entries(self) -> list[CatalogueEntry]:
        """The catalogue and the user's own models."""
        return self._finder.entries()

    def entry(self, model: str) -> CatalogueEntry:
        """A model; raises WireError("unknown_model")."""
        return self._finder.entry(model)

    def models(self) -> list[dict[str, Any]]:
        """The records of all models."""
        return [self.record(entry) for entry in self.entries()]

    def model(self, model: str) -> dict[str, Any]:
        """One model's record; raises WireError("unknown_model")."""
        return self.record(self.entry(model))

    def find(self, model: str) -> Path:
        """Path of a model's folder or file, ready to be loaded, with an upscaler where one is installed for its kind.

        Raises:
            WireError: unknown_model, it is not there or damaged.
        """
        entry = self.entry(model)
        place, fault = self._finder.place(entry)
        if fault:
            message = f"The model “{entry.title}” is damaged: {fault}."
            raise WireError("unknown_model", message, "Repair it in the tray.")
        if place is None:
            hint = f"Download it ({gib(self._size(entry))}) in the tray, or with: s2edit models download {entry.id}"
            if entry.embedded:
                hint = "Install S²Edit again: its own model is missing."
            raise WireError("unknown_model", f"The model “{entry.title}” is not installed.", hint)
        return self._finder.with_upscaler(entry, place.path)

    def captioner(self, model: str) -> CatalogueEntry:
        """The model that proposes prompts for a model's pictures: often itself; raises WireError("unknown_model")."""
        return self._finder.captioner(self.entry(model))

    def act(self, model: str, action: str) -> dict[str, Any]:
        """Do one of `s2edit_wire.schema.MODEL_ACTIONS`; returns the model's record.

        All answer at once; `download`, `verify` and `repair` go on in the background (see `verifications`).

        Raises:
            WireError: unknown_model, licence_required, offline, wrong_state.
        """
        entry = self.entry(model)
        if entry.base and action == "remove":
            names = " or ".join(f"“{part.title}”" for part in self._finder.parts(entry))
            raise WireError("wrong_state", f"“{entry.title}” has no files of its own.", f"Remove {names}.")
        # Whatever else is asked of a combined model goes to those that it is made of.
        for part in self._finder.parts(entry) or [entry]:
            with self._lock:
                self._actions()[action](part)
        return self.record(entry)

    def verifications(self, model: str) -> list[Future[None]]:
        """Those under way for a model; each ends when its files are read, or when the daemon stops."""
        entry = self.entry(model)
        parts = self._finder.parts(entry) or [entry]
        return [check for part in parts if (check := self._checking.get(part.id))]

    def resume_interrupted(self) -> None:
        """Go on with downloads that were under way when the daemon last ended, unless offline."""
        for entry in self.entries():
            if entry.files and transfers.read_note(self._finder.own(entry))[0] == "downloading":
                try:
                    self.act(entry.id, "download")
                except WireError as error:
                    LOG.info("the download of %s waits: %s", entry.id, error.message)

    def close(self, timeout: float = 5.0) -> None:
        """Stop downloads, which go on at the next start, and verifications."""
        self._closed.set()
        for transfer in list(self._transfers.values()):
            transfer.pause(for_restart=True)
        for transfer in list(self._transfers.values()):
            transfer.join(timeout)

    def wait(self, model: str, timeout: float) -> bool:
        """Until no download or verification of the model is under way; False when that takes too long."""
        transfer, check = self._transfers.get(model), self._checking.get(model)
        if check is not None:
            wait([check], timeout)
        return (transfer is None or transfer.join(timeout)) and (check is None or check.done())

    def record(self, entry: CatalogueEntry) -> dict[str, Any]:
        """The record `s2edit_wire.records.MODEL`."""
        parts = self._finder.parts(entry)
        place, fault = self._finder.place(entry)
        if parts:
            state, present, message = _joined([self.record(part) for part in parts], fault)
        else:
            state, present, message = self._state(entry, place, fault)
        fields: dict[str, Any] = {name: getattr(entry, name) for name in _SHOWN}
        fields |= {
            "examples": list(entry.examples),
            "state": state,
            "size": self._size(entry) or present,
            "present": present,
            "licence_accepted": all(self._licences.accepted(part) for part in parts or [entry]),
        }
        if entry.role == "editor":
            fields["engine"] = kinds()[entry.family].title
            if entry.family in INSTRUCTED:
                fields["instructs"] = True
        if message:
            fields["message"] = message[:2_000]
        rates = [self._transfers[part.id].rate() for part in parts or [entry] if part.id in self._transfers]
        if state == "downloading":
            fields["rate"] = sum(rates)
        return fields

    def _size(self, entry: CatalogueEntry) -> int:
        return sum(part.size for part in self._finder.parts(entry) or [entry])

    def _state(self, entry: CatalogueEntry, place: ModelFiles | None, fault: str) -> tuple[str, int, str]:
        """(state, bytes present, message)."""
        checking = self._checking.get(entry.id)
        message = "The files are being verified." if checking is not None else ""
        transfer = self._transfers.get(entry.id)
        own = self._finder.own(entry)
        present = transfers.present_bytes(entry, own) if entry.files else 0
        if transfer is not None and transfer.active:
            return "downloading", present, message
        if fault:
            return "broken", present, f"Damaged: {fault}."
        if place is not None:
            return "ready", present if place.kind == "own" else places.folder_bytes(place.path), message
        note, why = transfers.read_note(own) if entry.files else ("", "")
        if note in ("paused", "downloading"):
            return "paused", present, message
        return ("partial" if present else "absent"), present, why

    def _actions(self) -> dict[str, Callable[[CatalogueEntry], None]]:
        return {
            "download": self._download,
            "pause": self._pause,
            "verify": lambda entry: self._check(entry, repair=False),
            "repair": lambda entry: self._check(entry, repair=True),
            "remove": self._remove,
            "accept_licence": self._licences.accept,
        }

    def _download(self, entry: CatalogueEntry) -> None:
        transfer = self._transfers.get(entry.id)
        if transfer is not None and transfer.active:
            return
        place, fault = self._finder.place(entry)
        if place is not None and not fault:
            return
        if not entry.files:
            hint = "Install S²Edit again to restore it." if entry.embedded else "Put a whole copy in its place."
            raise WireError("wrong_state", f"“{entry.title}” can't be downloaded.", hint)
        if not self._licences.accepted(entry):
            message = f"“{entry.title}” may only be used under the licence {entry.licence}."
            raise WireError("licence_required", message, f"Read it at {entry.licence_url} and accept it first.")
        settings = self._settings()
        if settings.offline:
            hint = "Switch offline off in the settings, or import a copy."
            raise WireError("offline", "S²Edit is set to offline.", hint)
        hub = Hub(settings.mirror, settings.proxy, find_token(self.folder, os.environ))
        transfer = transfers.Transfer(entry, self._inside(entry), hub, lambda: self._arrived(entry), self._options)
        self._transfers[entry.id] = transfer
        transfer.start()

    def _arrived(self, entry: CatalogueEntry) -> None:
        if not transfers.missing(entry, self._finder.own(entry)):
            self._finder.faults.pop(entry.id, None)
        self._tell(entry)

    def _pause(self, entry: CatalogueEntry) -> None:
        transfer = self._transfers.get(entry.id)
        if transfer is not None:
            transfer.pause()
            transfer.join(2.0)

    def _check(self, entry: CatalogueEntry, *, repair: bool) -> None:
        """Verify in the background; with `repair`, fetch what is found bad."""
        running = self._checking.get(entry.id)
        transfer = self._transfers.get(entry.id)
        if running is not None or (transfer is not None and transfer.active):
            return
        check = self._checking[entry.id] = Future()

        def run() -> None:
            try:
                self._check_now(entry, repair)
            except Paused:
                LOG.info("the verification of %s stopped with the daemon", entry.id)
            except (OSError, WireError):
                LOG.exception("the verification of %s stopped", entry.id)
            finally:
                self._checking.pop(entry.id, None)
                check.set_result(None)
            self._tell(entry)

        # A daemon thread: nothing waits for a disk that doesn't answer when S²Edit ends.
        threading.Thread(target=run, name=f"verify {entry.id}", daemon=True).start()

    def _check_now(self, entry: CatalogueEntry, repair: bool) -> None:
        place, _ = self._finder.place(entry)
        own = self._finder.own(entry)
        mine = bool(entry.files) and (place.kind == "own" if place else bool(places.fetched(own)))
        folder = own if mine else place.path if place else None
        bad = damaged_files(entry, folder, own=mine, stop=self._closed.is_set)
        with self._lock:
            self._finder.look_again()
            # Without a folder, an earlier verdict about a copy in a cache stands until a download replaces it.
            if folder is not None:
                self._finder.faults.pop(entry.id, None)
            if bad:
                self._finder.faults[entry.id] = "; ".join(f"{name}: {why}" for name, why in bad.items())
            if repair and entry.files:
                self._fetch_again(entry, own if mine else None, list(bad))

    def _fetch_again(self, entry: CatalogueEntry, own: Path | None, bad: list[str]) -> None:
        """Download what is bad; `own` is None when that lies in somebody else's folder, which is left alone."""
        if own is not None:
            for name in bad:
                confined.join(own, name).unlink(missing_ok=True)
                places.forget_fetched(own, name)
            self._finder.faults.pop(entry.id, None)
        folder = self._inside(entry)
        try:
            self._download(entry)
        except WireError as error:
            transfers.write_note(folder, "failed", f"{error.message} {error.hint}".strip())

    def _inside(self, entry: CatalogueEntry) -> Path:
        """The folder of the model's downloads, to be changed; raises WireError when a link leads elsewhere."""
        return confined.join(self.folder, *self._finder.own(entry).relative_to(self.folder).parts)

    def _remove(self, entry: CatalogueEntry) -> None:
        self._pause(entry)
        place, _ = self._finder.place(entry)
        if place is not None and place.kind != "own":
            hint = {
                "imported": "Take it off the list of imports.",
                "embedded": "It goes when S²Edit is uninstalled.",
                "cache": "It belongs to Hugging Face's cache; delete it there.",
            }[place.kind]
            raise WireError("wrong_state", f"“{entry.title}” was not downloaded by S²Edit and is left alone.", hint)
        shutil.rmtree(confined.join(self.folder, entry.id), ignore_errors=True)
        self._finder.faults.pop(entry.id, None)
        self._transfers.pop(entry.id, None)

    def _tell(self, entry: CatalogueEntry) -> None:
        self._on_change(self.record(entry))
        for other in self.entries():
            if entry in self._finder.parts(other):
                self._on_change(self.record(other))


def gib(size: int) -> str:
    """A size in bytes as people read it."""
    return f"{size / 2**30:.1f} GiB"


def _joined(records: list[dict[str, Any]], fault: str) -> tuple[str, int, str]:
    """State, bytes and message of a combined model from its parts' records."""
    states = [record["state"] for record in records]
    present = sum(record["present"] for record in records)
    message = fault or " ".join(record["message"] for record in records if "message" in record)
    for state in ("downloading", "broken", "paused"):
        if state in states:
            return state, present, message
    if fault:
        return "broken", present, message
    if set(states) == {"ready"}:
        return "ready", present, message
    return ("partial" if present else "absent"), present, message
