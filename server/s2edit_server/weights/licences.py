"""Which licences were accepted on this machine, and when: `licences.json` in the weights folder."""

from __future__ import annotations

import datetime
from pathlib import Path

from .atomic import read_json, write_json
from .catalogue import CatalogueEntry


class Licences:
    """The record of acceptances.

    Args:
        path: the file; a missing or unreadable one means that nothing was accepted.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def accepted(self, entry: CatalogueEntry) -> bool:
        """Whether the entry may be used: its licence asks for nothing, or this very licence was accepted."""
        return not entry.ask_licence or self._read().get(entry.id, {}).get("licence") == entry.licence

    def accept(self, entry: CatalogueEntry) -> None:
        """Record today's acceptance."""
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        accepted = {"licence": entry.licence, "text": entry.licence_url, "accepted": now}
        write_json(self._path, self._read() | {entry.id: accepted})

    def _read(self) -> dict[str, dict[str, str]]:
        return {model: record for model, record in read_json(self._path).items() if isinstance(record, dict)}
