"""The connection file: where the running daemon listens, and the key that only its owner can read.

`<state folder>/run/daemon.json`, mode 0600 in a folder of mode 0700, replaced in one step by each daemon.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from . import PROTOCOL_VERSION
from .auth import USERNAME
from .errors import Unreachable, WireError
from .kinds import Field, Hex, Integer, ListOf, Record, Text
from .limits import MAX_CONNECTION_FILE
from .no_line import noted
from .paths import run_folder, unusable
from .private_files import read_private_json, write_private_json

START_HINT = "Start it with: s2edit daemon start"
_TCP = re.compile(r"tcp://127\.0\.0\.1:([1-9][0-9]{0,4})\Z")
_IPC = "ipc://"

FILE = Record(
    "connection file",
    (
        Field("endpoint", Text(4_096, 1), "`ipc://` and an absolute path, or `tcp://127.0.0.1:` and a port."),
        Field("key", Hex(64), "This boot's key, or the painter's own."),
        Field("pid", Integer(1), "The daemon's process."),
        Field("protocol", ListOf(Integer(1, 1_000), 2, 2), "Lowest and highest protocol version it speaks."),
        Field("version", Text(64), "The daemon's version."),
        Field("boot", Hex(32), "Random per start of the daemon."),
        Field(
            "user", Text(32, 1), "Whose key it is: a painter's name; the daemon's own user when absent.", required=False
        ),
    ),
)


@dataclass(frozen=True)
class Connection:
    """What a connection file says, checked. `key` stays out of the repr, so that no log shows it."""

    endpoint: str
    key: str
    pid: int
    protocol: tuple[int, int]
    version: str
    boot: str
    user: str = USERNAME

    def __repr__(self) -> str:
        return f"Connection({self.endpoint!r}, pid={self.pid}, version={self.version!r})"

    def as_map(self) -> dict[str, object]:
        """What the file holds, key and all."""
        named: dict[str, object] = {"user": self.user} if self.user != USERNAME else {}
        return {
            "endpoint": self.endpoint,
            "key": self.key,
            "pid": self.pid,
            "protocol": list(self.protocol),
            "version": self.version,
            "boot": self.boot,
            **named,
        }

    @property
    def tcp_port(self) -> int | None:
        """The port on 127.0.0.1, or None for a Unix socket."""
        match = _TCP.match(self.endpoint)
        return int(match[1]) if match else None

    @property
    def socket_path(self) -> str:
        """The Unix socket's path; only when `tcp_port` is None."""
        return self.endpoint[len(_IPC) :]

    def process_is_gone(self) -> bool:
        """Whether the daemon's process surely no longer runs; False when that can't be told from here."""
        if os.name != "posix" or Path("/.flatpak-info").exists():
            return False  # Flatpak numbers processes anew, and Windows' os.kill would end the process.
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except OSError:
            return False
        return False


def connection_path(state: Path) -> Path:
    """The connection file's path inside a state folder."""
    return run_folder(state) / "daemon.json"


def write_connection_file(
    state: Path, *, endpoint: str, key: str, version: str, boot: str, user: str = USERNAME
) -> Path:
    """Tell clients where this process listens; the daemon calls it once it does. Returns the file's path.

    Args:
        state: the state folder.
        endpoint: as libzmq names it.
        key: 64 hexadecimal digits.
        version: the daemon's version.
        boot: 32 hexadecimal digits, random for this start.
        user: whose key it is.
    """
    path = connection_path(state)
    spoken = (PROTOCOL_VERSION, PROTOCOL_VERSION)
    value = Connection(endpoint, key, os.getpid(), spoken, version, boot, user).as_map()
    FILE.check(value, "")
    write_private_json(path, value)
    return path


def remove_connection_file(state: Path, boot: str) -> None:
    """Say that the daemon ended in order; leaves the file alone when it is another boot's, or not to be trusted."""
    try:
        if read_connection_file(state).boot == boot:
            connection_path(state).unlink(missing_ok=True)
    except Unreachable:
        return


def read_connection_file(state: Path) -> Connection:
    """What the connection file says.

    Raises:
        Unreachable: `not_running` when there is none, `line` when there is no line to the computer that it would name,
            `not_ours` when it can't be trusted or understood, `not_usable` when the folder that it belongs into is
            none.
    """
    path = connection_path(state)
    try:
        value = read_private_json(path, MAX_CONNECTION_FILE, secret=True)
    except FileNotFoundError as error:
        no_line = noted(state)
        if no_line is not None:
            raise no_line from error
        raise Unreachable("S²Edit is not running.", START_HINT, "not_running") from error
    except OSError as error:
        raise unusable(state, error) from error
    try:
        found = parsed(value)
    except WireError as error:
        raise Unreachable(
            "S²Edit's connection file can't be understood; it may come from another version.",
            f"Restart S²Edit; if that doesn't help, remove {path}.",
            "not_ours",
        ) from error
    if found is None:
        raise Unreachable(
            "S²Edit's connection file names a place that is not on this computer, so it is not used.",
            f"Remove {path} and start S²Edit again.",
            "not_ours",
        )
    return found


def parsed(value: object) -> Connection | None:
    """What a connection file's content says; None when its endpoint is none of this computer's. Raises WireError."""
    FILE.check(value, "")
    assert isinstance(value, dict)
    lowest, highest = value["protocol"]
    found = Connection(
        value["endpoint"],
        value["key"],
        value["pid"],
        (lowest, highest),
        value["version"],
        value["boot"],
        value.get("user", USERNAME),
    )
    port = found.tcp_port
    local = found.endpoint.startswith(_IPC + "/") and "\n" not in found.endpoint and os.name == "posix"
    return None if (port is None or port > 65_535) and not local else found
