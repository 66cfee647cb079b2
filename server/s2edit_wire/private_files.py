"""Small files that only this user may have written: opened without following links, checked, then read.

The checks are made on the open descriptor, so that nothing can be swapped between checking and reading.
"""

from __future__ import annotations

import json
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from .errors import Unreachable
from .plain_files import NotPlain, open_plain

POSIX = os.name == "posix"


def read_private_json(path: Path, limit: int, *, secret: bool) -> dict[str, Any]:
    """The JSON object in `path`.

    Args:
        path: the file; FileNotFoundError when it is not there.
        limit: bytes it may have at most.
        secret: whether others must not even be able to read it (and its folder), not only not to write.

    Raises:
        Unreachable: `not_ours`, when it is a link, no file, somebody else's, open to others, too big or no JSON object.
    """
    forbidden = 0o077 if secret else 0o022
    if POSIX:
        _check(os.lstat(path.parent), path.parent, forbidden, folder=True)
    try:
        with open_plain(path, follow=False) as file:
            _check(os.fstat(file.fileno()), path, forbidden, folder=False)
            data = file.read(limit + 1)
    except FileNotFoundError:
        raise
    except NotPlain as error:
        raise _untrusted(path, "is not a plain file") from error
    except OSError as error:
        raise _untrusted(path, "can't be opened, or is a link") from error
    if len(data) > limit:
        raise _untrusted(path, "is too big")
    try:
        value = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _untrusted(path, "is damaged") from error
    if not isinstance(value, dict):
        raise _untrusted(path, "is damaged")
    return value


def write_private_json(path: Path, value: dict[str, object]) -> None:
    """Replace `path` in one step by `value` as JSON, readable and writable by its owner only.

    The folder is made with mode 0700 when missing. Whoever reads sees the old file or the whole new one.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # made with mode 0600
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(value, file)
            file.flush()
            os.fsync(descriptor)
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def _check(state: os.stat_result, path: Path, forbidden: int, *, folder: bool) -> None:
    if not (stat.S_ISDIR if folder else stat.S_ISREG)(state.st_mode):
        raise _untrusted(path, "is a link or not a folder" if folder else "is not a plain file")
    if POSIX and state.st_uid != os.geteuid():
        raise _untrusted(path, "belongs to another user")
    if POSIX and stat.S_IMODE(state.st_mode) & forbidden:
        raise _untrusted(path, "is open to other users")


def _untrusted(path: Path, what: str) -> Unreachable:
    return Unreachable(
        f"S²Edit's file “{path.name}” {what}, so it is not used.",
        f"Remove {path} and start S²Edit again.",
        "not_ours",
    )
