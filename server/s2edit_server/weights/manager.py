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
from pathlib import Path
from typing import Any

from s2edit_wire.errors import WireError

from ..settings import Settings
from . import imports, places, transfers
from .catalogue import Entry, load, load_own
from .hub import Hub, find_token
from .licences import Licences
from .places import Place
from .verification import damaged_files

LOG = logging.getLogger(__name__)
VERIFY_PATIENCE = 540.0
"""Seconds that an answer to `verify` may take; the verification goes on after them, and tells `on_change`."""


class Weights:
    """All weights of this machine. Thread-safe.

    Args:
        state_folder: `weights/` below it holds downloads, licences, imports and the token.
        settings: asked for each time (offline, mirror, proxy).
        on_change: called with a changed model's record (`s2edit_wire.records.MODEL`), from whatever thread.
        catalogue: by id; S²Edit's own and the user's additions when left out.
        caches: Hugging Face cache folders; the environment's when left out.
        options: passed on to downloads, for tests.
    """

    def __init__(
        self,
        state_folder: Path,
        settings: Callable[[], Settings],
        on_change: Callable[[dict[str, Any]], None] = lambda _: None,
        *,
        catalogue: Mapping[str, Entry] | None = None,
        caches: list[Path] | None = None,
        options: dict[str, float] | None = None,
    ) -> None:
        self.folder = state_folder / "weights"
        self._settings, self._on_change, self._options = settings, on_change, options
        self._catalogue = dict(catalogue) if catalogue is not None else load() | load_own(self.folder)
        self._caches = caches if caches is not None else places.hub_caches()
        self._licences = Licences(self.folder / "licences.json")
        self._headers = places.HeaderChecks()
        self._lock = threading.RLock()
        self._transfers: dict[str, transfers.Transfer] = {}
        self._checking: dict[str, threading.Thread] = {}
        self._faults: dict[str, str] = {}
        self._imports: dict[str, imports.Import] = {}
        self.rescan()

    def rescan(self) -> None:
        """Read the list of imports again, and forget verdicts about files that may have been mended since."""
        found = {entry.entry.id: entry for entry in imports.read(self.folder)}
        with self._lock:
            self._imports = found
            self._faults.clear()

    def entries(self) -> list[Entry]:
        """The catalogue and the user's own models."""
        return [*self._catalogue.values(), *(known.entry for known in self._imports.values())]

    def entry(self, model: str) -> Entry:
        """A model; raises WireError("unknown_model")."""
        known = self._catalogue.get(model)
        if known is None and model in self._imports:
            known = self._imports[model].entry
        if known is None:
            hint = f"There are: {', '.join(entry.id for entry in self.entries())}."
            raise WireError("unknown_model", f"There is no model “{model}”.", hint)
        return known

    def models(self) -> list[dict[str, Any]]:
        """The records of all models."""
        return [self.record(entry) for entry in self.entries()]

    def model(self, model: str) -> dict[str, Any]:
        """One model's record; raises WireError("unknown_model")."""
        return self.record(self.entry(model))

    def find(self, model: str) -> Path:
        """Path of a model's folder or file, ready to be loaded; raises WireError unknown_model when it isn't."""
        entry = self.entry(model)
        place, fault = self._place(entry)
        if fault:
            raise WireError(
                "unknown_model", f"The model “{entry.title}” is damaged: {fault}.", "Repair it in the tray."
            )
        if place is None:
            size = f"{entry.size / 2**30:.1f} GiB"
            hint = f"Download it ({size}) in the tray, or with: s2edit models download {entry.id}"
            if entry.embedded:
                hint = "Install S²Edit again: its own model is missing."
            raise WireError("unknown_model", f"The model “{entry.title}” is not installed.", hint)
        return place.path

    def act(self, model: str, action: str) -> dict[str, Any]:
        """Do one of `s2edit_wire.schema.MODEL_ACTIONS`; returns the model's record.

        `verify` reads all files and answers when it has (for minutes at most); `download` and `repair` answer at once.

        Raises:
            WireError: unknown_model, licence_required, offline, wrong_state.
        """
        entry = self.entry(model)
        with self._lock:
            {
                "download": self._download,
                "pause": self._pause,
                "verify": self._verify,
                "repair": self._repair,
                "remove": self._remove,
                "accept_licence": self._licences.accept,
            }[action](entry)
            check = self._checking.get(model) if action == "verify" else None
        if check is not None:
            check.join(VERIFY_PATIENCE)
        return self.record(entry)

    def resume_interrupted(self) -> None:
        """Go on with downloads that were under way when the daemon last ended, unless offline."""
        for entry in self._catalogue.values():
            if not entry.embedded and transfers.read_note(self._own(entry))[0] == "downloading":
                try:
                    self.act(entry.id, "download")
                except WireError as error:
                    LOG.info("the download of %s waits: %s", entry.id, error.message)

    def close(self, timeout: float = 5.0) -> None:
        """Stop downloads; they go on at the next start."""
        for transfer in list(self._transfers.values()):
            transfer.pause(for_restart=True)
        for transfer in list(self._transfers.values()):
            transfer.join(timeout)

    def wait(self, model: str, timeout: float) -> bool:
        """Until no download or verification of the model is under way; False when that takes too long."""
        transfer, check = self._transfers.get(model), self._checking.get(model)
        if check is not None:
            check.join(timeout)
        return (transfer is None or transfer.join(timeout)) and (check is None or not check.is_alive())

    def record(self, entry: Entry) -> dict[str, Any]:
        """The record `s2edit_wire.records.MODEL`."""
        place, fault = self._place(entry)
        state, present, message = self._state(entry, place, fault)
        size = entry.size or present
        fields: dict[str, Any] = {name: getattr(entry, name) for name in _SHOWN}
        fields |= {
            "examples": list(entry.examples),
            "state": state,
            "size": size,
            "present": present,
            "licence_accepted": self._licences.accepted(entry),
        }
        transfer = self._transfers.get(entry.id)
        if message:
            fields["message"] = message[:2_000]
        if transfer is not None and state == "downloading":
            fields["rate"] = transfer.rate()
        return fields

    def _state(self, entry: Entry, place: Place | None, fault: str) -> tuple[str, int, str]:
        """(state, bytes present, message)."""
        checking = self._checking.get(entry.id)
        message = "The files are being verified." if checking is not None and checking.is_alive() else ""
        transfer = self._transfers.get(entry.id)
        present = 0 if entry.embedded or not entry.files else transfers.present_bytes(entry, self._own(entry))
        if transfer is not None and transfer.active:
            return "downloading", present, message
        if fault:
            return "broken", present, f"Damaged: {fault}."
        if place is not None:
            return "ready", _bytes(place.path) if place.kind != "own" else present, message
        note, why = transfers.read_note(self._own(entry)) if entry.files else ("", "")
        if note in ("paused", "downloading"):
            return "paused", present, message
        return ("partial" if present else "absent"), present, why

    def _place(self, entry: Entry) -> tuple[Place | None, str]:
        """Where the model is, and what is wrong with it there."""
        if entry.id in self._imports:
            known = self._imports[entry.id]
            fault = known.fault or self._faults.get(entry.id) or self._headers.folder_fault(known.path)
            return Place(known.path, "imported"), fault
        if entry.embedded:
            folder = places.embedded_folder()
            if not (folder / "model_index.json").is_file():
                return None, ""
            return Place(folder, "embedded"), self._faults.get(entry.id) or self._headers.folder_fault(folder)
        own = self._own(entry)
        if not transfers.missing(entry, own):
            return Place(own, "own"), self._faults.get(entry.id) or self._headers.folder_fault(own)
        for snapshot in places.cached_snapshots(entry, self._caches):
            weights = [snapshot / file.name for file in entry.files if file.name.endswith(".safetensors")]
            if not any(self._headers.fault(file) for file in weights):
                return Place(snapshot, "cache"), ""
        return None, self._faults.get(entry.id, "")

    def _own(self, entry: Entry) -> Path:
        return places.own_folder(self.folder, entry)

    def _download(self, entry: Entry) -> None:
        transfer = self._transfers.get(entry.id)
        if transfer is not None and transfer.active:
            return
        place, fault = self._place(entry)
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
            raise WireError(
                "offline", "S²Edit is set to offline.", "Switch offline off in the settings, or import a copy."
            )
        hub = Hub(settings.mirror, settings.proxy, find_token(self.folder, os.environ))
        transfer = transfers.Transfer(entry, self._own(entry), hub, lambda: self._tell(entry), self._options)
        self._transfers[entry.id] = transfer
        transfer.start()

    def _pause(self, entry: Entry) -> None:
        transfer = self._transfers.get(entry.id)
        if transfer is not None:
            transfer.pause()
            transfer.join(2.0)

    def _verify(self, entry: Entry) -> None:
        self._check(entry, repair=False)

    def _repair(self, entry: Entry) -> None:
        self._check(entry, repair=True)

    def _check(self, entry: Entry, *, repair: bool) -> None:
        """Verify in the background; with `repair`, fetch what is found bad."""
        running = self._checking.get(entry.id)
        transfer = self._transfers.get(entry.id)
        if (running is not None and running.is_alive()) or (transfer is not None and transfer.active):
            return
        thread = threading.Thread(target=self._check_now, args=(entry, repair), name=f"verify {entry.id}", daemon=True)
        self._checking[entry.id] = thread
        thread.start()

    def _check_now(self, entry: Entry, repair: bool) -> None:
        place, fault = self._place(entry)
        own = self._own(entry) if entry.files and (place is None or place.kind == "own") else None
        bad = damaged_files(entry, own if own is not None else place.path if place else None, own=own is not None)
        with self._lock:
            self._faults.pop(entry.id, None)
            self._headers = places.HeaderChecks()
            if bad:
                self._faults[entry.id] = "; ".join(f"{name}: {why}" for name, why in bad.items())
        if repair and own is not None:
            for name in bad:
                (own / name).unlink(missing_ok=True)
                places.forget_fetched(own, name)
            with self._lock:
                self._faults.pop(entry.id, None)
                try:
                    self._download(entry)
                except WireError as error:
                    transfers.write_note(own, "failed", f"{error.message} {error.hint}".strip())
        elif fault and not bad:
            LOG.info("%s is in order again", entry.id)
        self._checking.pop(entry.id, None)
        self._tell(entry)

    def _remove(self, entry: Entry) -> None:
        self._pause(entry)
        if entry.embedded or entry.id in self._imports:
            hint = (
                "Take it off the list of imports."
                if entry.id in self._imports
                else "It goes when S²Edit is uninstalled."
            )
            raise WireError("wrong_state", f"“{entry.title}” was not downloaded by S²Edit and is left alone.", hint)
        shutil.rmtree(self.folder / entry.id, ignore_errors=True)
        self._faults.pop(entry.id, None)
        self._transfers.pop(entry.id, None)

    def _tell(self, entry: Entry) -> None:
        self._on_change(self.record(entry))


_SHOWN = ("id", "title", "purpose", "role", "domain", "native", "memory", "licence", "gated", "embedded")
"""Fields of an entry that its record shows as they are."""


def _bytes(path: Path) -> int:
    """Bytes of a file, or of all files of a folder."""
    return (
        path.stat().st_size
        if path.is_file()
        else sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    )
