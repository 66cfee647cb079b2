"""Running pip, or uv where it is, with one progress bar, and saying in plain words why it failed.

Standard library only.
"""

from __future__ import annotations

import collections
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from .words import Trouble, say

# In this order: pip reports a refusing proxy and a strange certificate among failed connections, too.
_REASONS = (
    (r"No space left on device", "The disk is full. Free some space, then run this again: what was fetched is kept."),
    (
        r"(ProxyError|407 Proxy)",
        "The proxy refused. With a name and a password it is written\n"
        "HTTPS_PROXY=http://user:password@host:port. Set that, then run this again.",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED",
        "A certificate is not trusted. A company's proxy may stand between: set PIP_CERT to its certificate file.",
    ),
    (
        r"(Temporary failure in name resolution|Failed to establish a new connection|Network is unreachable"
        r"|Connection refused|getaddrinfo|Name or service not known|nodename nor servname|Max retries exceeded)",
        "The package index cannot be reached. Check the network, then run this again.\n"
        "Behind a proxy, HTTPS_PROXY=http://host:port must be set and right.",
    ),
    (
        r"(No matching distribution found|Could not find a version)",
        "The package index lacks a pinned version for this Python. Try Python 3.11 to 3.13, or give your own\n"
        "versions with --constraints FILE or --torch SPEC.",
    ),
    (
        r"(DO NOT MATCH THE HASHES|[Hh]ash mismatch)",
        "What the package index sent is not the file that S²Edit was made with, so it is not used. Run this\n"
        "again; if it stays so, the index has another: take that with --constraints installer/constraints.txt.",
    ),
    (r"Permission denied", "A file may not be written. Run this as the user that owns this folder, without sudo."),
)
_TAIL = 12
_OTHER_SOURCES = re.compile(r"(index-url|extra-index-url|find-links|no-index|proxy|cert)\b", re.MULTILINE)
"""Settings of pip's that uv does not read."""


def explain(output: str) -> str:
    """What pip's output means, in words; its last lines when it is nothing known."""
    for pattern, words in _REASONS:
        if re.search(pattern, output):
            return words
    return "pip failed:\n" + "\n".join(output.splitlines()[-_TAIL:])


class Bar:
    """One line on a terminal that shows what pip is doing; a line per download elsewhere."""

    def __init__(self, title: str) -> None:
        self._title, self._moving, self._width = title, sys.stdout.isatty(), 0
        self._began, self._what = time.monotonic(), ""
        if not self._moving:
            say(f"{title} …")

    def take(self, line: str) -> None:
        """A line of pip's (`--progress-bar raw` gives `Progress BYTES of BYTES`)."""
        if match := re.match(r"Progress (\d+) of (\d+)", line):
            done, total = int(match[1]), int(match[2])
            if self._moving and total:
                filled = 20 * done // total
                self._show(f"[{'█' * filled}{'·' * (20 - filled)}] {done >> 20}/{total >> 20} MiB  {self._what}")
        elif match := re.match(r"\s*(?:Downloading|Using cached) (\S+?)(?:-\d\S*)?(?: \((.*)\))?$", line):
            self._what = match[1].rsplit("/", 1)[-1]
            self._show(f"{self._what} {match[2] or ''}")
        elif line.startswith("Installing collected packages"):
            self._show("unpacking …")

    def close(self) -> None:
        """Leave a line that says how long it took."""
        words = f"{self._title}: {time.monotonic() - self._began:.0f} s"
        say(f"\r{words:<{self._width}}" if self._moving else f"  {words}")

    def _show(self, text: str) -> None:
        if self._moving:
            line = f"{self._title}  {text}"[: os.get_terminal_size().columns - 1]
            say(f"\r{line:<{self._width}}", end="")
            self._width = len(line)


def find_uv() -> str | None:
    """The uv on the path or beside this Python, else None."""
    return shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))


def uv_for(python: Path) -> str | None:
    """The uv to install with: much faster than pip. None without one, or where pip was told of sources of its own.

    Args:
        python: the environment's; its pip is asked for its settings.
    """
    uv = shutil.which("uv")
    if uv is None:
        return None
    asked = subprocess.run(  # noqa: S603 - our own environment's pip
        [str(python), "-P", "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    told = asked.returncode != 0 or _OTHER_SOURCES.search(asked.stdout.replace("_", "-").lower())
    return None if told else uv


def pip(python: Path, arguments: list[str], title: str, *, raw: bool = True, constraints: Path | None = None) -> None:
    """Run pip install, or uv's; what uv fails at, pip tries. Trouble says what went wrong.

    Args:
        python: the environment's. arguments: what to install, in words that both understand. title: for people.
        raw: whether pip tells how far it has got. constraints: a file of versions.
    """
    arguments = [*(["-c", str(constraints)] if constraints else []), *arguments]
    uv = uv_for(python)
    if uv is not None:
        if not _run([uv, "pip", "install", "--python", str(python), "--no-progress", *arguments], title):
            return
        say("uv could not do that; pip tries.")
    command = [str(python), "-P", "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    output = _run([*command, "--progress-bar", "raw" if raw else "off", *arguments], title)
    if output:
        raise Trouble(explain(output))


def _run(command: list[str], title: str) -> str:
    """What it said when it failed, at most 200 lines; "" when it did not."""
    bar, tail = Bar(title), collections.deque[str](maxlen=200)
    with subprocess.Popen(  # noqa: S603 - our own environment's pip, or uv
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=dict(os.environ, PYTHONUNBUFFERED="1"),
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            tail.append(line)
            bar.take(line.rstrip())
    if process.returncode:
        say()
        return "".join(tail) or f"It ended with {process.returncode}."
    bar.close()
    return ""
