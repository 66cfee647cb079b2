"""Exit codes are written down in one place, and help, README and errors agree with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from s2edit_cli import options, report
from s2edit_cli.exit_codes import MEANING, Exit, exit_for
from s2edit_cli.main import main
from s2edit_wire.errors import CODES, Unreachable, WireError

README = Path(__file__).parents[3] / "README.md"


def test_readme_and_help_list_every_code(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"| {int(code)} | {meaning} |" for code, meaning in MEANING.items()]
    assert "\n".join(rows) in README.read_text(encoding="utf-8")
    assert set(MEANING) == set(Exit)
    assert main(["--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    for code, meaning in MEANING.items():
        assert f"{int(code)} {meaning}" in shown


def test_every_error_of_the_wire_has_its_exit_code() -> None:
    ours = {code for code in CODES if exit_for(code) is Exit.INTERNAL}
    assert ours == {"internal", "not_greeted"}


def test_errors_are_two_lines_or_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    error = WireError("busy", "The queue is full.", "Try again soon.", retry_after=3.0)
    assert report.fail(error, as_json=False) == Exit.NOT_NOW
    assert capsys.readouterr().err.splitlines() == ["The queue is full.", "Try again soon."]
    assert report.fail(error, as_json=True) == Exit.NOT_NOW
    said = json.loads(capsys.readouterr().out)
    assert said["error"] == {"code": "busy", "message": "The queue is full.", "hint": "Try again soon."}
    assert (said["exit_code"], said["retry_after"]) == (8, 3.0)
    assert report.fail(Unreachable("S²Edit is not running."), as_json=False) == Exit.NO_DAEMON


def test_settings_are_recognised() -> None:
    given = ["blend.feather=12", "identity.semantic=false", "identity.learning_rate=2e-6", "inversion.mode=npi"]
    assert options.settings(given, ["beard=1.5"]) == {
        "blend.feather": 12,
        "identity.semantic": False,
        "identity.learning_rate": 2e-6,
        "inversion.mode": "npi",
        "edit.emphasize.beard": 1.5,
    }
    for wrong, words in ((["blend.feather"], None), (["=1"], None), (None, ["beard=strong"])):
        with pytest.raises(WireError) as caught:
            options.settings(wrong, words)
        assert caught.value.code == "bad_setting"


@pytest.mark.parametrize(("seconds", "words"), [(3.4, "3 s"), (185, "3 min 05 s"), (7_800, "2 h 10 min")])
def test_durations(seconds: float, words: str) -> None:
    assert report.duration(seconds) == words


@pytest.mark.parametrize(("count", "words"), [(12, "12 bytes"), (3 << 20, "3.0 MiB"), (5 << 40, "5.0 TiB")])
def test_sizes(count: int, words: str) -> None:
    assert report.size(count) == words
