"""The docker under PyQt6, which Krita 6 brings, connected to a real daemon: no Krita here, so that it costs seconds."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from s2edit_installer.vendoring import write_plugin

from tests.fakes.daemon import RunningDaemon, fake, finished, show, submit, wait_until

from ..lab import ARTIFACTS, PROJECT


@pytest.fixture(scope="module")
def found() -> Iterator[dict[str, Any]]:
    pictures = ARTIFACTS / "krita-qt6"
    shutil.rmtree(pictures, ignore_errors=True)
    pictures.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="s2q") as name, RunningDaemon(Path(name) / "s") as daemon:
        with daemon.client() as client:
            finished(client, submit(client))
            running = submit(client, edit=fake(step_ms=60_000))
            wait_until(client, running, "running")
            queued = submit(client)
        plugins = Path(name) / "plugins"
        write_plugin("krita", plugins, PROJECT)
        # A process of its own: the tray's tests have another Qt in this one.
        script = Path(__file__).with_name("qt6.py")
        done = subprocess.run(
            [sys.executable, "-W", "error", str(script), str(plugins / "pykrita"), str(pictures)],
            env={**os.environ, "S2EDIT_HOME": str(daemon.folder), "LANGUAGE": "en"},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        with daemon.client() as client:
            states = [show(client, job)["state"] for job in (running, queued)]
        yield json.loads((pictures / "report.json").read_text(encoding="utf-8")) | {"states": states}


def test_it_is_pyqt6_and_shares_the_daemons_queue(found: dict[str, Any]) -> None:
    assert found["qt"] == "PyQt6.QtWidgets"
    assert found["said"] == ["hat → crown", "Number 1 in the queue"]
    assert found["states"] == ["running", "cancelled"]


def test_the_wheel_changes_nothing_that_was_not_clicked(found: dict[str, Any]) -> None:
    assert found["wheel"] == [4.0, "portraits"], "and the model's own value is shown"


def test_only_what_was_turned_is_sent(found: dict[str, Any]) -> None:
    assert found["turned"] == {"blend.context": 0.5}


def test_a_result_that_nobody_has_fetched_is_deleted_only_after_a_yes(found: dict[str, Any]) -> None:
    asked = [
        "Delete the result “hat → crown”?",
        "It is in no saved picture yet, and nothing brings a deleted result back.",
        "Keep",
    ]
    assert found["removed"] == [[*asked, True], [*asked, False]]


def test_it_fits_a_narrow_column(found: dict[str, Any]) -> None:
    assert found["least_width"] <= 240


@pytest.mark.parametrize("language", ["en", "de", "he", "ar"])
def test_on_a_small_screen_nothing_is_cut_off_in_any_language(found: dict[str, Any], language: str) -> None:
    """A13: Krita on 1024x600 has so much room beside the canvas; longer words make the docker no wider."""
    least, right, bottom = found["small"][language]
    assert least <= 240
    assert right < 240
    assert bottom < 260


def test_what_is_said_moves_no_button(found: dict[str, Any]) -> None:
    nothing, little, much = found["steady"]
    assert nothing == little == much


def test_an_instruction_is_shown_as_the_sentence_that_is_sent(found: dict[str, Any]) -> None:
    """B1: and what the description has no word for is said, and not sent."""
    done, vain = found["instructed"]
    sentence = "a smiling man with red hair"
    assert done == [sentence, f"It should show: {sentence}", False]
    assert vain[0] == "remove the hat"
    assert "isn't in the description" in vain[1]
    assert vain[2]


def test_text_that_looks_like_html_is_read_as_it_is(found: dict[str, Any]) -> None:
    assert found["plain"] == ["<b>one</b>?", "<i>two</i> & more", "<b>three</b>\n& more"]
