"""Which models there are and where each one's files lie now: the catalogue, the imports and the disk together."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from s2edit_wire.errors import WireError

from . import confined, imports, places, transfers
from .catalogue import CatalogueEntry
from .places import ModelFiles

LOG = logging.getLogger(__name__)
COMBINED, UPSCALED = "combined", "upscaled"
"""In the weights folder: what is put together of several models. Nothing there was downloaded."""
_UPSCALER = "upscaler"
"""The folder in a checkpoint's that `s2edit.picture.resolution.UPSCALER` names."""


class Finder:
    """Looks models up. Safe to use from several threads.

    Args:
        folder: the weights folder.
        catalogue: entries by id.
        caches: Hugging Face cache folders.
    """

    def __init__(self, folder: Path, catalogue: Mapping[str, CatalogueEntry], caches: list[Path]) -> None:
        self.folder, self.catalogue = folder, dict(catalogue)
        self.faults: dict[str, str] = {}
        """What a verification found wrong, by model."""
        self._caches = caches
        self._headers = places.HeaderChecks()
        self._imports: dict[str, imports.Import] = {}
        self.rescan()

    def rescan(self) -> None:
        """Read the list of imports again, and forget verdicts about files that may have been mended since."""
        self._imports = {entry.entry.id: entry for entry in imports.read(self.folder)}
        self.look_again()
        self.faults.clear()

    def look_again(self) -> None:
        """Forget which headers were looked over."""
        self._headers = places.HeaderChecks()

    def entries(self) -> list[CatalogueEntry]:
        """The catalogue and the user's own models."""
        return [*self.catalogue.values(), *(known.entry for known in self._imports.values())]

    def entry(self, model: str) -> CatalogueEntry:
        """A model; raises WireError("unknown_model")."""
        for entry in self.entries():
            if entry.id == model:
                return entry
        hint = f"There are: {', '.join(entry.id for entry in self.entries())}."
        raise WireError("unknown_model", f"There is no model “{model}”.", hint)

    def captioner(self, entry: CatalogueEntry) -> CatalogueEntry:
        """The model that proposes prompts for an editor: drawn portraits need none, others take the catalogue's."""
        if entry.role == "captioner" or entry.domain == "cartoon":
            return entry
        return next((other for other in self.catalogue.values() if other.role == "captioner"), entry)

    def own(self, entry: CatalogueEntry) -> Path:
        """The folder that S²Edit downloads the entry to."""
        return places.own_folder(self.folder, entry)

    def imported(self, entry: CatalogueEntry) -> bool:
        """Whether it is one of the user's own."""
        return entry.id in self._imports

    def parts(self, entry: CatalogueEntry) -> list[CatalogueEntry]:
        """The models that a combined one is made of; [] for any other."""
        return [self.catalogue[name] for name in (entry.base, entry.decoder) if name] if entry.base else []

    def place(self, entry: CatalogueEntry) -> tuple[ModelFiles | None, str]:
        """Where the model is (None: nowhere whole), and what is wrong with it there, or ""."""
        fault = self.faults.get(entry.id, "")
        if self.imported(entry):
            known = self._imports[entry.id]
            return ModelFiles(known.path, "imported"), known.fault or fault or self._headers.folder_fault(known.path)
        if entry.embedded:
            folder = places.embedded_folder()
            if not (folder / "model_index.json").is_file():
                return None, ""
            return ModelFiles(folder, "embedded"), fault or self._headers.folder_fault(folder)
        if entry.base:
            return self._combined(entry)
        own = self.own(entry)
        if not transfers.missing(entry, own):
            return ModelFiles(own, "own"), fault or self._headers.folder_fault(own)
        # A cached copy that was found wrong is not S²Edit's to mend: a download of its own takes its place.
        for snapshot in () if fault else places.cached_snapshots(entry, self._caches):
            weights = [snapshot / file.name for file in entry.files if file.name.endswith(".safetensors")]
            if not any(self._headers.fault(file) for file in weights):
                return ModelFiles(snapshot, "cache"), ""
        return None, fault

    def _combined(self, entry: CatalogueEntry) -> tuple[ModelFiles | None, str]:
        """A folder of links to an editor's files, with another decoder in the place of its own."""
        found = [self.place(part) for part in self.parts(entry)]
        fault = next((fault for _, fault in found if fault), "")
        if fault or any(place is None for place, _ in found):
            return None, fault
        base, decoder = (place.path for place, _ in found if place is not None)
        try:
            folder = self._linked(COMBINED, entry, base, "vae", decoder)
        except (OSError, WireError) as error:
            LOG.warning("%s can't be put together: %s", entry.id, error)
            return None, f"it can't be put together ({getattr(error, 'strerror', None) or error})"
        return ModelFiles(folder, "own"), ""

    def with_upscaler(self, entry: CatalogueEntry, path: Path) -> Path:
        """A folder of links to an editor's files and the catalogue's upscaler for its kind of pictures.

        The model's own path where no such upscaler is installed, where it brings one, and for a single file.
        """
        upscalers = [other for other in self.catalogue.values() if other.role == "upscaler"]
        fitting = [other for other in upscalers if other.domain == entry.domain]
        if not fitting or entry.role != "editor" or not path.is_dir() or (path / _UPSCALER).exists():
            return path
        place, fault = self.place(fitting[0])
        if place is None or fault:
            return path
        try:
            return self._linked(UPSCALED, entry, path, _UPSCALER, place.path)
        except (OSError, WireError) as error:
            LOG.warning("%s gets no upscaler: %s", entry.id, error)
            return path

    def _linked(self, kind: str, entry: CatalogueEntry, base: Path, part: str, other: Path) -> Path:
        """A model's folder of links, made where it isn't; raises OSError, WireError."""
        name = sha256(f"{base}\0{other}".encode()).hexdigest()[:12]
        folder = confined.join(self.folder, kind, entry.id, name)
        if not folder.is_dir():
            _link_together(folder, base, part, other)
        return folder


def _link_together(folder: Path, base: Path, part: str, other: Path) -> None:
    """Make the folder of links anew; what was put together there before is of no use any more.

    One of the parts is another model's: a single file of weights is called `model.safetensors` there.
    """
    shutil.rmtree(folder.parent, ignore_errors=True)
    half = folder.with_name(folder.name + ".partial")
    sources = {file.relative_to(base): file for file in places.read_by_loaders(base) if file.is_file()}
    sources = {name: file for name, file in sources.items() if name.parts[0] != part}
    own = [file for file in other.iterdir() if file.is_file()]
    alone = not any(file.name == "config.json" for file in own)
    for file in own:
        plain = alone and file.suffix == ".safetensors"
        sources[Path(part, "model.safetensors" if plain else file.name)] = file
    for name, file in sources.items():
        if name.suffix in {".json", ".txt", ".safetensors"} and name.name not in {places.FETCHED, transfers.NOTE}:
            (half / name).parent.mkdir(parents=True, exist_ok=True)
            _link(half / name, file.resolve())
    half.replace(folder)


def _link(name: Path, file: Path) -> None:
    """A link where the system allows one: Windows may not, and a hard link can't leave its disk."""
    for make in (name.symlink_to, name.hardlink_to):
        try:
            make(file)
        except OSError:
            continue
        return
    shutil.copyfile(file, name)
