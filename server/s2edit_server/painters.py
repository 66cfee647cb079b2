"""Who may use the daemon: its own user with this boot's key, and painters, each with a lasting key of their own.

Whose a connection is was proven in its handshake, and libzmq tells it of every message; what a client says of itself
counts for nothing. The own user sees and does everything. A painter sees their own jobs: everybody else's are
`unknown_job` to them, whatever is asked.
"""

from __future__ import annotations

import hmac
import logging
import re
import secrets
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from s2edit_wire.auth import USERNAME, plain_credentials
from s2edit_wire.errors import Unreachable, WireError
from s2edit_wire.kinds import Hex, MapOf
from s2edit_wire.limits import MAX_PAINTERS
from s2edit_wire.private_files import read_private_json, write_private_json
from s2edit_wire.schema import MESSAGES

from . import jobs

if TYPE_CHECKING:
    from .broker import Request
    from .store import Store

LOG = logging.getLogger(__name__)
Admits = Callable[[bytes, bytes], bool]
"""Whether these are a right user name and password; asked from several threads."""
MAX_FILE = 64 * 1024
_NAME = re.compile(r"[a-z][a-z0-9._-]{0,31}\Z")
_KEYS = MapOf(Hex(64))


def only(username: str, password: str) -> Admits:
    """Admits nobody but this one."""
    return lambda user, given: (
        hmac.compare_digest(user, username.encode()) and hmac.compare_digest(given, password.encode())
    )


def seen_by(viewer: str) -> str | None:
    """Whose jobs this user sees: None for everybody's."""
    return None if viewer == USERNAME else viewer


class Painters:
    """The keys.

    Args:
        path: `painters.json`, made with the first painter; one that can't be used is put aside.
        key: this boot's, 64 hexadecimal digits.

    Attributes:
        notice: what the own user has to know of the file, or "".
    """

    def __init__(self, path: Path, key: str) -> None:
        self._path, self._own, self.notice = path, key, ""
        self._keys: dict[str, str] = {}
        try:
            found = read_private_json(path, MAX_FILE, secret=True)
            _KEYS.check(found, "painters")
            self._keys = {name: value for name, value in found.items() if _NAME.match(name)}
        except FileNotFoundError:
            pass
        except (OSError, Unreachable, WireError):
            LOG.exception("no painter is let in")
            aside = path.with_name(path.name + ".bad")
            path.replace(aside)
            self.notice = f"The list of painters can't be used. It is kept as “{aside.name}”; let them in again."

    def names(self) -> list[str]:
        """All painters."""
        return sorted(self._keys)

    def key(self, user: str) -> str:
        """Whose key that is; raises WireError("bad_setting") for a stranger."""
        found = self._own if user == USERNAME else self._keys.get(user)
        if found is None:
            raise WireError("bad_setting", f"There is no painter “{user[:32]}”.", "s2edit painter list names them.")
        return found

    def add(self, name: str) -> str:
        """Let a painter in; returns their key. Raises WireError("bad_setting")."""
        if not _NAME.match(name) or name == USERNAME:
            raise WireError(
                "bad_setting",
                "That can't be a painter's name.",
                "Use 1 to 32 of: a to z, 0 to 9, dot, dash, underscore; first a letter.",
            )
        if name in self._keys:
            raise WireError("bad_setting", f"There is a painter “{name}” already.", "Choose another name.")
        if len(self._keys) >= MAX_PAINTERS:
            raise WireError("bad_setting", f"There are {MAX_PAINTERS} painters already.", "Remove one first.")
        key = secrets.token_hex(32)
        self._change({**self._keys, name: key})
        return key

    def remove(self, name: str) -> None:
        """Shut a painter out, from the next message on; their jobs stay. Raises WireError("bad_setting")."""
        self.key(name if name != USERNAME else "")
        self._change({other: key for other, key in self._keys.items() if other != name})

    def admits(self, username: bytes, password: bytes) -> bool:
        """Whether that is a user's right password; how long it takes must not tell how much of it was right."""
        user = username.decode("utf-8", "replace")
        keys = self._keys
        known = user == USERNAME or user in keys
        right = plain_credentials(keys.get(user, self._own))[1].encode()
        return hmac.compare_digest(password, right) and known

    def is_in(self, user: str) -> bool:
        """Whether this user is let in now."""
        return user == USERNAME or user in self._keys

    def _change(self, keys: dict[str, str]) -> None:
        # Another dict, never the same one changed: `admits` is asked from other threads.
        write_private_json(self._path, dict(keys))
        self._keys = keys


class Guard:
    """Asked before every request: keeps painters to what is theirs.

    Args:
        painters: who is let in; store: knows whose a job is.
    """

    def __init__(self, painters: Painters, store: Store) -> None:
        self._painters, self._store = painters, store

    async def check(self, request: Request) -> None:
        """Raise WireError: not_greeted for who was shut out, not_allowed, unknown_job for a job of another's."""
        owner = request.owner
        if owner == USERNAME:
            return
        if not self._painters.is_in(owner):
            raise WireError("not_greeted", "You may no longer use this S²Edit.", "Ask whom it belongs to.")
        message = MESSAGES[request.header["op"]]
        if message.admin:
            raise WireError("not_allowed", "Only the daemon's own user may do this.", "Ask whom it belongs to.")
        named = [request.header[field] for field in message.job_fields if field in request.header]
        if named:
            await self._store.call(_check, owner, named)


def _check(db: sqlite3.Connection, owner: str, named: list[str]) -> None:
    for job in named:
        row = jobs.find(db, job)
        if row is not None and row["owner"] != owner:
            raise jobs.unknown(job)
