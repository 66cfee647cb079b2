"""Promises 3 to 6 of the daemon: hostile headers, frames, connections, floods and sloths, through real sockets.

One module per promise, each with `check(scale, folder, seed)`, which returns its figures or fails;
`tests.crash.promises` has the table of them.
"""
