"""For all tests: Ctrl+C reaches programs started by them even where the tests themselves run in the background.

A shell starts background jobs with SIGINT ignored, and what is ignored stays so in every program that they start.
"""

from __future__ import annotations

import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
