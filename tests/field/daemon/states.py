"""Kinds 14, 16, 17 and 18 of what the field broke: what a daemon finds where it starts, and what it has become."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import tempfile
import time
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from s2edit_wire.connection import connection_path
from s2edit_wire.errors import WireError
from s2edit_wire.limits import MAX_QUEUED_PER_CLIENT

from tests.fakes.daemon import EDIT, RunningDaemon, fake, finished, picture, submit
from tests.field.case import Case
from tests.field.daemon.ground import (
    SOON,
    another_program,
    asked,
    daemon_in,
    running,
    s2edit,
    state_folder,
    stored,
    verdict,
)

HELD = "^held"
DAY = 86_400
PICTURES = 13
WHOLE = json.dumps({"offline": True, "threads": 2, "mirror": "", "proxy": "http://proxy.example:3128"})
SETTINGS: dict[str, str] = {
    "empty": "",
    "cut in the middle": WHOLE[:12],
    "cut at the end": WHOLE[:-1],
    "overwritten with zeros": "\0" * len(WHOLE),
    "a list": "[]",
    "offline as text": '{"offline": "true"}',
    "one bit wrong in the name": WHOLE.replace("offline", "nffline"),
}
ANSWERS = {"is silent": b"", "hangs up": None, "is a web server": b"HTTP/1.1 400 Bad Request\r\n\r\n"}


def cases() -> list[Case]:
    """All of them."""
    ends, lists, keeps = "14 dead ends", "17 a damaged list of jobs", "18 what is kept"
    return [
        *(Case(ends, f"what has the dead one's port {name}", partial(_port, name), HELD) for name in ANSWERS),
        Case(ends, "a daemon that does not answer, stopped", _mute, HELD),
        Case(ends, "killed: what it leaves in the temporary folder", _temporary, HELD),
        Case(ends, "daemon run where the home is /dev/null", _no_home, HELD),
        *(Case("16 damaged settings", name, partial(_settings, text), HELD) for name, text in SETTINGS.items()),
        Case(lists, "each third of its root pages overwritten", _root_pages, HELD),
        Case(lists, "emptied", _emptied, HELD),
        Case(keeps, "the clock 8 days ahead at the start", _clock, HELD),
        Case(keeps, "a stored picture cut short, handed in again", _cut_short, HELD),
        Case(keeps, "retry where the queue is full", _retry, HELD),
        Case(keeps, "the daemon's folder deleted", _folder_gone, HELD),
        Case(keeps, "results beyond the quota", _quota, HELD),
    ]


def _port(kind: str, folder: Path) -> str:
    """The connection file of a daemon that was killed; its number is a living process's, too."""
    state = state_folder(folder)
    path = connection_path(state)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with another_program(ANSWERS[kind]) as port:
        content = {
            "endpoint": f"tcp://127.0.0.1:{port}", "key": "0" * 64, "pid": os.getpid(), "protocol": [1, 1],
            "version": "0.1.0", "boot": "0" * 32,
        }  # fmt: skip
        path.write_text(json.dumps(content))
        path.chmod(0o600)
        said = {name: s2edit(state, "daemon", name)[:6] for name in ("stop", "start")}
    s2edit(state, "daemon", "stop")
    return verdict(set(said.values()) == {"exit 0"}, ", ".join(f"{name}: {code}" for name, code in said.items()))


def _mute(folder: Path) -> str:
    daemon = daemon_in(state_folder(folder))
    with running(daemon):
        assert daemon.process is not None
        daemon.process.send_signal(signal.SIGSTOP)
        said = s2edit(daemon.folder, "daemon", "stop")
        with contextlib.suppress(Exception):
            daemon.process.wait(2)
        ended = daemon.process.poll() is not None
        if not ended:
            daemon.process.send_signal(signal.SIGCONT)
    return verdict(ended, f"{said[:6]}, {'it has ended' if ended else 'it lives on'}")


def _no_home(folder: Path) -> str:
    said = s2edit(Path("/dev/null"), "daemon", "run", cwd=folder)
    return verdict(said.startswith("exit 4") and "S2EDIT_HOME" in said and "Errno" not in said, said)


def _temporary(folder: Path) -> str:
    """Where the path is too long for a socket."""
    temporary = folder / "temporary"
    temporary.mkdir()
    daemon = daemon_in(state_folder(folder / ("long" * 30)), environment={"TMPDIR": str(temporary)})
    for _ in range(2):
        daemon.start()
        daemon.kill()
    left = list(temporary.iterdir())
    return verdict(not left, f"{len(left)} folders after two of them")


def _settings(text: str, folder: Path) -> str:
    state = state_folder(folder)
    (state / "settings.json").write_text(text)
    try:
        with running(daemon_in(state)) as daemon, daemon.client() as client:
            status = client.request("status").header["status"]
    except RuntimeError:
        return verdict(False, "the daemon does not start")
    told = any("damaged" in notice for notice in status.get("notices", []))
    return verdict(status["offline"] and told, f"offline: {status['offline']}, {'told' if told else 'not told'}")


@cache
def _with_jobs() -> bytes:
    """A state folder's list and pictures after 13 jobs, as an archive; made by a daemon that was killed then."""
    with tempfile.TemporaryDirectory(prefix="s2-") as name:
        state = state_folder(Path(name))
        with running(daemon_in(state)) as daemon:
            with daemon.client() as client:
                for seed in range(PICTURES):
                    finished(client, submit(client, picture(16, seed), {**EDIT, "seed": seed}))
            daemon.stop()
        archive = shutil.make_archive(str(Path(name) / "jobs"), "tar", state)
        return Path(archive).read_bytes()


def _unpacked(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    state = state_folder(folder)
    (folder / "jobs.tar").write_bytes(_with_jobs())
    shutil.unpack_archive(folder / "jobs.tar", state, filter="data")
    return state


def _works(state: Path) -> str:
    """“” when a daemon takes a job there and does it, after a second start if it says so; else what went wrong."""
    for _ in range(2):
        try:
            with running(daemon_in(state)) as daemon, daemon.client() as client:
                fault = asked(client, "list")
                job = submit(client, picture(16, 99))
                fault = fault if fault != "answered" else ""
                fault = fault or ("" if finished(client, job)["state"] == "done" else "a job fails")
                if not fault:
                    return ""
        except RuntimeError:
            fault = "it does not start"
        except WireError as error:
            fault = error.code
            if "estart" not in f"{error.message} {error.hint}":
                return fault
    return fault


def _root_pages(folder: Path) -> str:
    """Zeros over one page, then a start and a job, and once more where people are told to.

    `test_damaged_list` has all pages, and other damage.
    """
    whole = _unpacked(folder / "whole")
    with contextlib.closing(sqlite3.connect(whole / "jobs.sqlite3")) as db:
        size = db.execute("PRAGMA page_size").fetchone()[0]
        pages = [1, *(page for (page,) in db.execute("SELECT rootpage FROM sqlite_master WHERE rootpage > 0"))]
    pages, faults, lost = pages[::3], [], 0
    for page in pages:
        state = _unpacked(folder / f"{page}")
        before = stored(state)
        with (state / "jobs.sqlite3").open("r+b") as file:
            file.seek((page - 1) * size)
            file.write(bytes(size))
        if fault := _works(state):
            faults.append(fault)
        lost += max(0, before - stored(state))
    words = f"{len(pages) - len(faults)} of {len(pages)} end in a daemon that works, {lost} pictures lost"
    return verdict(not faults and not lost, f"{words}{'; ' if faults else ''}{', '.join(sorted(set(faults)))}")


def _emptied(folder: Path) -> str:
    state = _unpacked(folder)
    before = stored(state)
    (state / "jobs.sqlite3").write_bytes(b"")
    for name in ("jobs.sqlite3-wal", "jobs.sqlite3-shm"):
        (state / name).unlink(missing_ok=True)
    fault = _works(state)
    kept = stored(state)
    return verdict(
        not fault and kept >= before, f"{fault or 'it works'}, {min(kept, before)} of {before} pictures left"
    )


def _clock(folder: Path) -> str:
    state = _unpacked(folder)
    odd = daemon_in(state, module="tests.field.daemon.odd_daemon", environment={"ODD": str(8 * DAY)})
    with running(odd), odd.client() as client:
        for _ in range(20):
            asked(client, "list")
        left = len(client.request("list").header["jobs"])
    return verdict(left == PICTURES, f"{left} of {PICTURES} results left")


def _cut_short(folder: Path) -> str:
    state, image = state_folder(folder), picture(32)
    for _ in range(2):
        with running(daemon_in(state)) as daemon, daemon.client() as client:
            client.request("pause_queue")
            submit(client, image)
            (blob,) = [path for path in state.rglob("*") if len(path.name) == 64]
            whole = blob.read_bytes() == np.ascontiguousarray(image).tobytes()
        blob.write_bytes(blob.read_bytes()[:500])
    return verdict(whole, "it is whole again" if whole else "it stays cut")


def _retry(folder: Path) -> str:
    with running(daemon_in(state_folder(folder))) as daemon, daemon.client() as client:
        client.request("pause_queue")
        first = submit(client)
        client.request("cancel", {"job": first})
        for seed in range(MAX_QUEUED_PER_CLIENT):
            submit(client, picture(2, seed))
        code = asked(client, "retry", {"job": first})
        client.request("cancel", {"job": client.request("list", {"limit": 1}).header["jobs"][0]["job"]})
        then = asked(client, "retry", {"job": first})
        client.request("resume_queue")
        state = finished(client, first)["state"]
    held = (code, then, state) == ("busy", "answered", "done")
    return verdict(held, f"{code}; {then} once one has gone, and it is {state}")


def _folder_gone(folder: Path) -> str:
    daemon: RunningDaemon = daemon_in(state_folder(folder))
    with running(daemon):
        assert daemon.process is not None
        shutil.rmtree(daemon.folder)
        with contextlib.suppress(Exception):
            daemon.process.wait(SOON)
        ended = daemon.process.poll() is not None
    return verdict(ended, "it ends" if ended else "it lives on")


def _quota(folder: Path) -> str:
    """Eight results of 200 KB, where 500 KB may be."""
    quota = 500_000
    settings: dict[str, Any] = {"result_quota": quota}
    with running(daemon_in(state_folder(folder), settings=settings)) as daemon, daemon.client() as client:
        for seed in range(8):
            finished(client, submit(client, picture(256, seed), fake()))
        began, kept = time.monotonic(), quota + 1
        while kept > quota and time.monotonic() - began < SOON:
            kept = client.request("status").header["status"]["result_bytes"]
    return verdict(kept <= quota, "removed at once" if kept <= quota else f"still there after {SOON:.0f} s")
