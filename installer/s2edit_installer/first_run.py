"""The quickstart's second half, inside the environment: `python -m s2edit_installer.first_run`.

Edits a sample portrait through the daemon, as any program would, puts the plug-ins into the editors that are there,
opens the tray, and says what happened.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from s2edit_wire import programs
from s2edit_wire.paths import logs_folder, state_folder

from . import launching, login, plugins
from .remedies import typed
from .surroundings import Surroundings
from .targets import gimp_not_ready
from .words import Trouble, say

PORTRAIT = {
    "hair": "short",
    "skin": "pale",
    "background": "blue",
    "clothes": "hoodie",
    "clothes_color": "gray",
    "scene": 3,
}
SOURCE = "a smiling man with brown short hair"
TARGET = "a smiling man with brown short hair and sunglasses"
OBJECT = "man"
SIDE = 512
SAMPLE = """
import json, sys
from PIL import Image
from s2edit.research.starter import Portrait, render
picture, side, portrait = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
Image.fromarray(render(Portrait(**portrait), side)).save(picture)
"""
"""Draws the portrait. It runs in a process of its own: only the worker and this text know the method's package."""

_opened: list[subprocess.Popen[bytes]] = []
"""The tray app that was opened here, which lives on: kept, since Popen takes a forgotten one for an oversight."""


def main() -> int:
    """Do it; returns the exit status."""
    parser = argparse.ArgumentParser(prog="s2edit_installer.first_run", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--no-plugins", action="store_true")
    parser.add_argument("--windows", action="store_true")
    parser.add_argument("--at-login", action="store_true")
    options = parser.parse_args()
    try:
        launching.write_launcher()
        pictures = _edit_sample(options.out.resolve())
        installed = [] if options.no_plugins else plugins.install()
        tray = _open_tray() if options.windows else ""
    except Trouble as trouble:
        say(f"\n{trouble}")
        return 1
    _tell(pictures, installed, tray, options)
    return int(any(outcome.state == "failed" for outcome in installed))


def _edit_sample(out: Path) -> dict[str, Path]:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Trouble(f"Nothing can be written to {out} ({error.strerror}). Give another folder with --out.") from error
    pictures = {name: out / file for name, file in (("before", "before.png"), ("after", "after.png"))}
    pictures |= {"layers": out / "layers.ora", "both": out / "before-and-after.png"}
    say("Drawing the sample portrait …")
    draw = [*programs.run_python(), "-c", SAMPLE, str(pictures["before"]), str(SIDE), json.dumps(PORTRAIT)]
    _run(draw, "The sample could not be drawn.")
    say(f"Editing it through the daemon: “{SOURCE}” → “{TARGET}”")
    command = programs.command("cli", "edit", str(pictures["before"]))
    command += ["-o", str(pictures["after"]), "--layers", str(pictures["layers"])]
    command += ["--source", SOURCE, "--target", TARGET, "--object", OBJECT]
    _run(command, typed("The sample could not be edited; see above. To find out why, run:  s2edit doctor"))
    _side_by_side(pictures)
    return pictures


def _side_by_side(pictures: dict[str, Path]) -> None:
    import pyvips

    before, after = (pyvips.Image.pngload(str(pictures[name])) for name in ("before", "after"))
    before.join(after, "horizontal", shim=8, background=[255]).pngsave(str(pictures["both"]))


def _run(command: list[str], trouble: str) -> None:
    if subprocess.run(command, check=False).returncode:  # noqa: S603 - our own Python
        raise Trouble(trouble)


def _open_tray() -> str:
    """Open the tray; "" when it runs, else why not."""
    check = subprocess.run(  # noqa: S603 - our own Python
        [*programs.run_python(), "-c", "import PySide6.QtWidgets"], capture_output=True, text=True, check=False
    )
    if check.returncode:
        reason = check.stderr.strip().splitlines()[-1] if check.stderr.strip() else "PySide6 does not work"
        return (
            f"The tray needs libraries that are missing here ({reason}).\n"
            "On Debian and Ubuntu: sudo apt install libegl1 libxkbcommon0 libdbus-1-3 libxcb-cursor0"
        )
    command = programs.command("tray")
    with (logs_folder(state_folder()) / "tray-start.log").open("wb") as log:
        tray = subprocess.Popen(  # noqa: S603 - our own Python
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    # Not whether a process lives, but whether one says that its window is there: maybe the one that ran already.
    _opened.append(tray)
    asks = subprocess.Popen([*command, "--is-shown"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    while asks.poll() is None and not tray.poll():
        with suppress(subprocess.TimeoutExpired):
            asks.wait(0.2)
    if asks.poll() is None:
        asks.kill()
    if asks.wait() == 0:
        return ""
    return f"The tray app did not open; {log.name} says why. To try again:  {programs.in_shell(command)}"


def _tell(pictures: dict[str, Path], installed: list[plugins.Outcome], tray: str, options: argparse.Namespace) -> None:
    say()
    say("Done. What happened:")
    say("  The daemon is running in the background; it owns the model and the queue.")
    say(f"  It edited a sample portrait:  {pictures['both']}")
    say(f"  The same as two layers, for GIMP or Krita:  {pictures['layers']}")
    for outcome in installed:
        say(typed(f"  {outcome.target}: plug-in {outcome.state}. {outcome.message}"))
        for path in outcome.kept:
            say(f"    see {path}")
    if waits := "" if options.no_plugins else gimp_not_ready(Surroundings.here()):
        say(typed(f"  {waits}"))
    elif not installed and not options.no_plugins:
        say(typed("  No GIMP 3 and no Krita were found. Start yours once, then run:  s2edit install"))
    if options.windows:
        launching.write_menu_entry()
        say(f"  {tray or 'The tray app is open; it shows jobs and weights, and can be started at login.'}")
    if options.at_login:
        say(f"  The daemon is started at every login: {login.turn_on()[0]}")
    say()
    say("What next:")
    if installed:
        say("  In GIMP or Krita, right-click a layer and choose “S²Edit…”.")
    say(typed("  In a shell:  s2edit edit PICTURE -o RESULT.png --source … --target … --object …"))
    say(typed("  The model that comes along knows cartoon portraits. For photographs:  s2edit models list"))
    say(typed("  Should something not work:  s2edit doctor"))


if __name__ == "__main__":
    sys.exit(main())
