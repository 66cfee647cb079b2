"""Where edits are computed: on this computer, or on another one that is reached through OpenSSH.

`remote.json` in the state folder names the other one as `user@host`, and nothing else: host keys, ports and jump hosts
are the user's own SSH configuration. The connection data of the daemon there is asked for through SSH each time, since
its key is another one after each start.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

from . import PROTOCOL_VERSION, line_rate, living
from .connection import Connection, parsed
from .errors import Unreachable, WireError
from .kinds import Field, Record, Text
from .limits import MAX_CONNECTION_FILE
from .no_line import NoLine
from .paths import unusable
from .private_files import read_private_json, write_private_json

HERE = ""
"""The target that means this computer."""
_TARGET = re.compile(r"[A-Za-z_][A-Za-z0-9._-]{0,31}@[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9])?\Z")
"""`user@host`; no first letter is a dash, so that neither is ever an option of ssh's."""
_FILE = Record("remote file", (Field("computer", Text(300, 1), "`user@host`."),))
OPTIONS = (
    *("-T", "-a", "-x"),
    *("-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "LogLevel=ERROR", "-o", "RemoteCommand=none"),
    *("-o", "ControlMaster=no", "-o", "ControlPath=none", "-o", "PermitLocalCommand=no"),
    *("-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3"),
)
"""What every call of ssh is given beside the user's own configuration: no question, no shared line, a heartbeat."""
COMMAND = 'PATH="$PATH:$HOME/.local/bin" exec s2edit daemon connection'
"""A login shell of SSH's reads no profile, and `s2edit` often lies where only that puts it."""
PATIENCE = 60.0
"""Seconds until the other computer has told its connection data; its daemon may have to start."""
MAX_SAID = 64 * 1024
_RATE = re.compile(r'\{"line_rate": ([0-9]{1,15})\}')


def checked(target: str) -> str:
    """The target, when it is one; raises WireError("bad_setting")."""
    if not _TARGET.match(target):
        raise WireError(
            "bad_setting",
            "That names no other computer.",
            "Name it as for ssh: user@host. Ports and keys belong into ~/.ssh/config.",
        )
    return target


def computer(state: Path) -> str:
    """Where edits are computed: `user@host`, or `HERE`.

    Raises:
        Unreachable: the setting can't be read or trusted; nothing is computed anywhere then.
    """
    path = _path(state)
    try:
        value = read_private_json(path, MAX_CONNECTION_FILE, secret=False)
        _FILE.check(value, "")
        return checked(value["computer"])
    except FileNotFoundError:
        return HERE
    except OSError as error:
        raise unusable(state, error) from error
    except WireError as error:
        hint = f"Set it again: s2edit daemon computer user@host, or remove {path}."
        raise Unreachable("The setting where edits are computed is damaged.", hint, "not_usable") from error


def is_kept(state: Path) -> bool:
    """Whether the setting is there and can be read."""
    try:
        computer(state)
    except Unreachable:
        return False
    return True


def is_elsewhere(state: Path) -> bool:
    """Whether edits are surely computed on another computer."""
    try:
        return computer(state) != HERE
    except Unreachable:
        return False


def hang_up(state: Path) -> bool:
    """Take the line to another computer down, where there is one to be; whether edits are computed elsewhere.

    For whoever would stop the daemon: the one there has others to work for.
    """
    if not is_elsewhere(state):
        return False
    living.end(state)
    return True


def choose(state: Path, target: str) -> None:
    """Keep where edits are computed; in force once whoever holds the lock has ended. Raises WireError, OSError."""
    if target == HERE:
        _path(state).unlink(missing_ok=True)
    else:
        write_private_json(_path(state), {"computer": checked(target)})


def ask(target: str, *, start: bool = False, patience: float = PATIENCE) -> Connection:
    """The connection data of the daemon on the other computer; see `ask_and_measure`."""
    return _asked(target, start, patience, b"")[0]


def ask_and_measure(target: str, *, start: bool = False) -> tuple[Connection, float | None]:
    """(the connection data of the daemon on the other computer, bytes a second of the line there if that is known).

    Args:
        target: `user@host`.
        start: whether to start the daemon there unless it runs.

    Raises:
        NoLine: in words for people, with what to do.
    """
    return _asked(target, start, PATIENCE, line_rate.probe())


def _asked(target: str, start: bool, patience: float, probe: bytes) -> tuple[Connection, float | None]:
    command = [*ssh(), "--", checked(target), COMMAND + (" --start" if start else "")]
    code, data, said = _run(command, patience, probe)
    if code is None:
        raise NoLine(f"{target} doesn't answer.", _by_hand(target))
    if code:
        raise explained(target, code, said)
    # What a login shell says of itself may stand before it.
    lines = data.decode("utf-8", "replace").strip().splitlines()
    rate = float(told[1]) if lines and (told := _RATE.fullmatch(lines[-1])) else None
    if rate is not None:
        lines.pop()
    try:
        found = parsed(json.loads(lines[-1]) if lines else {})
    except (ValueError, RecursionError, WireError) as error:
        raise NoLine(
            f"What {target} says can't be understood; another version of S²Edit may run there.",
            "Install the same version on both computers.",
            lasting=True,
        ) from error
    if found is None:
        raise NoLine(f"S²Edit on {target} listens where SSH can't reach it.", "Restart S²Edit there.", lasting=True)
    return found, rate


def check_version(target: str, far: Connection) -> None:
    """Raise NoLine unless the daemon there speaks as programs here do."""
    lowest, highest = far.protocol
    if not lowest <= PROTOCOL_VERSION <= highest:
        raise NoLine(
            f"S²Edit {far.version} on {target} does not fit the one here.",
            "Install the same version on both computers.",
            lasting=True,
        )


def unfinished(count: int) -> WireError:
    """The error for a change of computers while jobs are under way."""
    return WireError(
        "wrong_state",
        f"Edits are still being computed on this computer: {count}.",
        "Wait for them to end, or cancel them.",
    )


def _run(command: list[str], patience: float, probe: bytes) -> tuple[int | None, bytes, str]:
    """(exit status, or None when it took longer than `patience` seconds, the first of its output, its errors).

    Args:
        probe: sent once the first object came; what measures it listens by then.
    """
    with tempfile.TemporaryFile() as errors:
        try:
            # All arguments are our own but the target, which has passed `checked`.
            stdin = subprocess.PIPE if probe else subprocess.DEVNULL
            process = subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, stderr=errors)  # noqa: S603
        except OSError as error:
            raise no_ssh() from error
        late = threading.Event()

        def end() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(patience, end)
        timer.start()
        with process:
            assert process.stdout is not None
            data = b""
            if process.stdin is not None:
                while len(data) < MAX_SAID and (line := process.stdout.readline(MAX_SAID)):
                    data += line
                    if line.startswith(b"{"):
                        break
                with suppress(OSError):  # an older S²Edit doesn't listen
                    process.stdin.write(probe)
                with suppress(OSError):
                    process.stdin.close()
            data += process.stdout.read(MAX_SAID)
            process.stdout.close()  # whatever else it would say is not waited for
            code = process.wait()
        timer.cancel()
        errors.seek(0)
        return None if late.is_set() else code, data, errors.read(MAX_SAID).decode("utf-8", "replace")


def ssh() -> list[str]:
    """OpenSSH's client with what every call of it is given; raises NoLine when there is none."""
    found = shutil.which("ssh")
    if found is None:
        raise no_ssh()
    return [found, *OPTIONS]


def no_ssh() -> NoLine:
    """The error for a computer without OpenSSH's client."""
    return NoLine("OpenSSH's program “ssh” can't be run on this computer.", "Install it: openssh-client.", lasting=True)


def explained(target: str, code: int, said: str) -> NoLine:
    """What became of an ssh that ended with this code and these words on its standard error."""
    last = next((line.strip()[:300] for line in reversed(said.splitlines()) if line.strip()), "ssh says nothing")
    if "HOST IDENTIFICATION HAS CHANGED" in said:
        return NoLine(
            f"What answers as {target} has another host key than before, so nothing was sent to it.",
            f"Ask who looks after it whether its key was changed; if so, ssh-keygen -R its name, then: ssh {target}",
            lasting=True,
        )
    if "Host key verification failed" in said:
        return NoLine(
            f"The host key of {target} is not known yet.", f"Log in once, and compare it: ssh {target}", lasting=True
        )
    if "Permission denied" in said or "Too many authentication failures" in said:
        return NoLine(
            f"{target} lets nobody in without a password, and S²Edit never asks for one.",
            f"Have your key let in: ssh-copy-id {target}",
            lasting=True,
        )
    if code == 255:
        return NoLine(f"{target} can't be reached: {last}", _by_hand(target))
    if code in (126, 127):
        return NoLine(
            f"S²Edit is not installed on {target}.",
            f"Install it there; this has to work: ssh {target} s2edit",
            lasting=True,
        )
    if code == 4:
        return NoLine(f"No S²Edit runs on {target}.", "Start it there with: s2edit daemon start", stopped=True)
    return NoLine(
        f"S²Edit on {target} gives no connection data: {last}",
        "Install the same version on both computers.",
        lasting=True,
    )


def _by_hand(target: str) -> str:
    return f"Try it by hand: ssh {target}"


def _path(state: Path) -> Path:
    return state / "remote.json"
