"""A desk for somebody who is not root: own uid, own HOME, the real editors, and none of the checkout in sight."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

from tests.hosts.lab import Lab

UID = 65_534
"""Debian's account without rights or home, `nobody`: a session's D-Bus lets in who has an account."""
_SYSTEM = ("proc", "sys", "dev", "dev/shm", "dev/pts", "tmp")


class OrdinaryLab(Lab):
    """As `Lab`, with commands run by an ordinary user.

    Where the editors are in a tree of their own, that tree also shows this Python and the tests' environment, at their
    own paths, as far as the user may read them.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.uid = UID if os.geteuid() == 0 else os.getuid()
        self.give(self.folder)

    def give(self, folder: Path) -> None:
        """Make the user the owner of a folder and all in it."""
        if os.geteuid() == 0:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, self.uid, self.uid, follow_symlinks=False)

    def inside(self, *command: str) -> list[str]:
        """The command line that runs `command` where the editors are, in the desk's folder, as the user."""
        user = ["setpriv", f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups"]
        user += ["env", "-C", str(self.folder), *command]
        if self.root == Path("/"):
            return user if os.geteuid() == 0 else user[user.index("env") :]
        enter = ["unshare", "--mount", "--propagation", "private", "/bin/bash", "-c", self._script(), "enter", *user]
        return enter if os.geteuid() == 0 else ["sudo", "-E", *enter]

    def say(self, *command: str, fails: bool = False) -> subprocess.CompletedProcess[str]:
        """Run a command as the user and return what it said."""
        ran = subprocess.run(
            self.inside(*command), env=self.env, capture_output=True, text=True, timeout=600, check=False
        )
        assert bool(ran.returncode) == fails, (command, ran.stdout[-3_000:], ran.stderr[-3_000:])
        return ran

    def _script(self) -> str:
        shared = [Path(sys.base_prefix), Path(sys.prefix)]
        lines = ["set -e"]
        lines += [f"mkdir -p {self._there(name)}; mount --bind /{name} {self._there(name)}" for name in _SYSTEM]
        # What lies in /tmp, as a clone of CI's may, is in sight already.
        shared = [path for path in shared if path.parts[1] not in _SYSTEM]
        for top in sorted({path.parts[1] for path in shared}):
            assert top != "usr", (
                "Run the tests with a Python that is not the system's own: the editors' tree has another."
            )
            # In memory: the tree itself stays as it was made, and root's home is closed to others.
            lines.append(f"mkdir -p {self._there(top)}; mount -t tmpfs -o mode=755 tmpfs {self._there(top)}")
        for path in shared:
            there = self._there(str(path).lstrip("/"))
            lines.append(f"mkdir -p {there}; mount --bind {shlex.quote(str(path))} {there}")
        return "\n".join([*lines, f'exec chroot {shlex.quote(str(self.root))} "$@"'])

    def _there(self, path: str) -> str:
        return shlex.quote(str(self.root / path))
