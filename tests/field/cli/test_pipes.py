"""A command among others: many pictures at once, stdin and stdout, completion, commands that can be pasted."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pty
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from s2edit_cli import options
from s2edit_cli.main import main
from s2edit_installer import remedies
from s2edit_wire import knobs, programs
from s2edit_wire.client import Client

from tests.fakes.daemon import RunningDaemon, fake, finished, submit

WORDS = ["--source", "a man", "--target", "a man with a hat", "--object", "man"]


@pytest.fixture(scope="module")
def daemon() -> Iterator[RunningDaemon]:
    with tempfile.TemporaryDirectory(prefix="s2f") as name, RunningDaemon(Path(name) / "s") as running:
        yield running


@pytest.fixture(autouse=True)
def state(daemon: RunningDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2EDIT_HOME", str(daemon.folder))


def draw(path: Path, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(path)
    return path


@pytest.fixture
def four(tmp_path: Path) -> list[str]:
    """Two pictures, one that is none, and one more."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "c.png").write_bytes(b"no picture")
    drawn = [draw(tmp_path / "in" / name, seed) for seed, name in enumerate(("a.png", "b.jpg", "d [x].tif"))]
    return [str(path) for path in (*drawn[:2], tmp_path / "in" / "c.png", drawn[2])]


def test_many_pictures_are_edited_and_one_that_fails_does_not_stop_the_rest(
    four: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "made" / "out"
    assert main(["edit", *four, "--out-dir", str(out), *WORDS]) == 3
    said = capsys.readouterr()
    assert sorted(path.name for path in out.iterdir()) == ["a.png", "b.jpg", "d [x].tif"]
    assert "3 of 4  " in said.err and "c.png” is not a PNG" in said.err and "d [x].tif" in said.err
    assert f"Edited 3 of 4 pictures, in “{out}”." in said.out
    assert main(["edit", *four, "--out-dir", str(out), *WORDS, "--json"]) == 3
    told = json.loads(capsys.readouterr().out)
    assert told["exit_code"] == 3
    assert [one["exit_code"] for one in told["results"]] == [0, 0, 3, 0]
    jobs = [one["job"] for one in told["results"] if "job" in one]
    assert len(set(jobs)) == 3, "an identity each"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["a.png"], 2, "-o FILE, or --out-dir FOLDER"),
        (["a.png", "-o", "x.png", "--out-dir", "out"], 2, "-o FILE, or --out-dir FOLDER"),
        (["a.png", "b.png", "-o", "x.png"], 2, "can't be written into one"),
        (["a.png", "b.png", "--out-dir", "out", "--layers", "x.ora"], 2, "--layers"),
        (["a.png", "sub/a.png", "--out-dir", "out"], 3, "2 of the pictures would be written as “a.png”"),
        (["a.png", "b.png", "--out-dir", "."], 3, "is an input and is never overwritten"),
        (["a.png", "-", "--out-dir", "out"], 2, "“-” is one picture"),
        (["a.png", "--out-dir", "a.png"], 3, "can't be made"),
        (["-", "-o", "x.png", "--no-wait"], 2, "needs files"),
        (["a.png", "-o", "-", "--json"], 2, "can't both go to stdout"),
    ],
)
def test_what_cannot_be_meant_is_said_before_anything_is_done(
    arguments: list[str],
    code: int,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "b.png", "sub/a.png"):
        draw(tmp_path / name)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.png")}
    assert main(["edit", *arguments, *WORDS]) == code
    said = capsys.readouterr()
    assert words in (json.loads(said.out)["error"]["message"] if "--json" in arguments else said.err)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.png")} == before


@pytest.mark.parametrize("depth", [8, 16])
def test_a_picture_through_a_pipe(depth: int, tmp_path: Path) -> None:
    draw(tmp_path / "in.png")
    source = (tmp_path / "in.png").read_bytes()
    if depth == 16:
        import pyvips

        source = pyvips.Image.new_from_buffer(source, "").cast("ushort").copy(interpretation="rgb16").pngsave_buffer()
    ran = subprocess.run(
        programs.command("cli", "edit", "-", "-o", "-", *WORDS), input=source, capture_output=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    with Image.open(io.BytesIO(ran.stdout)) as made:
        assert made.format == "PNG" and made.size == (32, 32)
    assert b"stdout" in ran.stderr and ran.stdout[24] == depth


@pytest.mark.parametrize("source", [b"", b"no picture"])
def test_what_is_no_picture_comes_out_as_nothing(source: bytes) -> None:
    command = programs.command("cli", "edit", "-", "-o", "-", *WORDS)
    ran = subprocess.run(command, input=source, capture_output=True, check=False)
    assert ran.returncode == 3 and ran.stdout == b"" and b"stdin" in ran.stderr and b"Traceback" not in ran.stderr


def test_a_printed_command_can_be_pasted(tmp_path: Path) -> None:
    """Into a shell that has nothing of ours on its path, whatever the files are called."""
    folder = tmp_path / "it's a $HOME “folder” (x)"
    draw(folder / "in put.png")
    environment = {**os.environ, "PATH": "/usr/bin:/bin"}
    edit = programs.command("cli", "edit", "in put.png", "-o", "out `put`.png", *WORDS, "--no-wait")
    said = subprocess.run(edit, cwd=folder, env=environment, capture_output=True, text=True, check=True).stdout
    (line,) = re.findall(r"^Fetch it with: (.*)$", said, re.MULTILINE)
    ran = subprocess.run(["bash", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert (folder / "out `put`.png").exists()


@pytest.mark.parametrize("name", ["plain", "with space", "it's", '"', "$(touch x)", "`x`", "a;b", "-", "ä “x”", "*"])
def test_every_argument_reaches_the_shell_as_it_is(name: str) -> None:
    assert shlex.split(remedies.line("jobs", "result", name))[-1] == name


def done(client: Client, *, fetched: bool) -> str:
    """A job of the command that is done."""
    job = submit(client, edit={**fake(), "seed": time.monotonic_ns() % 2**32})
    finished(client, job)
    if fetched:
        client.request("acknowledge", {"job": job})
    return job


def listed(client: Client) -> set[str]:
    return {job["job"] for job in client.request("list", {"limit": 100}).header["jobs"]}


def test_jobs_are_removed_by_name(daemon: RunningDaemon, capsys: pytest.CaptureFixture[str]) -> None:
    with daemon.client("cli") as client:
        ids = [done(client, fetched=True) for _ in range(2)]
        assert main(["jobs", "remove", *ids, ids[0], "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["removed"] == ids
        assert main(["jobs", "remove", ids[0]]) == 3
        assert not listed(client) & set(ids)


@pytest.mark.parametrize("how", [[], ["--json"]])
def test_a_result_that_nobody_has_goes_only_when_that_is_said(
    how: list[str], daemon: RunningDaemon, capsys: pytest.CaptureFixture[str]
) -> None:
    with daemon.client("cli") as client:
        ids = [done(client, fetched=True), done(client, fetched=False)]
        assert main(["jobs", "remove", *ids, *how]) == 2
        said = capsys.readouterr()
        told = json.loads(said.out)["error"] if how else {"message": said.err, "hint": said.err}
        assert ids[1][:8] in told["message"] and ids[0][:8] not in told["message"] and "--yes" in told["hint"]
        assert set(ids) <= listed(client), "all or none"
        assert main(["jobs", "remove", *ids, *how, "--yes"]) == 0
        assert not listed(client) & set(ids)


def test_a_job_that_waits_keeps_the_others_from_being_deleted(daemon: RunningDaemon) -> None:
    with daemon.client("cli") as client:
        ended = done(client, fetched=True)
        client.request("pause_queue")
        try:
            waiting = submit(client, edit={**fake(), "seed": 31})
            assert main(["jobs", "remove", ended, waiting, "--yes"]) == 3
            assert {ended, waiting} <= listed(client)
        finally:
            client.request("resume_queue")


@pytest.mark.parametrize(("typed", "gone"), [("\n", False), ("n\n", False), ("y\n", True)])
def test_on_a_terminal_it_is_asked(typed: str, gone: bool, daemon: RunningDaemon) -> None:
    with daemon.client("cli") as client:
        job = done(client, fetched=False)
        said = at_a_terminal(["jobs", "remove", job], typed)
        assert job[:8] in said and "would be lost" in said and "[y/N]" in said
        assert (job not in listed(client)) is gone


def at_a_terminal(arguments: list[str], typed: str) -> str:
    """What is shown when it is typed into one and answered so."""
    ours, theirs = pty.openpty()
    shown = bytearray()
    with subprocess.Popen(programs.command("cli", *arguments), stdin=theirs, stdout=theirs, stderr=theirs) as command:
        os.close(theirs)
        os.write(ours, typed.encode())
        with contextlib.suppress(OSError):  # how Linux says that nobody has the other end any more
            while piece := os.read(ours, 4096):
                shown += piece
        command.wait(60)
    os.close(ours)
    return shown.decode(errors="replace")


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("s2edit jo", "jobs"),
        ("s2edit jobs re", "remove"),
        ("s2edit models ", "download"),
        ("s2edit edit --out", "--out-dir"),
        ("s2edit edit --profile f", "faithful"),
        ("s2edit edit --set blend.f", "blend.feather="),
    ],
)
def test_shells_complete_commands_options_and_values(typed: str, offered: str) -> None:
    words = typed.split(" ")
    asked = {"_S2EDIT_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(len(words) - 1)}
    ran = subprocess.run(
        [str(Path(sys.executable).with_name("s2edit"))],
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        check=False,
    )
    assert offered in ran.stdout.splitlines(), ran.stderr


def test_the_version_and_all_settings_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert re.fullmatch(r"S²Edit \d+\.\d+\.\d+\n", capsys.readouterr().out)
    assert main(["edit", "--set", "list"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in knobs.knobs())
    assert options._complete_settings("blend.feath") == ["blend.feather="]
