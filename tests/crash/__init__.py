"""The promises of the daemon, each kept against an injected fault. `python -m tests.crash.promises` prints the table.

Every promise is one function, `check(scale, folder, seed)`, that raises AssertionError or returns the measured
figures; pytest runs them at CI's scale, `--long` at the full one.
"""
