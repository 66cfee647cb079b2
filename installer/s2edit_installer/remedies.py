"""What to type to mend something, as it can be typed on this machine. Standard library only."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

from s2edit_wire.programs import command, in_shell

_QUICKSTART = Path(__file__).resolve().parent.parent / "quickstart.py"
_COMMAND = re.compile(r"(?<![\w./\\-])s2edit(?= (?:[a-z]|--))")


def typed(text: str) -> str:
    """The text with every `s2edit …` in it spelled so that this user's shell finds it."""
    return _COMMAND.sub(lambda _: own_command(), text)


def line(*arguments: str | Path) -> str:
    """A whole `s2edit` command to be pasted into this user's shell, whatever its arguments are."""
    return f"{own_command()} {in_shell([str(argument) for argument in arguments])}"


def own_command() -> str:
    """`s2edit` where the shell finds this environment's own, else with its folder, or as a module of this Python."""
    own = Path(sys.executable).parent / ("s2edit.exe" if os.name == "nt" else "s2edit")
    found = shutil.which("s2edit")
    if found and own.exists() and Path(found).resolve() == own.resolve():
        return "s2edit"
    return _shown(own) if own.exists() else in_shell(command("cli"))


def make_environment() -> str:
    """The command that makes this installation's environment whole again."""
    if _QUICKSTART.exists():
        return f"{'python' if os.name == 'nt' else 'python3'} {_shown(_QUICKSTART)}"
    return f"{_shown(Path(sys.executable))} -m pip install --force-reinstall s2edit"


def add_extra(extra: str) -> str:
    """The command that adds one of S²Edit's extras, such as `bench`, to this installation."""
    pip = [sys.executable, "-m", "pip", "install"]
    if _QUICKSTART.exists():
        root = _QUICKSTART.parent.parent
        return in_shell([*pip, "-c", str(root / "installer" / "constraints.txt"), "-e", f"{root}[{extra}]"])
    return in_shell([*pip, f"s2edit[{extra}]"])


def _shown(path: Path) -> str:
    """From the current folder where it lies below that; quoted where a shell would cut it."""
    here = Path.cwd()
    return in_shell([str(path.relative_to(here) if path.is_relative_to(here) else path)])
