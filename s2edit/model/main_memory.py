"""How much main memory is free. Torch-free."""

from __future__ import annotations

from pathlib import Path


def free_main_memory() -> int:
    """Bytes that programs can still have, caches of the system counted in; 0 when the system doesn't tell."""
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0
