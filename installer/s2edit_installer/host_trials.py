"""Starting the editors without a screen: does the plug-in register, and can it say hello to the daemon from there?

Only editors on the path are started; what is inside Flatpak or Snap is left to its own sandbox's rules.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .findings import Finding, ok, warning, wrong
from .surroundings import Surroundings
from .targets import NEWEST_GIMP, Target, find

TIMEOUT = 300.0
"""Seconds; the first start of an editor builds its caches."""
_HELLO = """
import json, os, sys
report = {"registered": False, "hello": ""}
try:
    %(register)s
    sys.path.insert(0, %(folder)r)
    from %(wire)s.client import Client
    client = Client(%(host)r, "doctor")
    client.connect()
    report["hello"] = client.daemon_version
    client.close()
except Exception as error:
    report["error"] = getattr(error, "message", None) or repr(error)
with open(%(report)r, "w") as file:
    json.dump(report, file)
"""


def try_editors() -> Iterator[Finding]:
    """One finding per editor that can be started here."""
    for target in find(Surroundings.here()):
        what = f"start {target.name}"
        if target.packaging != "package or AppImage":
            yield warning(what, "Not tried: it runs in a sandbox or elsewhere.", "Start it and look for S²Edit….")
            continue
        command = _gimp_command(target) if target.host == "gimp" else _krita_command()
        if command is None:
            yield warning(what, "Not tried: its program was not found on the path.", "Start it and look for S²Edit….")
            continue
        yield _try(what, target, command)


def _gimp_command(target: Target) -> list[str] | None:
    for version in (target.version, *NEWEST_GIMP):
        program = shutil.which(f"gimp-console-{version}")
        if program:
            options = "--new-instance --no-interface --no-fonts --console-messages --batch-interpreter python-fu-eval"
            return [program, *options.split(), "--quit", "-b"]
    return None


def _krita_command() -> list[str] | None:
    runner, screen = shutil.which("kritarunner"), shutil.which("xvfb-run")
    return [screen, "-a", runner, "-s", "s2edit_doctor_probe", "-f", "main"] if runner and screen else None


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
        folder, wire = target.folder / "s2edit", "s2edit_wire"
    else:
        folder, wire = target.folder / "pykrita", "s2edit_krita.s2edit_wire"
        register = f"sys.path.insert(0, {str(folder)!r}); import s2edit_krita; report['registered'] = True"
    values = {"register": register, "folder": str(folder), "wire": wire, "host": target.host, "report": str(report)}
    return _HELLO % values
