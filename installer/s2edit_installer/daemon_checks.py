"""The doctor at the daemon: how plug-ins start it, whether it answers, who could reach it, what it can edit with."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from s2edit_wire import launcher, programs, remote
from s2edit_wire.client import Client
from s2edit_wire.connection import read_connection_file
from s2edit_wire.errors import Unreachable, WireError
from s2edit_wire.living import judged
from s2edit_wire.paths import run_folder, state_folder

from . import launching
from .findings import Finding, ok, warning, wrong


def launcher_file() -> Iterator[Finding]:
    """Whether plug-ins know how to start the daemon."""

    def mend() -> str:
        return f"Wrote {launching.write_launcher()}; plug-ins can start the daemon now."

    hint = "Run: s2edit doctor --fix"
    try:
        command = launcher.read_command(state_folder())
    except Unreachable:
        words = "Plug-ins do not know yet how to start the daemon."
        yield wrong("launcher", words, hint, mend)
        return
    if shutil.which(command[0]) is None:
        yield wrong("launcher", f"Plug-ins would start the daemon with {command[0]}, which is gone.", hint, mend)
    elif command[0] == programs.command("daemon")[0] and command != programs.command("daemon"):
        words = "Plug-ins start this installation's daemon in an earlier version's way."
        yield Finding("launcher", "warning", words, hint, mend)
    elif command != programs.command("daemon"):
        words = f"Plug-ins start another installation's daemon: {command[0]}."
        yield warning("launcher", words, "To have them start this one, run: s2edit install")
    else:
        yield ok("launcher", f"Plug-ins start the daemon with {command[0]}.")


class Visit:
    """A look at the daemon; one that had to be started for it ends again when its queue is empty."""

    def __init__(self) -> None:
        self._started = False

    def daemon(self) -> Iterator[Finding]:
        """Whether it runs, or can be started as plug-ins do; then its version, its socket and its models."""
        client = Client("cli", version("s2edit"))
        try:
            self._connect(client)
        except Unreachable as error:
            yield wrong("daemon", error.message, error.hint)
            return
        except WireError as error:
            yield wrong("daemon", error.message, error.hint or "Restart it: s2edit daemon stop")
            return
        try:
            with client:
                models = client.request("models").header["models"]
                connection = _connection()
        except Unreachable as error:
            # One that another visit had started may be ending just now.
            yield warning("daemon", f"It ended while it was looked at. {error.message}", "Run: s2edit doctor")
            return
        if client.daemon_version != version("s2edit"):
            words = f"It is version {client.daemon_version}, this is {version('s2edit')}."
            yield warning("daemon", words, "Let it be started anew: s2edit daemon stop")
        elif self._started:
            yield ok("daemon", f"It did not run; it can be started, and answers (version {client.daemon_version}).")
        else:
            yield ok("daemon", f"It runs and answers (version {client.daemon_version}).")
        yield connection
        yield from _weights(models)

    def _connect(self, client: Client) -> None:
        try:
            client.connect()
        except Unreachable as error:
            if judged(error, state_folder()).reason not in launcher.STARTABLE:
                raise
            self._started = True
            try:
                launcher.connect(client)
            except Unreachable as failed:
                if failed.reason != "not_installed":
                    raise
                # What is wrong with the launcher has been told; this installation's own daemon is looked at.
                launcher.connect(client, programs.command("daemon"))

    def end(self) -> None:
        """Leave things as they were."""
        if not self._started or remote.hang_up(state_folder()):
            return
        try:
            with Client("cli", version("s2edit")) as client:
                client.connect()
                client.request("shutdown", {"when": "idle"})
        except WireError:
            return  # it has ended by itself


def run_files() -> Iterator[Finding]:
    """Whether the folder with the daemon's socket and key is this user's alone; no client connects otherwise."""
    folder = run_folder(state_folder())
    if os.name != "posix" or not folder.is_dir() or not folder.stat().st_mode & 0o077:
        return

    def mend() -> str:
        folder.chmod(0o700)
        return f"{folder} is yours alone again."

    words = f"Other users of this computer can look into {folder}; nothing connects until that is mended."
    yield wrong("connection", words, "Run: s2edit doctor --fix", mend)


def _connection() -> Finding:
    connection = read_connection_file(state_folder())
    if connection.tcp_port is None:
        return ok("connection", f"A socket that only you can open: {connection.socket_path}.")
    return ok("connection", f"Port {connection.tcp_port} of this computer only, with a key that only you can read.")


def _weights(models: list[dict[str, Any]]) -> Iterator[Finding]:
    ready = [str(model["id"]) for model in models if model["state"] == "ready" and model["role"] == "editor"]
    if ready:
        yield ok("weights", f"Ready to use: {', '.join(ready)}.")
    else:
        yield wrong("weights", "There is no model to edit with.", "Get one: s2edit models list")
    for model in models:
        if model["state"] == "broken":
            hint = f"Get it anew: s2edit models remove {model['id']} ; s2edit models download {model['id']}"
            yield wrong("weights", f"{model['id']}: {model.get('message', 'it is damaged')}", hint)
