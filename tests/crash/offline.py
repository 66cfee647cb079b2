"""Promise 13: offline means that no connection off this machine is attempted, not even one that would fail."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyvips

from tests.crash.figures import Figures
from tests.fakes.daemon import FAKE_WORKER, ROOT, RunningDaemon, finished, submit

_ADDRESS = re.compile(r"sa_family=AF_INET6?, .*?inet_(?:addr|pton)\((?:AF_INET6, )?\"([^\"]+)\"")
"""An address of the network in a traced `connect`, `sendto` or `sendmsg`."""
_NEAR = {"127.0.0.1", "::1"}
_EDIT = ["--source", "a man with a beard", "--target", "a man with a moustache", "--object", "man"]
_QUICK = ["--set", "identity.steps=2", "--set", "inversion.steps=2"]


def check(scale: int, folder: Path, seed: int = 0) -> Figures:
    """Run `scale` edits, and ask for models, in a daemon whose every connection is written down.

    At more than CI's one edit also the whole way: installing the plug-ins, and an edit by the command with the real
    worker and the embedded model.
    """
    watched = shutil.which("strace") is not None
    isolated = os.getuid() == 0 and subprocess.run(["unshare", "-n", "true"], check=False).returncode == 0
    assert watched or isolated, f"neither strace nor a network namespace to look with on {sys.platform}"
    prefix = ["unshare", "-n"] if isolated else []
    if watched:
        # One file per process (`-ff`): several of them may be traced at a time.
        prefix += ["strace", "-ff", "-qq", "-e", "trace=connect,sendto,sendmsg", "-o", str(folder / "trace")]
    _daemon(scale, folder, prefix)
    if scale > 1:
        _whole_way(folder, prefix)
    told = [address for path in folder.glob("trace.*") for address in _ADDRESS.findall(path.read_text())]
    assert [address for address in told if address not in _NEAR] == []
    how = [*(["in a namespace without a network"] if isolated else []), *(["under strace"] if watched else [])]
    way = ", with the real worker from installing to the edit, too" if scale > 1 else ""
    return Figures({"edits": scale, "connections attempted": len(told)}, {}, " and ".join(how) + way)


def _daemon(scale: int, folder: Path, prefix: list[str]) -> None:
    with _traced(folder / "s", prefix) as daemon, daemon.client() as client:
        for _ in range(scale):
            assert finished(client, submit(client), 60)["state"] == "done"
        client.request("models", timeout=60)
        client.request("rescan", timeout=60)


@contextlib.contextmanager
def _traced(folder: Path, prefix: list[str], worker: str | None = FAKE_WORKER) -> Iterator[RunningDaemon]:
    daemon = RunningDaemon(folder, worker=worker, arguments=["--offline"])
    daemon.prefix = prefix
    daemon.start(timeout=120)
    assert daemon.process is not None
    try:
        yield daemon
        # By request: a signal would reach strace and not the daemon.
        with daemon.client() as client:
            client.request("shutdown", {"when": "now"})
        assert daemon.process.wait(60) == 0
    finally:
        daemon.kill()


def _whole_way(folder: Path, prefix: list[str]) -> None:
    source, result = folder / "in.png", folder / "out.png"
    samples = np.full((128, 128, 3), 200, np.uint8)
    pyvips.Image.new_from_array(samples).copy(interpretation="srgb").pngsave(str(source))
    home = folder / "home"
    (home / ".config" / "GIMP" / "3.0").mkdir(parents=True)
    with _traced(folder / "w", prefix, worker=None) as daemon:
        environment = {**os.environ, "HOME": str(home), "S2EDIT_HOME": str(daemon.folder), "OMP_NUM_THREADS": "1"}
        for words in (["install"], ["edit", str(source), "-o", str(result), *_EDIT, *_QUICK]):
            command = [*prefix, sys.executable, "-m", "s2edit_cli.main", *words]
            ended = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
            assert ended.returncode == 0, ended.stdout + ended.stderr
    assert result.exists()
