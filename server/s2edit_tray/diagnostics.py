"""Text for a bug report: no prompts, document or file names, paths, addresses, tokens or keys."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from typing import Any

from PySide6.QtCore import qVersion
from PySide6.QtGui import QGuiApplication

from .connection import VERSION

_STATUS = [
    "version",
    "uptime",
    "device",
    "worker",
    "memory_used",
    "memory_free",
    "queue_paused",
    "offline",
    "cache_bytes",
    "result_bytes",
    "weights_bytes",
]
_SETTINGS = ["idle_unload_s", "threads", "device", "cards", "workers", "precision", "compiled"]
_SETTINGS += ["result_quota", "result_days", "cache_quota", "offline", "log_level"]
_OWN = ("mirror", "proxy")
"""Settings that are told of only as set or not: they may hold a user's name and password."""


def diagnostics(
    status: Mapping[str, Any], settings: Mapping[str, Any], models: Iterable[Mapping[str, Any]], jobs: Mapping[str, int]
) -> str:
    """The report.

    What may be told is named here one by one, so that a field added to the protocol stays out until someone decides.

    Args:
        status, settings, models: as the daemon told last; empty when it has not.
        jobs: how many jobs failed, by error code.
    """
    lines = [
        f"S²Edit tray {VERSION}, Python {platform.python_version()}, Qt {qVersion()}, {QGuiApplication.platformName()}",
        f"{platform.system()} {platform.release()} {platform.machine()}",
    ]
    lines += [f"{name}: {status[name]}" for name in _STATUS if name in status]
    lines += [f"jobs {state}: {count}" for state, count in sorted(dict(status.get("jobs", {})).items())]
    lines += [f"failed with {code}: {count}" for code, count in sorted(jobs.items())]
    if status.get("model"):
        lines.append(f"model in memory: {_model_name(str(status['model']))}")
    lines += [f"setting {name}: {settings[name]}" for name in _SETTINGS if name in settings]
    lines += [f"setting {name}: {'set' if settings[name] else 'not set'}" for name in _OWN if name in settings]
    lines += [f"weights {_model_name(str(model['id']))}: {model['state']}" for model in models]
    return "\n".join(lines)


def _model_name(model_id: str) -> str:
    """A model's id; an imported one's is made of its file's name, which is the user's own."""
    return "an imported one" if model_id.startswith("import-") else model_id
