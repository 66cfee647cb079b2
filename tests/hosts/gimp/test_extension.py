"""The extension for GIMP's own manager: unpacked by the real GIMP when it is opened, and run once it is switched on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from s2edit_installer import packages

from ..lab import PROJECT, Lab
from .gimp import GimpDesk

pytestmark = pytest.mark.hosts


@pytest.fixture
def desk() -> Iterator[GimpDesk]:
    """A GIMP without the plug-in."""
    with Lab("gimp-extension") as lab:
        made = GimpDesk(lab)
        shutil.rmtree(made.plugin)
        yield made


def test_it_is_opened_and_switched_on(desk: GimpDesk) -> None:
    extension = packages.gimp_extension(desk.lab.folder, PROJECT, 1_700_000_000)
    assert desk.batch("extension", path=extension)["procedures"] == []
    settings = desk.folder / "extensionrc"
    # As its manager does in a window: Edit, Manage Extensions.
    off = f'(GimpExtension "{packages.GIMP_EXTENSION}"\n    (active no))'
    assert off in settings.read_text()
    settings.write_text(settings.read_text().replace(off, off.replace("no", "yes")))
    assert desk.batch("extension", path="")["procedures"]
    assert desk.complaints() == []
