"""The mark reaches each kind of file from each tool, or it is known that it does not: see `carriers`."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import carriers

NATIVE = {"GIMP": "xcf", "Krita": "kra"}
NOT_YET = {("Krita, exported by a script", ending) for ending in carriers.ENDINGS} | {("Krita, saved as", "ora")}
"""Of what a script exports, Krita tells plug-ins nothing, and its OpenRaster writer takes no metadata."""


def check(found: list[carriers.Row], ways: int) -> None:
    for row in found:
        wanted = "before the edit" not in row.tool and (row.tool, row.ending) not in NOT_YET
        assert row.carried == wanted, f"{row.tool}, {row.ending}: {row.seen}"
        assert wanted or "yes" not in row.seen.values(), f"{row.tool}, {row.ending}: {row.seen}"
    assert len({(row.tool, row.ending) for row in found}) == ways * len(carriers.ENDINGS) + len(
        [row for row in found if row.ending in carriers.NATIVE]
    )


def test_the_command_lines_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2EDIT_HOME", str(tmp_path / "state"))
    found = carriers.command_rows(tmp_path)
    states = {(row.tool.partition(", ")[2], row.seen.pop("C2PA")) for row in found}
    assert states == {("before the edit", "no"), ("written", "Valid"), ("edited again", "Valid")}
    check(found, 3)


@pytest.mark.hosts
def test_gimps_files() -> None:
    check(carriers.gimp_rows(), 3)


@pytest.mark.hosts
def test_kritas_files() -> None:
    check(carriers.krita_rows(), 5)
