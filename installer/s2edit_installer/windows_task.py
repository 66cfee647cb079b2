"""A scheduled task that starts the daemon when this user logs on, made and deleted by Windows' own `schtasks`.

Sources: Microsoft Learn, "Task Scheduler Schema" (elements and their defaults), "Logon Trigger Example (XML)" and
"schtasks". A trigger without a UserId is for everybody's logon, which only administrators may ask for. Some machines
let nobody else make tasks at all: callers need another way when `create` says no.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape

from s2edit_wire import programs

# Defaults that would harm: 72 hours of life, no start on batteries and an end when they are, a priority below normal.
_TASK = """<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
<RegistrationInfo><Description>Starts the daemon of S²Edit: jobs, weights and the GPU.</Description></RegistrationInfo>
<Triggers><LogonTrigger><Enabled>true</Enabled><UserId>{user}</UserId></LogonTrigger></Triggers>
<Principals><Principal id="Author">
<UserId>{user}</UserId><LogonType>InteractiveToken</LogonType><RunLevel>LeastPrivilege</RunLevel>
</Principal></Principals>
<Settings>
<MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
<DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
<StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
<ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
<Priority>5</Priority>
<RestartOnFailure><Interval>PT1M</Interval><Count>3</Count></RestartOnFailure>
</Settings>
<Actions Context="Author"><Exec><Command>{command}</Command><Arguments>{arguments}</Arguments></Exec></Actions>
</Task>
"""
_START = "import os, runpy; os.environ['S2EDIT_HOME'] = {state!r}; runpy.run_module({module!r}, run_name='__main__')"
"""A task cannot set variables, and a shell that could would show its window."""


def name(variables: Mapping[str, str]) -> str:
    """The task's name; all users of a machine share one list of them."""
    return f"S2Edit daemon of {variables.get('USERNAME', 'user')}"


def document(state: Path, variables: Mapping[str, str]) -> bytes:
    """The task as schtasks reads it: XML, UTF-16 with its byte order mark.

    Args:
        state: the daemon's state folder.
        variables: the environment, for the user's name.
    """
    python, *options = programs.run_python(windowless=True)
    user = "\\".join(variables[part] for part in ("USERDOMAIN", "USERNAME") if part in variables)
    arguments = subprocess.list2cmdline(
        [*options, "-c", _START.format(state=str(state), module=programs.MODULES["daemon"])]
    )
    values = {"user": user, "command": python, "arguments": arguments}
    return _TASK.format(**{key: escape(value) for key, value in values.items()}).encode("utf-16")


def create(task: str, xml: Path) -> bool:
    """Make the task, or replace it; whether Windows let us."""
    return _schtasks("/Create", "/TN", task, "/XML", str(xml), "/F")


def delete(task: str) -> None:
    """Delete the task; nothing happens when somebody else has. Raises PermissionError when Windows does not let us."""
    if _schtasks("/Query", "/TN", task) and not _schtasks("/Delete", "/TN", task, "/F"):
        raise PermissionError(13, "Windows keeps the scheduled task", task)


def _schtasks(*arguments: str) -> bool:
    try:
        ran = subprocess.run(["schtasks", *arguments], capture_output=True, check=False, timeout=60)  # noqa: S603, S607
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ran.returncode == 0
