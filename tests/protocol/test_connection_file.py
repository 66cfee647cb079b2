"""The connection file under attack: whatever is wrong with it is told in words, and nothing is sent anywhere."""

import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from s2edit_wire.client import Client
from s2edit_wire.connection import (
    connection_path,
    read_connection_file,
    remove_connection_file,
    write_connection_file,
)
from s2edit_wire.errors import Unreachable
from s2edit_wire.limits import MAX_CONNECTION_FILE

NOBODY = 65_534
KEY = "ab" * 32


def write(state: Path, endpoint: str | None = None) -> Path:
    where = endpoint or f"ipc://{state}/run/daemon.sock"
    return write_connection_file(state, endpoint=where, key=KEY, version="1", boot="0" * 32)


def change(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_there_and_back(state: Path) -> None:
    path = write(state)
    assert path == connection_path(state)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    found = read_connection_file(state)
    assert (found.key, found.pid, found.socket_path) == (KEY, os.getpid(), f"{state}/run/daemon.sock")
    assert KEY not in repr(found)
    assert list(path.parent.iterdir()) == [path], "no temporary file is left"


def test_replaced_in_one_step(state: Path) -> None:
    before = write(state).stat().st_ino
    assert write(state).stat().st_ino != before


def test_removed_only_by_its_own_boot(state: Path) -> None:
    path = write(state)
    remove_connection_file(state, "1" * 32)
    assert path.exists()
    remove_connection_file(state, "0" * 32)
    assert not path.exists()
    remove_connection_file(state, "0" * 32)


def link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def link_to_folder(path: Path) -> None:
    path.parent.rename(path.parents[1] / "elsewhere")
    path.parent.symlink_to("elsewhere")


def folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir(mode=0o600)


def pipe_instead(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


ATTACKS: dict[str, Callable[[Path], object]] = {
    "link": link,
    "link to the folder": link_to_folder,
    "folder": folder_instead,
    "pipe": pipe_instead,
    "readable by the group": lambda path: path.chmod(0o640),
    "writable by all": lambda path: path.chmod(0o602),
    "open folder": lambda path: path.parent.chmod(0o755),
    "empty": lambda path: path.write_bytes(b""),
    "garbage": lambda path: path.write_bytes(b"\xff\x00garbage"),
    "no object": lambda path: path.write_text("[1]"),
    "deeply nested": lambda path: path.write_text("[" * 10_000),
    "huge": lambda path: path.write_bytes(b" " * MAX_CONNECTION_FILE + path.read_bytes()),
    "unknown field": lambda path: change(path, more=1),
    "short key": lambda path: change(path, key="ab"),
    "key is a number": lambda path: change(path, key=1),
    "no process": lambda path: change(path, pid=0),
    "another computer": lambda path: change(path, endpoint="tcp://192.0.2.1:5555"),
    "name instead of an address": lambda path: change(path, endpoint="tcp://localhost:5555"),
    "address that goes on": lambda path: change(path, endpoint="tcp://127.0.0.1:5555@192.0.2.1:1"),
    "port too high": lambda path: change(path, endpoint="tcp://127.0.0.1:65536"),
    "no port": lambda path: change(path, endpoint="tcp://127.0.0.1:*"),
    "relative path": lambda path: change(path, endpoint="ipc://daemon.sock"),
    "abstract socket": lambda path: change(path, endpoint="ipc://@s2edit"),
    "other transport": lambda path: change(path, endpoint="udp://127.0.0.1:5555"),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_not_used(state: Path, attack: Callable[[Path], object]) -> None:
    attack(write(state))
    with pytest.raises(Unreachable) as caught:
        read_connection_file(state)
    assert caught.value.reason == "not_ours"
    assert caught.value.message.endswith(".") and caught.value.hint
    assert KEY not in caught.value.message + caught.value.hint


def test_somebody_elses_file_or_folder(state: Path) -> None:
    """As root the files are given away; as another user, one reads files that are root's."""
    path = write(state)
    if os.geteuid() == 0:
        for given_away in (path, path.parent):
            os.chown(given_away, NOBODY, NOBODY)
            with pytest.raises(Unreachable, match="belongs to another user"):
                read_connection_file(state)
            os.chown(given_away, 0, 0)
        read_connection_file(state)
    else:
        # /etc/passwd's folder is root's, which is what the check has to see first.
        from s2edit_wire.private_files import read_private_json

        with pytest.raises(Unreachable, match="belongs to another user"):
            read_private_json(Path("/etc/passwd"), 1 << 20, secret=False)


def test_missing(state: Path) -> None:
    with pytest.raises(Unreachable) as caught:
        read_connection_file(state)
    assert caught.value.reason == "not_running"


def test_process_gone(state: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-S", "-c", ""])
    ended.wait()
    change(write(state), pid=ended.pid)
    assert read_connection_file(state).process_is_gone()
    with pytest.raises(Unreachable, match="ended unexpectedly") as caught:
        Client("other", "1", state).connect()
    assert caught.value.reason == "stale"


def test_socket_that_nobody_listens_on(state: Path) -> None:
    path = write(state).parent / "daemon.sock"
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))
    with pytest.raises(Unreachable, match="nobody listens") as caught:
        Client("other", "1", state).connect()
    assert caught.value.reason == "stale"
