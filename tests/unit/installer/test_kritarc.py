"""Krita's own settings: the switch comes and goes, and all else stays as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from s2edit_installer import kritarc, plugins

from tests.unit.installer.homes import HOMES


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "[python]\nenable_s2edit_krita=true\n"),
        ("[a]\nb=1", "[a]\nb=1\n\n[python]\nenable_s2edit_krita=true\n"),
        ("[python]\nx=1\n[z]\n", "[python]\nenable_s2edit_krita=true\nx=1\n[z]\n"),
        ("[python]", "[python]\nenable_s2edit_krita=true\n"),
    ],
)
def test_kritarc_switch(before: str, after: str) -> None:
    enabled, made = kritarc.enable(before)
    assert enabled == after
    assert kritarc.is_enabled(enabled)
    assert kritarc.enable(enabled) == (enabled, False)
    restored = kritarc.disable(enabled, section_made=made)
    assert restored.strip() == before.strip()
    assert not kritarc.is_enabled(restored)


def test_kritarc_that_was_switched_off_is_switched_on() -> None:
    assert kritarc.enable("[python]\nenable_s2edit_krita=false\n")[0] == "[python]\nenable_s2edit_krita=true\n"


def test_mode_link_line_ends_and_strange_bytes_stay(tmp_path: Path) -> None:
    around, state = HOMES["Krita package"].make(tmp_path), tmp_path / "state"
    link, real = around.home / ".config/kritarc", around.home / "dotfiles/kritarc"
    before = b"[General]\r\nrecent=M\xfcller.png\r\n\r\n[python]\r\nother=true\r\n"
    real.parent.mkdir()
    real.write_bytes(before)
    real.chmod(0o600)
    link.unlink()
    link.symlink_to(real)
    plugins.install(around, state)
    assert b"enable_s2edit_krita=true" in real.read_bytes()
    assert link.is_symlink() and real.stat().st_mode & 0o777 == 0o600
    plugins.uninstall(state)
    assert link.is_symlink() and real.stat().st_mode & 0o777 == 0o600
    assert real.read_bytes() == before


def test_a_new_one_is_private(tmp_path: Path) -> None:
    around, state = HOMES["Krita package never started"].make(tmp_path), tmp_path / "state"
    plugins.install(around, state)
    assert (around.home / ".config/kritarc").stat().st_mode & 0o777 == 0o600
