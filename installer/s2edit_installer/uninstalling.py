"""Taking S²Edit out: studio left, daemon stopped, plug-ins, menu and login entries removed.

It is run as `python -m s2edit_installer.uninstalling`.
"""

from __future__ import annotations

import subprocess
import sys

from s2edit_tray import autostart
from s2edit_wire.launcher import launcher_path
from s2edit_wire.paths import state_folder
from s2edit_wire.programs import command

from .plugins import uninstall
from .words import Trouble, say


def main() -> int:
    """Do it; 0 when nothing of the installer's is left. Jobs, weights and settings stay in the state folder."""
    if (state_folder() / "cluster").is_dir():
        subprocess.run(command("cli", "cluster", "leave"), check=False)  # noqa: S603 - our own Python
    subprocess.run(command("cli", "daemon", "stop"), check=False)  # noqa: S603 - our own Python
    try:
        outcomes = uninstall()
    except Trouble as trouble:
        say(str(trouble))
        return 1
    for outcome in outcomes:
        say(f"{outcome.target}: {outcome.state}")
        for path in outcome.kept:
            say(f"    kept, because you changed it: {path}")
        if outcome.message:
            say(f"    {outcome.message}")
    try:
        if autostart.enabled():
            autostart.enable(False)
            say("tray at login: removed")
    except OSError as error:
        say(f"The tray's entry for login stays: {error.strerror}: {error.filename}")
        return 1
    launcher_path(state_folder()).unlink(missing_ok=True)
    say(f"Jobs, downloaded weights and settings are still in {state_folder()}; delete that folder if you want.")
    return int(any(outcome.state == "failed" for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
