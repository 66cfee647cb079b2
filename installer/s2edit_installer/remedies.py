"""What to type to mend something, as it can be typed on this machine. Standard library only."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from pathlib import Path

_QUICKSTART = Path(__file__).resolve().parent.parent / "quickstart.py"
_COMMAND = re.compile(r"(?<![\w./\\-])s2edit(?= [a-z])")


def typed(text: str) -> str:
    """The text with every `s2edit …` in it spelled so that this user's shell finds it."""
    return _COMMAND.sub(lambda _: own_command(), text)


def own_command() -> str:
    """`s2edit` where the shell finds this environment's own, else with its folder."""
    own = Path(sys.executable).parent / ("s2edit.exe" if os.name == "nt" else "s2edit")
    found = shutil.which("s2edit")
    if not own.exists() or (found and Path(found).resolve() == own.resolve()):
        return "s2edit"
    return _shown(own)


def make_environment() -> str:
    """The command that makes this installation's environment whole again."""
    if _QUICKSTART.exists():
        return f"{'python' if os.name == 'nt' else 'python3'} {_shown(_QUICKSTART)}"
    return f"{_shown(Path(sys.executable))} -m pip install --force-reinstall s2edit"


def _shown(path: Path) -> str:
    """From the current folder where it lies below that; quoted where a shell would cut it."""
    here = Path.cwd()
    text = str(path.relative_to(here) if path.is_relative_to(here) else path)
    return f'"{text}"' if os.name == "nt" and " " in text else text if os.name == "nt" else shlex.quote(text)
