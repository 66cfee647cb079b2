"""What is handed out, built once for all tests of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from s2edit_installer import packages


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout: the sources may be edited while the tests run."""
    copy = tmp_path_factory.mktemp("sources")
    for name in (*packages.FOLDERS, "gimp_plugin", "krita_plugin"):
        shutil.copytree(packages.ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in packages.FILES:
        shutil.copy2(packages.ROOT / name, copy / name)
    return copy


@pytest.fixture(scope="session")
def built(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> list[list[Path]]:
    """All packages, twice."""
    return [packages.build(tmp_path_factory.mktemp("out"), sources) for _ in range(2)]
