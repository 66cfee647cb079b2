"""What people and files say goes out as it is: on terminals of every encoding, and never as markup or as a command."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from s2edit_cli import report
from s2edit_cli.main import main
from s2edit_wire import programs
from s2edit_wire.prompt_text import cleaned

from tests.fakes.daemon import RunningDaemon, fake, finished, submit

PROMPTS = (
    "a hat [/red]",
    "a hat [bold]not bold[/bold] \\[x] [link=file:///x]y[/link]",
    "ein hat für Ömer → “schön” – 帽子 🎩",
    "a hat {task.fields[rest]} {0} %s %(x)s ${HOME} `id`",
    "a\thad\nmany\n\nlines",
    "שלום a hat",
    "a \u202etah hat",
)
TITLES = ("[b].png", "[/].png", "caf\u00e9 – 100 %.png")
ENCODINGS = ("utf-8", "ascii", "latin-1", "cp1252", "utf-16-le")


@pytest.fixture(scope="module")
def daemon() -> Iterator[RunningDaemon]:
    """A daemon with a job for each of those prompts and names."""
    with tempfile.TemporaryDirectory(prefix="s2f") as name, RunningDaemon(Path(name) / "s") as running:
        with running.client("cli") as client:
            for number, prompt in enumerate(PROMPTS):
                document = {"host": "cli", "title": TITLES[number % len(TITLES)]}
                edit = {**fake(), "source": prompt, "objects": [{"word": "hat", "masked": False}], "document": document}
                finished(client, submit(client, edit=edit))
        yield running


class Run(Protocol):
    """Status, stdout and stderr of the command, with stdout and stderr in an encoding."""

    def __call__(self, *arguments: str, encoding: str = "utf-8") -> tuple[int, str, str]: ...


@pytest.fixture
def run(daemon: RunningDaemon, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("S2EDIT_HOME", str(daemon.folder))

    def made(*arguments: str, encoding: str = "utf-8") -> tuple[int, str, str]:
        streams = [io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict") for _ in range(2)]
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(sys, "stdout", streams[0])
            meanwhile.setattr(sys, "stderr", streams[1])
            code = main(arguments)
        for stream in streams:
            stream.flush()
        out, err = (stream.buffer.getvalue().decode(encoding) for stream in streams)
        return code, out, err

    return made


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_terminal_shows_every_job(run: Run, encoding: str) -> None:
    code, said, errors = run("jobs", "list", encoding=encoding)
    lines = said.splitlines()
    assert (code, errors) == (0, "")
    assert len(lines) == len(PROMPTS), "a line each"
    assert [len(line.split("\t")) for line in lines] == [5] * len(lines), "to be cut at the tabs"
    assert "a hat [/red]" in lines[-1] and "[b].png" in lines[-1]
    assert "[bold]not bold[/bold] \\[x] [link=file:///x]y[/link]" in said
    assert "{task.fields[rest]} {0} %s %(x)s ${HOME} `id`" in said
    assert "a had many lines" in said
    assert "\u202e" not in said
    whole = {"utf-8": cleaned(PROMPTS[2]), "ascii": 'ein hat f?r ?mer -> "sch?n" - ?? ?'}
    assert whole.get(encoding, "ein hat f") in said


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_json_is_whole_in_every_encoding(run: Run, encoding: str) -> None:
    code, said, _errors = run("jobs", "list", "--json", encoding=encoding)
    assert code == 0
    # As it was taken: cleaned at the door.
    assert {job["edit"]["source"] for job in json.loads(said)["jobs"]} == {cleaned(prompt) for prompt in PROMPTS}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("arguments", [["models", "list"], ["daemon", "status"], ["--help"], ["jobs", "show", "0"]])
def test_no_command_ends_in_a_traceback(run: Run, encoding: str, arguments: list[str]) -> None:
    code, said, errors = run(*arguments, encoding=encoding)
    assert code in (0, 3)
    assert "Traceback" not in errors and (said or errors)


def test_on_a_terminal_the_table_has_a_row_for_each(daemon: RunningDaemon) -> None:
    ran = subprocess.run(
        programs.command("cli", "jobs", "list"),
        env={**os.environ, "S2EDIT_HOME": str(daemon.folder), "FORCE_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "[/red]" in ran.stdout and "[bold]not bold[/bold]" in ran.stdout and "[b].png" in ran.stdout


@pytest.mark.parametrize("name", ["a\x1b[31mred\x07.png", "a\rb", "a\x9b31m", "\u202egnp.exe", "a\x00b"])
def test_nothing_said_commands_the_terminal(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    report.say(name)
    report.tell(name)
    said = capsys.readouterr()
    for text in (said.out, said.err):
        assert not set(text) & {"\x1b", "\x07", "\x9b", "\u202e", "\x00", "\r"}


def test_a_name_that_is_no_text_goes_out_as_it_came_in(daemon: RunningDaemon) -> None:
    with tempfile.TemporaryDirectory() as folder:
        name = os.fsencode(folder) + b"/caf\xe9.png"
        command: list[str | bytes] = [*programs.command("cli", "edit"), name, "-o", b"/tmp/x.png", "--source", "a"]
        command += ["--target", "b", "--object", "a"]
        for encoding in ("utf-8", "ascii", "cp1252"):
            environment = {**os.environ, "S2EDIT_HOME": str(daemon.folder), "PYTHONIOENCODING": encoding}
            ran = subprocess.run(command, env=environment, capture_output=True, check=False, timeout=60)
            assert ran.returncode == 3
            assert b"caf\xe9.png" in ran.stderr


@pytest.mark.parametrize("where", ["/dev/full", "closed", "no reader"])
def test_output_that_goes_nowhere_is_no_traceback(daemon: RunningDaemon, where: str) -> None:
    command = " ".join(programs.command("cli", "jobs", "list"))
    ends = {"/dev/full": "> /dev/full", "closed": ">&-", "no reader": "| true"}
    ran = subprocess.run(
        ["bash", "-c", f"{command} {ends[where]}"],
        env={**os.environ, "S2EDIT_HOME": str(daemon.folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in ran.stderr and "Exception ignored" not in ran.stderr
    assert (ran.returncode == 8 and "no room" in ran.stderr) if where == "/dev/full" else ran.returncode == 0
