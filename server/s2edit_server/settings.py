"""The daemon's settings: a validated JSON file in the state folder, changed all or none, written atomically."""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path
from typing import Annotated, Any, cast

import msgspec
import msgspec.inspect
from msgspec import Meta
from s2edit_wire.errors import WireError
from s2edit_wire.plain_files import read_plain

from .blobs import room_errors

LOG = logging.getLogger(__name__)
MAX_FILE = 64 * 1024
"""Bytes of the file; S²Edit writes about one thousand."""
GIB = 1024**3
Bytes = Annotated[int, Meta(ge=0, le=2**53 - 1)]
ModelId = Annotated[str, Meta(max_length=100)]
Url = Annotated[str, Meta(max_length=500, pattern=r"^(https?://[^\s]+)?$")]


class DaemonSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every setting with its default; names are what `configure` and `settings` messages use.

    Args:
        idle_unload_s: seconds without a job after which the model leaves the device; 0 for never.
        threads: compute threads of the worker, 0 for its own choice.
        compiled: have the worker compile the model with torch.compile. An edit of a new size takes minutes longer then,
            every other one less; where no compiler works, the worker's log says so and edits go on uncompiled.
        device: what the worker computes on: "auto" prefers CUDA, then Apple's GPU, then the processor.
        cards: which cards work side by side, each with a worker of its own, where `device` leaves the choice: "all", or
            their numbers from 0, such as "0,2". Read when the daemon starts.
        workers: how many work side by side on the processor. Read when the daemon starts.
        precision: of the U-Net's passes, as `model.device.precision` takes it; "auto" is what is safe on the device.
        cancel_s: seconds that a cancelled step may still take (three steps, if those are longer).
        pulse_s: seconds without a sign of life after which the worker is killed.
        stall_s: seconds without progress after which the worker is killed.
        result_quota: bytes of stored inputs and results; over it, acknowledged and then old ones are dropped,
            first those of the painter who holds the most.
        result_days: days after which an ended job is removed.
        result_grace_s: seconds that an acknowledged result is still kept.
        cache_quota: bytes of this computer's identity cache, which never takes more than half of the free disk.
        offline: no connection off this machine is attempted.
        mirror: base address of a mirror of the model hub, "" for the hub itself.
        proxy: address of an HTTP proxy for downloads, "" for the system's.
        default_model: model for programs that have none of their own below.
        model_gimp, model_krita, model_cli: default models per program, "" for `default_model`.
        queue_paused: whether the queue was paused when the daemon last ran.
        log_level: `debug` also logs prompts.
    """

    idle_unload_s: Annotated[float, Meta(ge=0, le=86_400)] = 600
    threads: Annotated[int, Meta(ge=0, le=1_024)] = 0
    compiled: bool = False
    device: Annotated[str, Meta(pattern=r"^(auto|cpu|mps|cuda(:(0|[1-9][0-9]?))?)\Z")] = "auto"
    cards: Annotated[str, Meta(pattern=r"^(all|[0-9]{1,2}(,[0-9]{1,2}){0,15})\Z")] = "all"
    workers: Annotated[int, Meta(ge=1, le=16)] = 1
    precision: Annotated[str, Meta(pattern=r"^(auto|float32|tf32|bfloat16|float16)\Z")] = "auto"
    cancel_s: Annotated[float, Meta(ge=0.05, le=600)] = 10
    pulse_s: Annotated[float, Meta(ge=2, le=600)] = 30
    stall_s: Annotated[float, Meta(ge=2, le=86_400)] = 1_800
    result_quota: Bytes = 10 * GIB
    result_days: Annotated[float, Meta(ge=0, le=3_650)] = 7
    result_grace_s: Annotated[float, Meta(ge=0, le=31_536_000)] = 3_600
    cache_quota: Bytes = 20 * GIB
    offline: bool = False
    mirror: Url = ""
    proxy: Url = ""
    default_model: ModelId = "portraits"
    model_gimp: ModelId = ""
    model_krita: ModelId = ""
    model_cli: ModelId = ""
    queue_paused: bool = False
    log_level: Annotated[str, Meta(pattern="^(debug|info|warning)$")] = "info"


class SettingsFile:
    """The settings and their file.

    Args:
        path: `settings.json`; what can't be used of it is left out, and a copy is kept beside as `settings.json.bad`.
            Where that might have said to stay offline, or which way to take, S²Edit stays offline until it is told.
        overrides: values from the command line: they win for this run and are not written.

    Attributes:
        notice: what people have to know about the file, or "".
    """

    def __init__(self, path: Path, **overrides: object) -> None:
        self._path = path
        self._overrides = {name: value for name, value in overrides.items() if value is not None}
        self.notice = ""
        self._saved = self._load()

    @property
    def now(self) -> DaemonSettings:
        """The settings in force."""
        return msgspec.structs.replace(self._saved, **self._overrides)

    def as_map(self) -> dict[str, object]:
        """The settings in force, by name."""
        return msgspec.structs.asdict(self.now)

    def configure(self, changes: dict[str, object]) -> DaemonSettings:
        """Change all of these settings or, when one of them is wrong, none: WireError("bad_setting") names it.

        Also raises WireError("disk_full").
        """
        known = msgspec.structs.asdict(self._saved)
        for name in changes:
            if name not in known:
                raise WireError("bad_setting", f"There is no setting “{name[:64]}”.")
        try:
            changed = msgspec.convert({**known, **changes}, DaemonSettings)
        except msgspec.ValidationError as error:
            wrong = next(name for name, value in changes.items() if not _is_valid(name, value))
            raise WireError("bad_setting", _requirement(wrong)) from error
        with room_errors():
            self._write(changed)
        self._saved = changed
        for name in changes:
            self._overrides.pop(name, None)
        if "offline" in changes:
            self.notice = ""
        return self.now

    def _load(self) -> DaemonSettings:
        data = None
        try:
            data = read_plain(self._path, MAX_FILE)
            found = msgspec.json.decode(data, type=dict[str, Any])
        except FileNotFoundError:
            return DaemonSettings()
        except (OSError, ValueError, RecursionError):
            found = {"": None}
        # What is right in a file from another version stays in force.
        kept = {name: value for name, value in found.items() if name in _KINDS and _is_valid(name, value)}
        left_out = found.keys() - kept.keys()
        if not left_out:
            return msgspec.convert(kept, DaemonSettings)
        if "offline" not in kept or left_out & _NETWORK:
            # To be online all at once would be worst.
            kept["offline"] = True
            self.notice = "S²Edit's settings were damaged, so it stays offline until you switch that in the settings."
        names = ", ".join(sorted(left_out)) or "all of it"
        LOG.warning("settings.json is damaged; a copy is kept as settings.json.bad. Left out: %s", names)
        settings = msgspec.convert(kept, DaemonSettings)
        # Kept, as is what follows from it: the next start has to know it too.
        with contextlib.suppress(OSError):
            bad = self._path.with_suffix(".json.bad")
            if data is None:
                self._path.replace(bad)
            else:
                bad.write_bytes(data)
            self._write(settings)
        return settings

    def _write(self, settings: DaemonSettings) -> None:
        temporary = self._path.with_suffix(".json.new")
        with temporary.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(settings), indent=2))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)


_TYPE = cast("msgspec.inspect.StructType", msgspec.inspect.type_info(DaemonSettings))
_NETWORK = frozenset({"offline", "mirror", "proxy"})
"""Settings that say whether and which way to leave this machine."""
_KINDS = {field.name: field.type for field in _TYPE.fields}


def _is_valid(name: str, value: object) -> bool:
    try:
        msgspec.convert({name: value}, DaemonSettings)
    except msgspec.ValidationError:
        return False
    return True


def _requirement(name: str) -> str:
    """What a setting has to be, as a sentence."""
    match _KINDS[name]:
        case msgspec.inspect.BoolType():
            return f"“{name}” must be true or false."
        case msgspec.inspect.IntType(ge=low, le=high):
            return f"“{name}” must be a whole number from {low:,} to {high:,}."
        case msgspec.inspect.FloatType(ge=low, le=high):
            return f"“{name}” must be a number from {low:,} to {high:,}."
        case msgspec.inspect.StrType(pattern=None, max_length=longest):
            return f"“{name}” must be a text of at most {longest} characters."
    if name == "log_level":
        return "“log_level” must be debug, info or warning."
    if name == "device":
        return "“device” must be auto, cpu, mps or cuda, or a card by its number, such as cuda:1."
    if name == "precision":
        return "“precision” must be auto, float32, tf32, bfloat16 or float16."
    return f"“{name}” must be an address that begins with http:// or https://, or empty."
