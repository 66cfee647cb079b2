"""Starting the editors without a screen: does the plug-in register, and can it say hello to the daemon from there?

Only editors on the path are started; what is inside Flatpak or Snap is left to its own sandbox's rules.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from .findings import Finding, ok, warning, wrong
from .surroundings import Surroundings
from .targets import NEWEST_GIMP, ORDINARY, OWN_FOLDER, Target, find

TRIED = frozenset({"package, AppImage or Flatpak", ORDINARY, OWN_FOLDER})
"""Packagings whose program may be on the path."""
TIMEOUT = 300.0
"""Seconds; the first start of an editor builds its caches."""
_HELLO = """
import json, os, sys
report = {"registered": False, "hello": ""}
try:
    %(register)s
    sys.path.insert(0, %(folder)r)
    from s2edit_wire.client import Client
    client = Client(%(host)r, "doctor")
    client.connect()
    report["hello"] = client.daemon_version
    client.close()
except Exception as error:
    report["error"] = getattr(error, "message", None) or repr(error)
with open(%(report)r, "w") as file:
    json.dump(report, file)
"""


def try_editors(announce: Callable[[str], None]) -> Iterator[Finding]:
    """One finding per editor that is found.

    Args:
        announce: is told before each start, which takes up to a minute.
    """
    by_hand = "Start it and look for S²Edit… when you right-click a layer."
    for target in find(Surroundings.here()):
        what = f"start {target.name}"
        if target.packaging not in TRIED:
            yield warning(what, "Not tried: it runs in a sandbox or elsewhere.", by_hand)
            continue
        command = _gimp_command(target) if target.host == "gimp" else _krita_command()
        if isinstance(command, str):
            yield warning(what, f"Not tried: {command}", by_hand)
            continue
        announce(f"Starting {target.name} without a window …")
        yield _try(what, target, command)


def _gimp_command(target: Target) -> list[str] | str:
    """The command, or why there is none. Another version would look into another folder."""
    for version in (target.version,) if target.version else NEWEST_GIMP:
        program = shutil.which(f"gimp-console-{version}")
        if program:
            options = "--new-instance --no-interface --no-fonts --console-messages --batch-interpreter python-fu-eval"
            return [program, *options.split(), "--quit", "-b"]
    return f"there is no gimp-console-{target.version or '3'} on the path."


def _krita_command() -> list[str] | str:
    """The command, or why there is none; it shows no window, but wants a screen."""
    runner, screen = shutil.which("kritarunner"), shutil.which("xvfb-run")
    if runner is None:
        return "there is no kritarunner on the path."
    run = [runner, "-s", "s2edit_doctor_probe", "-f", "main"]
    if screen:
        return [screen, "-a", *run]
    return run if os.environ.get("DISPLAY") else "it needs a screen; there is none, and no xvfb-run to make one."


def _try(what: str, target: Target, command: list[str]) -> Finding:
    with tempfile.TemporaryDirectory(prefix="s2edit-doctor-") as folder:
        report = Path(folder) / "report.json"
        environment = dict(os.environ, NO_AT_BRIDGE="1")
        if target.host == "gimp":
            script = _script(target, report)
            # GIMP takes one expression: the script travels as text.
            command = [*command, f"exec({script!r})"]
        else:
            body = _script(target, report).replace("\n", "\n    ")
            (Path(folder) / "s2edit_doctor_probe.py").write_text(
                f"def main(*arguments):\n    {body}\n", encoding="utf-8"
            )
            environment["PYTHONPATH"] = folder
            # The screen made for it is an X server, whatever the caller's own programs are shown on.
            environment["QT_QPA_PLATFORM"] = "xcb"
        last_words = ""
        try:
            done = subprocess.run(  # noqa: S603 - programs found on the path
                command, env=environment, capture_output=True, timeout=TIMEOUT, check=False, stdin=subprocess.DEVNULL
            )
            last_words = _last_line(done.stderr)
            said = json.loads(report.read_text(encoding="utf-8"))
        except subprocess.TimeoutExpired:
            return wrong(what, f"It did not end within {TIMEOUT:.0f} s.", "Start it by hand and look at its messages.")
        except (OSError, ValueError):
            hint = "Start it by hand; it needs its Python support installed."
            return wrong(what, f"It could not run Python.{last_words}", hint)
    if not said["registered"]:
        return wrong(what, f"The plug-in does not register ({said.get('error', 'no reason')}).", "Run: s2edit install")
    if not said["hello"]:
        return wrong(what, f"The plug-in cannot reach the daemon: {said.get('error')}", "Run: s2edit daemon start")
    return ok(what, f"The plug-in registers and greets the daemon (version {said['hello']}).")


def _last_line(output: bytes) -> str:
    """What a program said last, as the end of a sentence about it."""
    lines = [line.strip() for line in output.decode("utf-8", "replace").splitlines() if line.strip()]
    return f" It said last: {lines[-1][:200]}" if lines else ""


def _script(target: Target, report: Path) -> str:
    if target.host == "gimp":
        register = "report['registered'] = Gimp.get_pdb().procedure_exists('plug-in-s2edit')"
        folder = target.folder / "s2edit"
    else:
        folder = target.folder / "pykrita"
        register = f"sys.path.insert(0, {str(folder)!r}); import s2edit_krita; report['registered'] = True"
    values = {"register": register, "folder": str(folder), "host": target.host, "report": str(report)}
    return _HELLO % values
