"""The daemon's log: rotating files in the state folder, without keys, and without prompts unless asked for."""

from __future__ import annotations

import logging
import re
from logging.handlers import RotatingFileHandler
from pathlib import Path

MAX_BYTES = 2 * 1024 * 1024
KEPT = 3
_SECRET = re.compile(r"\b(?:hf_[A-Za-z0-9]{8,}|[0-9a-f]{64})\b")


class Redactor(logging.Filter):
    """Blots out what looks like a key, a password or a hub token, wherever in a record it stands."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the record in place; always lets it pass."""
        text = record.getMessage()
        if _SECRET.search(text):
            record.msg, record.args = _SECRET.sub("[redacted]", text), ()
        return True


class _RedactingFormatter(logging.Formatter):
    def formatException(self, ei: object) -> str:  # noqa: N802 - logging's name
        return _SECRET.sub("[redacted]", super().formatException(ei))  # type: ignore[arg-type]


def start(folder: Path, level: str) -> None:
    """Log to `folder/daemon.log` from now on, at `level` (`debug`, `info`, `warning`)."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handler = RotatingFileHandler(
        folder / "daemon.log", maxBytes=MAX_BYTES, backupCount=KEPT, encoding="utf-8", delay=True
    )
    handler.addFilter(Redactor())
    handler.setFormatter(_RedactingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    set_level(level)
    for chatty in ("asyncio", "filelock"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def set_level(level: str) -> None:
    """Log at this level from now on: `debug`, `info` or `warning`."""
    logging.getLogger().setLevel(level.upper())
