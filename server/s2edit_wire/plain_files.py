"""Files that somebody else may have put there: opened only when they are plain files, read only up to a size.

A FIFO or a device under a file's name would keep whoever opens it waiting for ever, and a large file would fill memory.
The kind is looked at on the open descriptor, so that nothing can be swapped between looking and reading.
"""

from __future__ import annotations

import os
import stat
from io import BufferedReader
from pathlib import Path


class NotPlain(OSError):
    """What lies there is a folder, FIFO, socket or device; or the file is larger than it may be."""


def open_plain(path: Path, *, follow: bool = True) -> BufferedReader:
    """The open file, for reading.

    Args:
        follow: whether the path itself may be a link.

    Raises:
        OSError: it can't be opened; NotPlain, a kind of it, when it is no plain file.
    """
    # O_NONBLOCK: opening a FIFO must not wait for a writer. On a plain file it means nothing.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags if follow else flags | getattr(os, "O_NOFOLLOW", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotPlain(None, "it is no plain file", str(path))
    return os.fdopen(descriptor, "rb")


def read_plain(path: Path, limit: int, *, follow: bool = True) -> bytes:
    """All bytes of a plain file of at most `limit` bytes; raises as `open_plain`, NotPlain for a larger one."""
    with open_plain(path, follow=follow) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise NotPlain(None, f"it is larger than {limit:,} bytes", str(path))
    return data
