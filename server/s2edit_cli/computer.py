"""`s2edit daemon computer`: where edits are computed, on this computer or on another one."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from s2edit_wire import living, remote
from s2edit_wire.errors import Unreachable, WireError
from s2edit_wire.paths import state_folder

from . import options
from .connecting import connect
from .report import print_object, say

HERE = "here"


def computer(
    target: Annotated[str, typer.Argument(help="user@host as for ssh, or `here`; without, say which it is.")] = "",
    json_: options.Json = False,
) -> None:
    """Where edits are computed: here, or on another computer through SSH; editors and tray follow at once."""
    state = state_folder()
    if target:
        _change(state, remote.HERE if target == HERE else remote.checked(target))
    told = remote.computer(state)
    if json_:
        print_object({"exit_code": 0, "computer": told or HERE})
    elif told:
        say(f"Edits are computed on {told}.")
    else:
        say("Edits are computed on this computer.")


def _change(state: Path, target: str) -> None:
    """Compute there from now on; raises Unreachable or WireError, and then all is as before."""
    try:
        before = remote.computer(state)
    except Unreachable:
        before = remote.HERE  # a damaged setting must not keep it from being made anew
    if target:
        # Asked first, so that a wrong name, key or version is told of before anything has changed.
        remote.check_version(target, remote.ask(target, start=True))
    if target == before and remote.is_kept(state):
        return
    if before == remote.HERE:
        _refuse_while_busy()
    remote.choose(state, target)
    living.end(state)
    if target:
        try:
            connect().close()
        except (Unreachable, WireError):
            remote.choose(state, before)
            living.end(state)
            raise


def _refuse_while_busy() -> None:
    """Jobs under way here would be out of their editors' sight; raises WireError("wrong_state") while there are any."""
    with suppress(Unreachable), connect(start=False) as client:
        counts = client.request("status").header["status"]["jobs"]
        waiting = sum(counts[state] for state in ("queued", "paused", "running"))
        if waiting:
            raise remote.unfinished(waiting)
