"""Examining an installation: environment, GPU, daemon, weights, disk, plug-ins, editors; one finding per line."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from s2edit_wire import launcher
from s2edit_wire.client import Client
from s2edit_wire.connection import connection_path
from s2edit_wire.errors import Unreachable, WireError
from s2edit_wire.paths import state_folder

from . import launching, plugins, torch_choice
from .findings import Finding, ok, warning, wrong
from .host_trials import try_editors
from .words import Trouble

LITTLE = 2 * 2**30
"""Bytes of free disk below which the doctor warns: a job's pictures, the identity cache and logs take their share."""
_NEEDED = ("torch", "diffusers", "transformers", "pyzmq", "msgpack", "pyvips")
_ASK_TORCH = (
    "import torch; print(torch.__version__, torch.cuda.is_available(), torch.version.cuda or torch.version.hip)"
)


def examine(*, fix: bool = False, editors: bool = True) -> list[Finding]:
    """Examine everything; with `fix`, mend what can be mended safely and say so.

    Args:
        editors: whether to start the editors that are found, which takes up to a minute each.
    """
    checks: list[Callable[[], Iterator[Finding]]] = [_environment, _gpu, _disk, _launcher, _daemon, _plugins]
    if editors:
        checks.append(try_editors)
    found: list[Finding] = []
    for check in checks:
        for finding in check():
            found.append(_mended(finding) if fix and finding.mend else finding)
    return found


def _mended(finding: Finding) -> Finding:
    assert finding.mend is not None
    try:
        return ok(finding.what, finding.mend())
    except (OSError, Unreachable, WireError, Trouble) as error:
        return wrong(finding.what, f"{finding.message} Mending failed: {error}", finding.hint)


def _environment() -> Iterator[Finding]:
    missing = [name for name in _NEEDED if not _version(name)]
    where = f"Python {sys.version.split()[0]} in {sys.prefix}"
    if missing:
        yield wrong("environment", f"{where} lacks {', '.join(missing)}.", "Run: python3 installer/quickstart.py")
    else:
        yield ok("environment", f"S²Edit {version('s2edit')}, PyTorch {_version('torch')}, {where}.")
    pins = Path(__file__).resolve().parent.parent / "constraints.txt"
    if pins.exists():
        lines = [line.split("==") for line in pins.read_text(encoding="utf-8").splitlines() if "==" in line[:60]]
        other = [name for name, pin in lines if _version(name) and _version(name).split("+")[0] != pin.split("+")[0]]
        if other:
            words = f"Other versions than the pinned ones: {', '.join(other)}."
            yield warning("versions", words, "Run: python3 installer/quickstart.py")
        else:
            yield ok("versions", "All packages have their pinned versions.")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _gpu() -> Iterator[Finding]:
    nvidia = torch_choice.nvidia_card()
    card = nvidia.name if nvidia else "an AMD card" if torch_choice.has_rocm() else ""
    try:
        asked = subprocess.run(  # noqa: S603 - our own Python
            [sys.executable, "-c", _ASK_TORCH], capture_output=True, text=True, timeout=120, check=False
        )
    except subprocess.TimeoutExpired:
        yield wrong("GPU", "PyTorch does not load within two minutes.", "Run: python3 installer/quickstart.py")
        return
    if asked.returncode:
        reason = asked.stderr.strip().splitlines()[-1:] or ["no reason given"]
        yield wrong("GPU", f"PyTorch does not load: {reason[0]}", "Run: python3 installer/quickstart.py")
        return
    usable = asked.stdout.split()[1] == "True"
    if card and not usable:
        hint = "Delete .venv and run: python3 installer/quickstart.py ; if that does not help, update the driver."
        yield wrong("GPU", f"There is {card}, but PyTorch cannot use it.", hint)
    elif usable:
        yield ok("GPU", f"{card or 'A GPU'} is used, with {asked.stdout.split()[2]}.")
    else:
        yield warning("GPU", "There is no GPU that PyTorch can use: edits run on the processor.")


def _disk() -> Iterator[Finding]:
    state = state_folder()
    place = next(folder for folder in (state, *state.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    words = f"{free / 2**30:.1f} GiB are free where S²Edit keeps jobs and weights ({state})."
    yield ok("disk", words) if free > LITTLE else warning("disk", words, "Free some space.")


def _launcher() -> Iterator[Finding]:
    def mend() -> str:
        return f"Wrote {launching.write_launcher()}."

    hint = "Run: s2edit doctor --fix"
    try:
        command = launcher.read_command(state_folder())
    except Unreachable as error:
        yield wrong("launcher", f"Plug-ins cannot start the daemon: {error.message}", hint, mend)
        return
    if shutil.which(command[0]) is None:
        yield wrong("launcher", f"Plug-ins would start the daemon with {command[0]}, which is gone.", hint, mend)
    else:
        yield ok("launcher", f"Plug-ins start the daemon with {command[0]}.")


def _daemon() -> Iterator[Finding]:
    state = state_folder()
    client = Client("cli", version("s2edit"))
    try:
        client.connect()
    except Unreachable as error:
        yield _unreachable(error, state)
        return
    except WireError as error:
        yield wrong("daemon", error.message, error.hint or "Restart it: s2edit daemon stop")
        return
    with client:
        if client.daemon_version != version("s2edit"):
            words = f"It is version {client.daemon_version}, this is {version('s2edit')}."
            yield warning("daemon", words, "Restart it: s2edit daemon stop")
        else:
            yield ok("daemon", f"It runs and answers, version {client.daemon_version}.")
        models = client.request("models").header["models"]
    ready = [model["id"] for model in models if model["state"] == "ready" and model["role"] == "editor"]
    if ready:
        yield ok("weights", f"Usable: {', '.join(ready)}.")
    else:
        yield wrong("weights", "No model can be used.", "See: s2edit models list")
    for model in models:
        if model["state"] == "broken":
            hint = f"Run: s2edit models remove {model['id']} and download it again."
            yield wrong("weights", f"{model['id']}: {model.get('message', 'it is damaged')}.", hint)


def _unreachable(error: Unreachable, state: Path) -> Finding:
    if error.reason == "not_running":
        return warning("daemon", "It does not run; it starts with the first edit.", "Or start it: s2edit daemon start")
    if error.reason != "stale":
        return wrong("daemon", error.message, error.hint)

    def mend() -> str:
        connection_path(state).unlink(missing_ok=True)
        return "Removed the file that a daemon which is gone had left."

    return wrong("daemon", error.message, "Run: s2edit doctor --fix", mend)


def _plugins() -> Iterator[Finding]:
    try:
        outcomes = plugins.install(dry_run=True)
    except Trouble as trouble:
        yield wrong("plug-ins", str(trouble), "Then run: s2edit install")
        return
    if not outcomes:
        yield warning("plug-ins", "No GIMP 3 and no Krita were found.", "Start yours once, then run: s2edit install")

    def mend() -> str:
        return "; ".join(f"{done.target}: {done.state}" for done in plugins.install())

    for outcome in outcomes:
        if outcome.state == "ready":
            yield ok("plug-ins", f"{outcome.target}: in place.")
        elif outcome.state == "failed":
            yield wrong("plug-ins", f"{outcome.target}: {outcome.message}", "Files: " + ", ".join(outcome.kept))
        else:
            new = "not in place" if "installed" in outcome.state else "of another version, or changed"
            yield wrong("plug-ins", f"{outcome.target}: the plug-in is {new}.", "Run: s2edit install", mend)
