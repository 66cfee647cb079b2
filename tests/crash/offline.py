"""Promise 13: offline means that no connection off this machine is attempted, not even one that would fail."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.crash.figures import Figures
from tests.fakes.daemon import RunningDaemon, finished, submit

_OUTSIDE = re.compile(r"connect\(\d+, \{sa_family=AF_INET6?, .*?inet_(?:addr|pton)\((?:AF_INET6, )?\"([^\"]+)\"")


def check(scale: int, folder: Path, seed: int = 0) -> Figures:
    """Run `scale` edits, and ask for models and plans, in a daemon whose every `connect` is written down."""
    trace = folder / "trace"
    watched = shutil.which("strace") is not None
    isolated = os.getuid() == 0 and subprocess.run(["unshare", "-n", "true"], check=False).returncode == 0
    daemon = RunningDaemon(folder / "s", arguments=["--offline"])
    prefix = ["unshare", "-n"] if isolated else []
    prefix += ["strace", "-f", "-qq", "-e", "trace=connect,sendto", "-o", str(trace)] if watched else []
    daemon.prefix = prefix
    daemon.start(timeout=60)
    try:
        with daemon.client() as client:
            for _ in range(scale):
                assert finished(client, submit(client), 60)["state"] == "done"
            client.request("models", timeout=60)
            client.request("rescan", timeout=60)
            client.request("shutdown", {"when": "now"})
        assert daemon.process is not None
        assert daemon.process.wait(30) == 0
    finally:
        daemon.kill()
    assert watched or isolated, f"neither strace nor a network namespace to look with on {sys.platform}"
    outside = list(_OUTSIDE.findall(trace.read_text())) if watched else []
    assert [address for address in outside if address not in {"127.0.0.1", "::1"}] == []
    how = [*(["in a namespace without a network"] if isolated else []), *(["under strace"] if watched else [])]
    return Figures({"edits": scale, "connections attempted": len(outside)}, {}, " and ".join(how))
