"""This computer's part in a studio: what `s2edit cluster head` and `join` write into `cluster/` of the state folder."""

from __future__ import annotations

import ipaddress
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec
from s2edit_server.bridge_link import HEAD_FILE
from s2edit_wire.errors import WireError
from s2edit_wire.private_files import read_private_json, write_private_json

from . import certificates

HEAD, HOST = HEAD_FILE, "cluster/host.json"
JOIN_FILE = "join.s2edit"
MAX_FILE = 64 * 1024
DEFAULT_PORT = 7300
PORTS = 50
"""How many ports after the first a computer's part takes (`node.command` says for what)."""
CHECKED = ("s2edit", "torch", "ray", "diffusers", "transformers")
"""Packages whose versions have to be the head's: else the same job gives other pixels, or Ray refuses."""


class Invitation(msgspec.Struct, forbid_unknown_fields=True):
    """What `join.s2edit` says; whoever has it is of the studio and can run programs on all its computers."""

    head: str
    port: int
    token: str
    authority: str
    authority_key: str
    versions: dict[str, str]


class Member(msgspec.Struct, forbid_unknown_fields=True):
    """This computer's part: the head's address and first port, its own, and how many of its cards serve."""

    head: str
    head_port: int
    address: str
    port: int
    seats: int


@dataclass(frozen=True)
class Studio:
    """A member and its files' folder."""

    member: Member
    folder: Path

    @property
    def is_head(self) -> bool:
        """Whether this is the head."""
        return (self.folder.parent / HEAD).is_file()

    def environment(self) -> dict[str, str]:
        """What every process of Ray's here needs; token and certificates in both directions, always."""
        return {
            "RAY_USE_TLS": "1",
            "RAY_TLS_SERVER_CERT": str(self.folder / "own.crt"),
            "RAY_TLS_SERVER_KEY": str(self.folder / "own.key"),
            "RAY_TLS_CA_CERT": str(self.folder / "authority.crt"),
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(self.folder / "token"),
            "RAY_USAGE_STATS_ENABLED": "0",
            # A cut cable is heard after 9 s with these, after 64 s without.
            "RAY_health_check_period_ms": "1000",
            "RAY_health_check_timeout_ms": "2000",
            "RAY_health_check_failure_threshold": "3",
            # A head that comes back knows nobody: to wait for the old one for a minute would only delay that.
            "RAY_gcs_rpc_server_reconnect_timeout_s": "15",
            # The workers' cards are ours to choose, and their memory is our own worker's to watch.
            "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
            "RAY_memory_monitor_refresh_ms": "0",
        }


def versions() -> dict[str, str]:
    """Versions of all that has to be the same on every computer."""
    import platform

    return {"python": platform.python_version()} | {name: metadata.version(name) for name in CHECKED}


def found(state: Path) -> Studio | None:
    """This computer's part, None where it has none; raises Unreachable for files that others could have written."""
    for name in (HEAD, HOST):
        try:
            told = read_private_json(state / name, MAX_FILE, secret=True)
        except FileNotFoundError:
            continue
        try:
            return Studio(msgspec.convert(told, Member), state / "cluster")
        except msgspec.ValidationError as error:
            raise _damaged(state / name) from error
    return None


def found_studio(state: Path) -> Studio:
    """As `found`; raises WireError where this computer is in no studio."""
    studio = found(state)
    if studio is None:
        raise WireError(
            "wrong_state",
            "This computer is in no studio.",
            "Run: s2edit cluster head ADDRESS, or: s2edit cluster join FILE",
        )
    return studio


def make_head(state: Path, address: str, port: int, seats: int) -> Studio:
    """Make this computer a new studio's head; its `join.s2edit` lies in `cluster/`. Raises WireError."""
    _refuse_second(state)
    authority, key = certificates.authority()
    invitation = Invitation(checked_address(address), port, secrets.token_hex(32), authority, key, versions())
    return _settle(state, invitation, Member(address, port, address, port, seats), HEAD)


def join(state: Path, invitation: Invitation, address: str, port: int, seats: int) -> Studio:
    """Make this computer one of the studio's; raises WireError."""
    _refuse_second(state)
    different = [
        f"{name} {ours} instead of {theirs}"
        for name, theirs in invitation.versions.items()
        if (ours := versions().get(name, "none")) != theirs
    ]
    if different:
        raise WireError(
            "unsupported_version",
            f"This computer has other versions than the studio's head: {', '.join(different)}.",
            "Install the same on both, and join again.",
        )
    member = Member(invitation.head, invitation.port, checked_address(address), port, seats)
    return _settle(state, invitation, member, HOST)


def read_invitation(path: Path) -> Invitation:
    """The file that the head wrote; raises Unreachable, WireError."""
    try:
        return msgspec.convert(read_private_json(path, MAX_FILE, secret=False), Invitation)
    except FileNotFoundError as error:
        raise WireError("bad_setting", f"There is no file “{path}”.", "Bring join.s2edit from the head.") from error
    except msgspec.ValidationError as error:
        raise _damaged(path) from error


def forget(state: Path) -> None:
    """Take this computer's part away: keys, certificates and all."""
    shutil.rmtree(state / "cluster", ignore_errors=True)


def checked_address(address: str) -> str:
    """An address that other computers can reach; raises WireError."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        parsed = None
    if parsed is None or parsed.version != 4 or parsed.is_unspecified or address == "127.0.0.1":
        raise WireError(
            "bad_setting",
            f"“{address[:64]}” can't be this computer's address in a studio.",
            "Give its IPv4 address in the studio's own network, such as 192.168.0.10.",
        )
    return address


def _refuse_second(state: Path) -> None:
    if found(state) is not None:
        raise WireError("wrong_state", "This computer is in a studio already.", "Run first: s2edit cluster leave")


def _settle(state: Path, invitation: Invitation, member: Member, name: str) -> Studio:
    folder = state / "cluster"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    own, key = certificates.issue(invitation.authority, invitation.authority_key, member.address)
    texts: Mapping[str, str] = {
        "authority.crt": invitation.authority,
        "own.crt": own,
        "own.key": key,
        "token": invitation.token,
    }
    for file, text in texts.items():
        path = folder / file
        path.touch(mode=0o600)
        path.write_text(text, encoding="ascii")
    if name == HEAD:
        write_private_json(folder / JOIN_FILE, _plain(invitation))
    write_private_json(state / name, _plain(member))
    return Studio(member, folder)


def _plain(record: Invitation | Member) -> dict[str, Any]:
    return msgspec.structs.asdict(record)


def _damaged(path: Path) -> WireError:
    return WireError("bad_setting", f"“{path.name}” is damaged or of another version.", "Set the studio up again.")
