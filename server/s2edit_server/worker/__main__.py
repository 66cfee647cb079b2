"""`python -m s2edit_server.worker`: connects first, so that the daemon sees a pulse while torch is still loading."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

from ..worker_link import STATE_VARIABLE, LinkBroken, WorkerLine


def main() -> int:
    """Run a worker on the line that the supervisor left in the environment; returns the exit status."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        line = WorkerLine.open()
    except LinkBroken as error:
        print(error, file=sys.stderr)  # noqa: T201 - a person started this by hand
        return 2
    line.start()
    from .service import Service

    Service(line, Path(os.environ[STATE_VARIABLE])).serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
