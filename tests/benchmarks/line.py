"""A layer to another computer and back over lines of some speeds and 20 ms: `python -m tests.benchmarks.line`.

The line is a relay between the real ssh and the real sshd on this machine, which lets so many bytes a second through
and holds each back for so long; it knows nothing of lost packets. The worker is the fake one, which inverts the
picture: what is measured is the way, not the edit. Once uncompressed, once with OpenSSH's own `Compression yes`, and
what S²Edit chooses by itself, which has measured the line (`s2edit_wire.line_rate`).
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from s2edit_wire import remote
from s2edit_wire.client import new_job_id
from s2edit_wire.frames import describe

from tests.fakes.daemon import EDIT, ROOT, RunningDaemon, finished
from tests.fakes.ssh import OtherComputer

WAYS = ("uncompressed", "compressed", "by itself")


def photograph(side: int) -> np.ndarray[Any, Any]:
    """A real photograph, enlarged to side x side: RGB, uint8."""
    with Image.open(ROOT / "tests" / "photographs" / "astronaut.jpg") as found:
        return np.asarray(found.convert("RGB").resize((side, side), Image.Resampling.LANCZOS))


def measure(side: int, mbit: float, delay_s: float, way: str) -> tuple[float, float, int, int]:
    """(seconds up, seconds back, bytes up, bytes back) of one layer, in one of `WAYS`."""
    image = photograph(side)
    with tempfile.TemporaryDirectory(prefix="s2l") as name:
        folder = Path(name)
        near = RunningDaemon(folder / "near", worker=None)
        near.folder.mkdir(mode=0o700)
        with OtherComputer(folder / "ssh", folder / "far") as there, RunningDaemon(folder / "far"):
            there.configure(f"Compression {'yes' if way == 'compressed' else 'no'}")
            there.install(listens=way == "by itself")
            there.relay.rate, there.relay.delay = mbit * 1e6 / 8, delay_s
            remote.choose(near.folder, there.target)
            near.start(there.environment)
            try:
                with near.client() as client:
                    job, fields = new_job_id(), {"edit": EDIT, "frames": [describe("image", image.shape)]}
                    before, begun = there.relay.up, time.monotonic()
                    client.request("submit", {"job": job, **fields}, [memoryview(image.tobytes())], timeout=120)
                    up_s, up = time.monotonic() - begun, there.relay.up - before
                    finished(client, job, timeout=300, every=0.2)
                    before, begun = there.relay.down, time.monotonic()
                    answer = client.request("result", {"job": job}, timeout=300)
                    back_s, back = time.monotonic() - begun, there.relay.down - before
                    assert (np.frombuffer(answer.frames[0], "u1") == 255 - image.ravel()).all()
            finally:
                near.stop()
    return up_s, back_s, up, back


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=4_096)
    parser.add_argument("--mbit", type=float, nargs="+", default=[100.0, 20.0])
    parser.add_argument("--delay-ms", type=float, default=20.0)
    options = parser.parse_args()
    sys.stdout.write(f"{options.side} x {options.side}, {options.delay_ms:g} ms each way\n")
    for mbit, way in itertools.product(options.mbit, WAYS):
        up_s, back_s, up, back = measure(options.side, mbit, options.delay_ms / 1e3, way)
        sys.stdout.write(
            f"{mbit:4g} Mbit/s, {way:12}: up {up_s:5.1f} s ({up / 1e6:6.1f} MB),"
            f" back {back_s:5.1f} s ({back / 1e6:6.1f} MB)\n"
        )
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
