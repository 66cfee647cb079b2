"""The daemon where something around it is odd; `python -m tests.field.daemon.odd_daemon` with ODD in the environment.

ODD=select: its loop watches with select(), as on Windows, which fails from FD_SETSIZE on. ODD=SECONDS: the clock is so
many seconds ahead.
"""

import os
import selectors
import sys
import time

from s2edit_server.daemon import main

ODD = os.environ["ODD"]
if ODD == "select":
    selectors.DefaultSelector = selectors.SelectSelector  # type: ignore[misc, assignment]
else:
    real = time.time
    time.time = lambda: real() + float(ODD)

if __name__ == "__main__":
    sys.exit(main())
