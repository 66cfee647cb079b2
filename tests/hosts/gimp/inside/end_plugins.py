"""End the S²Edit plug-in as a crash of GIMP would, without asking it; only processes of this very GIMP."""

import os
import signal
from pathlib import Path

from common import report


def parent(pid: str) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def body() -> dict[str, list[int]]:
    gimp, ended = os.getppid(), []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
            if b"s2edit.py" in command and parent(folder.name) == gimp:
                os.kill(int(folder.name), signal.SIGKILL)
                ended.append(int(folder.name))
        except OSError:
            continue
    return {"ended": ended}


report(body)
