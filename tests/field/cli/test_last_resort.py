"""Whatever nobody foresaw: one sentence, a log file, with `--json` the one object; never a traceback."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from s2edit_cli import job_commands, model_commands
from s2edit_cli.main import main
from s2edit_cli.refusals import in_options
from s2edit_wire import frames, schema
from s2edit_wire.client import Client
from s2edit_wire.errors import CODES, WireError
from s2edit_wire.session import Session

from tests.fakes.daemon import EDIT
from tests.protocol.loop import Loop


class Odd(Exception):
    """An exception that cannot even be told in words."""

    def __str__(self) -> str:
        raise ValueError


UNFORESEEN: list[BaseException] = [
    ZeroDivisionError("division by zero"),
    KeyError("shape"),
    AttributeError("'NoneType' object has no attribute 'x'"),
    MemoryError(),
    RecursionError("maximum recursion depth exceeded"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    PermissionError(13, "Permission denied", "/etc/shadow"),
    OSError(24, "Too many open files"),
    TimeoutError(),
    AssertionError(),
    Odd(),
]


@pytest.mark.parametrize("error", UNFORESEEN, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("as_json", [False, True])
def test_one_sentence_and_a_log(
    error: BaseException,
    as_json: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    def fails() -> None:
        raise error

    monkeypatch.setenv("S2EDIT_HOME", str(tmp_path))
    monkeypatch.setattr(job_commands, "connect", fails)
    assert main(["jobs", "list", *["--json"] * as_json]) == 1
    said = capsys.readouterr()
    log = tmp_path / "logs" / "command.log"
    assert type(error).__name__ in log.read_text("utf-8") and "in fails" in log.read_text("utf-8")
    assert log.stat().st_mode & 0o077 == 0
    assert "Traceback" not in said.out + said.err
    if as_json:
        told = json.loads(said.out)
        assert told["exit_code"] == 1 and told["log"] == str(log) and said.err == ""
        assert re.fullmatch(r"[A-Z].*\.", told["error"]["message"]) and str(log) in told["error"]["hint"]
    else:
        assert said.out == "" and str(log) in said.err and len(said.err.splitlines()) == 2


def read_only(folder: Path) -> dict[str, str]:
    (folder / "home").mkdir(mode=0o500)
    return {"HOME": str(folder / "home")}


def a_file(folder: Path) -> dict[str, str]:
    (folder / "file").touch()
    return {"S2EDIT_HOME": str(folder / "file")}


def a_link_to_nothing(folder: Path) -> dict[str, str]:
    (folder / "link").symlink_to(folder / "gone" / "away")
    return {"S2EDIT_HOME": str(folder / "link")}


def run_is_a_file(folder: Path) -> dict[str, str]:
    (folder / "s").mkdir()
    (folder / "s" / "run").touch()
    return {"S2EDIT_HOME": str(folder / "s")}


def logs_is_a_file(folder: Path) -> dict[str, str]:
    (folder / "s").mkdir()
    (folder / "s" / "logs").touch()
    return {"S2EDIT_HOME": str(folder / "s")}


HOMES: list[Callable[[Path], dict[str, str]]] = [
    lambda _folder: {"HOME": "/dev/null"},
    lambda _folder: {"HOME": "/proc/none"},
    lambda _folder: {"S2EDIT_HOME": "~nobody-of-this-name/x"},
    lambda _folder: {"S2EDIT_HOME": "/dev/null/x"},
    lambda folder: {"S2EDIT_HOME": str(folder / ("x" * 300))},
    a_file,
    a_link_to_nothing,
    run_is_a_file,
    logs_is_a_file,
    *([read_only] if os.geteuid() else []),
]


@pytest.mark.parametrize("home", HOMES, ids=range(len(HOMES)))
@pytest.mark.parametrize("command", [["jobs", "list"], ["daemon", "start"], ["models", "list", "--json"]])
def test_a_home_that_cannot_be_used(
    home: Callable[[Path], dict[str, str]],
    command: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("S2EDIT_HOME", raising=False)
    for name, value in {"HOME": str(tmp_path), **home(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    code = main(command)
    said = capsys.readouterr()
    assert code == 4, said
    if "--json" in command:
        hint = json.loads(said.out)["error"]["hint"]
    else:
        _message, hint = said.err.splitlines()
    assert "set S2EDIT_HOME" in hint or hint.startswith("Remove")


@pytest.mark.parametrize("home", ["/dev/null/x", "/proc/none/x"])
def test_a_plug_in_s_session_tells_it_and_tries_again(home: str) -> None:
    """The exception once left through the editor's event loop, and nothing was tried again."""
    loop, told = Loop(), []
    failed: list[WireError] = []
    session = Session(
        lambda: Client("gimp", "test", state_folder=Path(home)),
        loop,
        on_state=lambda state, words: told.append((state, words)),
        command=[sys.executable, "-c", ""],
    )
    session.start()
    session.request("status", on_error=failed.append)
    loop.run_until(lambda: failed)
    assert failed[0].code == "unreachable" and "S2EDIT_HOME" in failed[0].hint
    assert told[-1][0] == "lost" and home in told[-1][1]
    assert not loop.idle, "it will be tried again"
    session.close()


OF_TWO_VERSIONS = "S²Edit’s command and its daemon do not understand each other"


@pytest.mark.parametrize(
    ("message", "begins"),
    [
        ("“edit.objects[0].word” must be text of 1 to 100 characters.", "--object must be text"),
        ("“objects” must be a list of 1 to 4 entries.", "--object can be given 4 times at most."),
        ("“edit.source” must be text without control characters.", "--source must be text"),
        ("“settings.blend.feather” must be a number.", "--set must be"),
        ("“settings: a name” must be text of 1 to 64 characters.", "The name of a setting must be"),
        ("“edit.settings.edit.emphasize.a hat” must be a number.", "--emphasize must be"),
        ("“edit.document.title” must be text of 0 to 300 characters.", "The picture’s name must be"),
        ("“model” must be text of 1 to 100 characters.", "The model’s id must be"),
        ("“frames[0].nbytes” must be whole number, 1 to 536870912.", OF_TWO_VERSIONS),
        ("“edit.surplus” is not a field of `edit`.", OF_TWO_VERSIONS),
        ("“edit.source” is missing.", OF_TWO_VERSIONS),
        ("There is no message “fetch”.", OF_TWO_VERSIONS),
        ("The header is not a map.", OF_TWO_VERSIONS),
        ("A message has a header and at most 8 frames.", OF_TWO_VERSIONS),
        # What is said for people stays as it is, whatever its code.
        ("A picture arrived damaged.", "A picture arrived damaged."),
        ("A number is not finite.", "A number is not finite."),
        ("A whole number is over 2^53 - 1.", "A whole number is over"),
        ("A text holds half a character (a lone surrogate).", "A text holds half a character"),
        ("The layer's recipe can't be read.", "The layer's recipe"),
    ],
)
def test_the_wire_s_schema_does_not_speak_to_people(message: str, begins: str) -> None:
    told = in_options(WireError("bad_request", message, "Send it again."))
    assert told.message.startswith(begins)
    assert told.hint.startswith("Restart the daemon" if begins == OF_TWO_VERSIONS else "Send it again.")


@pytest.mark.parametrize("code", sorted(CODES.keys() - {"bad_request"}))
def test_other_codes_keep_their_sentence(code: str) -> None:
    assert in_options(WireError(code, "“settings: a name” must be so.", "Do this.")).message.startswith("“settings")


@pytest.mark.parametrize(
    ("changes", "option"),
    [
        ({"source": "x" * 5_000}, "--source"),
        ({"target": "a\x01b"}, "--target"),
        ({"reference_prompt": "x" * 5_000}, "--reference"),
        ({"objects": [{"word": "", "masked": False}]}, "--object"),
        ({"objects": [{"word": "x" * 101, "masked": False}]}, "--object"),
        ({"objects": [{"word": "x", "masked": False}] * 9}, "--object"),
        ({"model": "x" * 101}, "The model’s id"),
        ({"model": "\x02"}, "The model’s id"),
        ({"profile": "fastest"}, "--profile"),
        ({"seed": -1}, "--seed"),
        ({"seed": 1 << 60}, "--seed"),
        ({"guidance": float("nan")}, "--guidance"),
        ({"settings": {"x" * 65: 1}}, "The name of a setting"),
        ({"settings": {"a\x01": 1}}, "The name of a setting"),
        ({"settings": {"": 1}}, "The name of a setting"),
        ({"settings": {"edit.emphasize.hat": float("inf")}}, "--emphasize"),
        ({"settings": {"blend.feather": []}}, "--set"),
        ({"settings": {f"n{number}": 1 for number in range(65)}}, "--set"),
    ],
)
def test_whatever_an_option_may_hold_the_option_is_named(changes: dict[str, Any], option: str) -> None:
    """Through the wire's own check: no sentence of it that an option leads to is taken for another version's."""
    with pytest.raises(WireError) as caught:
        schema.check_request({"op": "submit", "id": 1, "job": "0" * 32, "edit": {**EDIT, **changes}, "frames": []})
    told = in_options(caught.value)
    assert told.code == "bad_request" and told.message.startswith(option) and "“" not in told.message


def test_a_picture_that_no_message_holds_is_told_of_in_pixels() -> None:
    with pytest.raises(WireError) as caught:
        schema.check_request(
            {"op": "submit", "id": 1, "job": "0" * 32, "edit": EDIT}
            | {"frames": [frames.describe("image", (13_500, 13_500, 3))]}
        )
    assert caught.value.code == "too_large"
    assert "takes 521 MiB" in caught.value.message and "frames[" not in caught.value.message


def test_another_folder_of_the_home_that_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Not only the state folder: the unit for login goes into ~/.config."""
    (tmp_path / ".config").touch()
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("S2EDIT_HOME", str(tmp_path / "s"))
    assert main(["daemon", "at-login"]) == 4
    assert f"“{tmp_path}/.config/systemd" in capsys.readouterr().err


def test_a_licence_that_is_not_accepted_yet_names_the_option(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Refusing:
        def __enter__(self) -> Refusing:
            return self

        def __exit__(self, *_: object) -> None: ...

        def request(self, op: str, _fields: dict[str, object]) -> None:
            if op == "model":
                raise WireError("licence_required", "“SD” comes under a licence.", "Read it at https://example.org.")

    monkeypatch.setattr(model_commands, "connect", Refusing)
    assert main(["models", "download", "sd-v1-4"]) == 8
    said = capsys.readouterr().err
    assert "https://example.org" in said and "models download sd-v1-4 --accept-licence" in said
