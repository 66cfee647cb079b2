"""The doctor on a made-up home, with the real daemon: what it says, what it mends, and what it leaves as it was."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
import typer
from s2edit_cli import install_commands
from s2edit_installer import (
    daemon_checks,
    doctor,
    findings,
    host_trials,
    launching,
    machine_checks,
    plugins,
    remedies,
    torch_choice,
)
from s2edit_wire import launcher, programs
from s2edit_wire.client import Client
from s2edit_wire.connection import connection_path

from tests.hosts.lab import wait_for


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a GIMP that was started once, and no other program."""
    home = tmp_path / "home"
    (home / ".config/GIMP/3.0").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "GIMP3_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(machine_checks, "gpu", lambda: iter(()))  # loads PyTorch; has a test of its own
    return home


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state folder whose path is short enough for a socket; its daemon has ended afterwards."""
    with tempfile.TemporaryDirectory(prefix="s2d") as folder:
        monkeypatch.setenv("S2EDIT_HOME", folder)
        yield Path(folder)
        wait_for(lambda: not connection_path(Path(folder)).exists(), "the daemon to end", 60)


@pytest.fixture
def client(state: Path) -> Iterator[Client]:
    """Somebody who has the daemon running."""
    client = Client("cli", version("s2edit"), state)
    launcher.connect(client, programs.command("daemon"))
    yield client
    client.request("shutdown", {"when": "now"})
    client.close()


def examined(*, fix: bool = False) -> dict[str, findings.Finding]:
    return {finding.what: finding for finding in doctor.examine(editors=False, fix=fix)}


def states(found: dict[str, findings.Finding]) -> dict[str, str]:
    return {what: finding.state for what, finding in found.items() if what not in {"versions", "disk"}}


def test_from_nothing_to_order_and_back(home: Path, state: Path) -> None:
    before = examined()
    sound = {"environment": "ok", "daemon": "ok", "connection": "ok", "weights": "ok"}
    assert states(before) == sound | {"launcher": "wrong", "plug-ins": "wrong"}
    assert "It did not run; it can be started" in before["daemon"].message
    assert "portraits" in before["weights"].message
    wait_for(lambda: not connection_path(state).exists(), "the daemon that was started for it to end", 60)
    assert states(examined(fix=True)) == sound | {"launcher": "ok", "plug-ins": "ok"}
    assert (home / ".config/GIMP/3.0/plug-ins/s2edit/s2edit.py").exists()
    (home / ".config/GIMP/3.0/plug-ins/s2edit/s2edit.py").unlink()
    launcher.write_launcher_file(state, ["/gone/python", "-m", "s2edit_server"], version("s2edit"))
    broken = examined()
    assert "/gone/python, which is gone" in broken["launcher"].message
    assert broken["plug-ins"].state == "wrong" and "changed" in broken["plug-ins"].message


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ([sys.executable, "-P", "-m", "s2edit_server"], "Plug-ins start the daemon with"),
        ([sys.executable, "-m", "s2edit_server"], "in an earlier version's way"),
        (["/bin/true", "-P", "-m", "s2edit_server"], "another installation's"),
        (["/gone/python", "-m", "s2edit_server"], "which is gone"),
    ],
)
def test_how_plug_ins_start_the_daemon_is_told(command: list[str], told: str, state: Path) -> None:
    launcher.write_launcher_file(state, command, version("s2edit"))
    (finding,) = daemon_checks.launcher_file()
    assert told in finding.message
    if finding.mend is not None:
        finding.mend()
        assert next(daemon_checks.launcher_file()).state == "ok"


def test_a_daemon_that_runs_is_left_running(home: Path, state: Path, client: Client) -> None:
    found = examined()
    assert "It runs and answers" in found["daemon"].message
    assert str(state) in found["connection"].message
    assert client.request("status").header["status"]["version"] == version("s2edit")


def test_stale_files_are_told_and_taken_away(home: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = home / "gone"
    monkeypatch.setenv("GIMP3_DIRECTORY", str(gone))
    plugins.install()
    monkeypatch.delenv("GIMP3_DIRECTORY")
    launching.write_launcher()
    launching.write_menu_entry()
    plugins.install()
    draft = home / ".config/GIMP/3.0/plug-ins/s2edit/.s2edit-abcdefgh"
    draft.write_text("half a fi")
    told = [finding for finding in doctor.examine(editors=False) if finding.what == "stale files"]
    assert [finding.state for finding in told] == ["warning", "warning"]
    assert str(gone) in told[0].message and str(draft.parent) in told[1].message
    assert draft.exists() and gone.exists()
    examined(fix=True)
    assert not draft.exists() and not gone.exists()
    assert "stale files" not in examined()


def test_an_open_folder_is_closed(home: Path, state: Path, client: Client) -> None:
    (state / "run").chmod(0o755)
    told = examined()
    assert told["connection"].state == told["daemon"].state == "wrong"
    assert "Other users" in told["connection"].message
    assert examined(fix=True)["connection"].state == "ok"
    assert (state / "run").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("card", "rocm", "answer", "state", "words"),
    [
        (None, False, "-|", "ok", "on the processor"),
        (torch_choice.Card("RTX 4090", 8.9, 581), False, "13.0|cuda", "ok", "RTX 4090, driver 581, is used"),
        (torch_choice.Card("RTX 4090", 8.9, 581), False, "-|", "wrong", "for processors only"),
        (torch_choice.Card("H100", 9.0, 550), False, "13.0|", "wrong", "needs a newer driver than 550"),
        (torch_choice.Card("H100", 9.0, 590), False, "13.0|", "wrong", "cannot use it"),
        (None, True, "-|", "wrong", "AMD"),
        (None, False, "-|mps", "ok", "This Mac's GPU"),
        (None, False, None, "wrong", "does not load: ImportError: libgone.so"),
    ],
)
def test_the_gpu_in_words(
    card: torch_choice.Card | None,
    rocm: bool,
    answer: str | None,
    state: str,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = "import torch\nImportError: libgone.so\n"
    done = subprocess.CompletedProcess([], int(answer is None), f"a notice\n{answer}\n", said)
    monkeypatch.setattr(torch_choice, "nvidia_card", lambda: card)
    monkeypatch.setattr(torch_choice, "has_rocm", lambda: rocm)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
    (finding,) = machine_checks.gpu()
    assert finding.state == state and words in finding.message
    assert bool(finding.hint) == (state == "wrong")


def test_other_versions_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pins = tmp_path / "constraints.txt"
    pins.write_text("# a comment==1\nno-such-package==1\npillow==1.2.3\n")
    monkeypatch.setattr(machine_checks, "_PINS", pins)
    _, versions = machine_checks.environment()
    assert versions.state == "warning"
    assert f"pillow {version('pillow')} (tested: 1.2.3)." in versions.message


def test_another_version_s_program_is_not_taken(home: Path, state: Path, tmp_path: Path) -> None:
    program = tmp_path / "bin" / "gimp-console-3.2"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    announced: list[str] = []
    (finding,) = host_trials.try_editors(announced.append)
    assert (finding.state, announced) == ("warning", [])
    assert "no gimp-console-3.0 on the path" in finding.message


def test_commands_are_spelled_as_they_can_be_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = tmp_path / "an environment" / "bin" / "python"
    python.parent.mkdir(parents=True)
    own = python.with_name("s2edit")
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setenv("PATH", os.defpath)
    monkeypatch.chdir(Path(__file__).parent)
    assert remedies.typed("Run: s2edit doctor --fix") == f"Run: '{own}' doctor --fix"
    monkeypatch.chdir(python.parent.parent)
    assert remedies.typed("s2edit a; s2edit b") == "bin/s2edit a; bin/s2edit b"
    assert remedies.typed("/x/s2edit run, S²Edit is") == "/x/s2edit run, S²Edit is"
    monkeypatch.setenv("PATH", str(python.parent))
    assert remedies.typed("Run: s2edit doctor") == "Run: s2edit doctor"


def test_what_the_command_shows(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    found = [findings.ok("disk", "Room."), findings.warning("GPU", "None.", "Buy one.")]
    monkeypatch.setattr(doctor, "examine", lambda **_: iter(found))
    install_commands.doctor()
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["ok    disk: Room.", "note  GPU: None.", "      Buy one.", "S²Edit is in order."]
    found.append(findings.wrong("launcher", "Gone.", "Mend it.", lambda: "Done."))
    with pytest.raises(typer.Exit):
        install_commands.doctor()
    assert "One thing is wrong. This repairs it: " in capsys.readouterr().out.splitlines()[-1]
    found.append(findings.wrong("daemon", "Silent.", "Wake it."))
    with pytest.raises(typer.Exit):
        install_commands.doctor()
    assert "2 things are wrong. This repairs 1 of them: " in capsys.readouterr().out.splitlines()[-1]
