"""One lab for all GIMP tests: the first start of GIMP scans its plug-ins and takes longest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..lab import Lab
from .gimp import GimpDesk


@pytest.fixture(scope="session")
def desk() -> Iterator[GimpDesk]:
    """GIMP with S²Edit, beside the real daemon with the fake worker."""
    with Lab("gimp") as lab:
        lab.start_daemon()
        yield GimpDesk(lab)
