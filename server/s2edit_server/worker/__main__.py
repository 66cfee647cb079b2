"""`python -m s2edit_server.worker`: connects first, so that the daemon sees a pulse while torch is still loading."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from pathlib import Path

from ..worker_link import STATE_VARIABLE, LinkBroken, WorkerLine
from .processors import sleep_while_waiting

NICENESS = 5
"""Lowered priority: the painter goes on painting on the same processor."""
OOM_SCORE = 500
"""Of 1000: when main memory runs out, Linux should end the worker, which is replaced, and not the editor."""


def main() -> int:
    """Run a worker on the line that the supervisor left in the environment; returns the exit status."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        line = WorkerLine.open()
    except LinkBroken as error:
        print(error, file=sys.stderr)  # noqa: T201 - a person started this by hand
        return 2
    line.start()
    _step_back()
    # Progress bars of the libraries would fill the log.
    os.environ.setdefault("TQDM_DISABLE", "1")
    sleep_while_waiting()
    from .service import Service

    Service(line, Path(os.environ[STATE_VARIABLE])).serve()
    return 0


def _step_back() -> None:
    """Let the programs that people look at go first; refused in some containers, and no harm then."""
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            os.nice(NICENESS)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(OOM_SCORE), encoding="ascii")


if __name__ == "__main__":
    sys.exit(main())
