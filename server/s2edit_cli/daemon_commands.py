"""`s2edit daemon …`: run, start, stop and look at the daemon."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import suppress
from typing import Annotated, Any

import typer
from s2edit_wire import line_rate, living, programs, remote
from s2edit_wire.connection import read_connection_file
from s2edit_wire.errors import Unreachable, WireError
from s2edit_wire.paths import state_folder

from . import options
from .computer import computer
from .connecting import connect
from .exit_codes import Exit
from .report import Ended, duration, print_object, say, size, tell

app = typer.Typer(help="Run, start, stop and look at the daemon.", no_args_is_help=True)
END_TIMEOUT = 30.0
"""Seconds that the daemon gets to end; it kills a worker that does not."""
ANSWER_TIMEOUT = 10.0
app.command()(computer)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def run(context: typer.Context) -> None:
    """Run the daemon here until Ctrl-C; further arguments are its own (see `-- --help`)."""
    command = programs.command("daemon", *context.args)
    if os.name == "posix":
        sys.stdout.flush()
        os.execv(command[0], command)  # noqa: S606 - our own interpreter
    raise typer.Exit(subprocess.run(command, check=False).returncode)  # noqa: S603


@app.command()
def start(json_: options.Json = False) -> None:
    """Start the daemon unless it runs."""
    with connect() as client:
        _show(client.request("status").header["status"], json_)


@app.command()
def stop(
    when_idle: Annotated[bool, typer.Option("--when-idle", help="Once the queue is empty, not at once.")] = False,
    json_: options.Json = False,
) -> None:
    """Stop the daemon, whatever state it is in; unfinished jobs go on at the next start."""
    try:
        if remote.computer(state_folder()):
            _hang_up(json_)
            return
        with connect(start=False) as client:
            client.request("shutdown", {"when": "idle" if when_idle else "now"}, timeout=ANSWER_TIMEOUT)
        words = "The daemon ends when its queue is empty." if when_idle else "The daemon has ended."
        mute = not when_idle and not _ends(client.boot)
    except (Unreachable, WireError) as error:
        if when_idle and living.runs(state_folder()):
            raise
        words, mute = "The daemon was not running.", living.runs(state_folder())
        if mute:
            tell(str(error))
    if mute:
        if not living.end(state_folder()):
            pid = living.holder(state_folder())
            raise Ended(Exit.INTERNAL, f"The daemon (process {pid or 'unknown'}) can't be ended.", "End it yourself.")
        words = "The daemon did not answer and was ended."
    if json_:
        print_object({"exit_code": 0, "message": words})
    else:
        say(words)


@app.command()
def status(json_: options.Json = False) -> None:
    """The daemon, its worker and its stores; exit code 4 when it does not run."""
    with connect(start=False) as client:
        _show(client.request("status").header["status"], json_)


@app.command()
def free(
    place: Annotated[str, typer.Argument(help="One of those that `s2edit daemon status` lists; all without.")] = "",
    json_: options.Json = False,
) -> None:
    """Free the memory that a model takes, now or right after the running job."""
    with connect(start=False) as client:
        client.request("free_memory", {"place": place} if place else {})
    if json_:
        print_object({"exit_code": 0})
    else:
        say("The memory is freed, where a job runs right after it.")


@app.command()
def connection(
    start: Annotated[bool, typer.Option("--start", help="Start the daemon unless it runs.")] = False,
    painter: Annotated[str, typer.Option(help="For this painter, with their own key.")] = "",
) -> None:
    """Print how to reach this daemon, key and all, as JSON; S²Edit on another computer asks for it through SSH.

    What it then sends is measured, and a second object tells how fast it came, in bytes a second.
    """
    if sys.stdout.isatty():
        raise Ended(Exit.USAGE, "This prints a key, which is not for a screen.", "Other computers ask for it.")
    with connect(start=start) as client:
        found = client.request("painter", {"name": painter, "action": "key"}).header if painter else {}
    told = read_connection_file(state_folder()).as_map()
    print_object(told | ({"key": found["key"], "user": painter} if painter else {}))
    sys.stdout.flush()
    if sys.platform != "win32" and sys.stdin is not None and not sys.stdin.isatty():
        rate = line_rate.received(sys.stdin.fileno())
        if rate is not None:
            print_object({"line_rate": round(rate)})


@app.command("at-login")
def at_login(
    off: Annotated[bool, typer.Option("--off", help="Stop starting it at login.")] = False, json_: options.Json = False
) -> None:
    """Start the daemon at every login; clients start it by themselves anyway."""
    from s2edit_installer import login

    if off:
        outcome = login.turn_off()
        words = f"The daemon is no longer started at login ({outcome.state})." if outcome else "It was not on."
    else:
        words = f"The daemon is started at login: {login.turn_on()[0]}"
    if json_:
        print_object({"exit_code": 0, "message": words})
    else:
        say(words)


def _hang_up(as_json: bool) -> None:
    """Take the line to the other computer down; the daemon there has others to work for."""
    words = f"The line to {remote.computer(state_folder())} is closed; S²Edit goes on there."
    if not living.end(state_folder()):
        raise Ended(Exit.INTERNAL, f"Process {living.holder(state_folder())} can't be ended.", "End it yourself.")
    if as_json:
        print_object({"exit_code": 0, "message": words})
    else:
        say(words)


def _ends(boot: str) -> bool:
    """Whether the daemon of this boot ends; an editor may have started the next one meanwhile."""
    until = time.monotonic() + END_TIMEOUT
    while not living.wait_for_end(state_folder(), 0.2):
        with suppress(Unreachable):
            if read_connection_file(state_folder()).boot != boot:
                return True
        if time.monotonic() > until:
            return False
    return True


def _show(state: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_object({"exit_code": 0, "status": state})
        return
    jobs = ", ".join(f"{count} {name}" for name, count in state["jobs"].items() if count) or "none"
    where = f" on {there}" if (there := remote.computer(state_folder())) else ""
    say(f"S²Edit {state['version']} runs{where} (process {state['pid']}) since {duration(state['uptime'])}.")
    if "places" in state:
        width = max(len(place["name"]) for place in state["places"])
        for place in state["places"]:
            say(f"{place['name']:{width}}  " + _at_work(place) + (f", job {place['job']}" if "job" in place else ""))
    else:
        say(f"worker   {state['worker']}" + (f", {state['device']}" if state["device"] else ""))
        if state["model"]:
            free = size(state["memory_free"])
            say(f"model    {state['model']}, {size(state['memory_used'])} in use, {free} free")
    say(f"jobs     {jobs}" + (" (queue paused)" if state["queue_paused"] else ""))
    stored = [("cache", "cache_bytes"), ("results", "result_bytes"), ("weights", "weights_bytes")]
    say("on disk  " + ", ".join(f"{name} {size(state[field])}" for name, field in stored))
    for notice in state.get("notices", []):
        say(notice)
    if state["offline"]:
        say("offline: no connection off this machine is attempted")


def _at_work(place: dict[str, Any]) -> str:
    """What a place's worker does and holds."""
    parts = [place["worker"], place["device"]]
    if place["model"]:
        parts += [place["model"], f"{size(place['memory_used'])} in use", f"{size(place['memory_free'])} free"]
    return ", ".join(part for part in parts if part)
