"""The real daemon, but for the second that it waits after each break of a download: here it is ten milliseconds."""

from __future__ import annotations

import functools
import sys

from s2edit_server.daemon import main
from s2edit_server.weights import transfers
from s2edit_server.weights.download import Fetch

if __name__ == "__main__":
    setattr(transfers, "Fetch", functools.partial(Fetch, backoff=0.01))  # noqa: B010 - mypy has it that it is no name of that module
    sys.exit(main())
