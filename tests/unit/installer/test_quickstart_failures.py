"""What can stop the quickstart, with the real pip and venv, and taking it all out again."""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from s2edit_installer import environment, packages, pip_run, plugins
from s2edit_installer.environment import Environment
from s2edit_installer.words import Trouble
from s2edit_tray import autostart

OPTIONS = argparse.Namespace(torch="torch==0", torch_index=None, constraints=None)
ROOT = packages.ROOT


@pytest.fixture
def pip_without_patience(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """pip without this machine's own index and proxy, and with one retry where a user's has five."""
    for name in [name for name in os.environ if name.upper().startswith("PIP_") or name.upper().endswith("_PROXY")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_RETRIES", "1")  # the least with which pip says what went wrong
    return monkeypatch


class Refusing(BaseHTTPRequestHandler):
    """A proxy that wants a password."""

    def do_CONNECT(self) -> None:
        self.send_error(407, "Proxy Authentication Required")

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def proxy() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Refusing)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def nobody() -> str:
    """An address on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"127.0.0.1:{free.getsockname()[1]}"


def install() -> None:
    pip_run.pip(Path(sys.executable), ["no-such-package-anywhere==1"], "Fetching", raw=False)


def test_offline(pip_without_patience: pytest.MonkeyPatch) -> None:
    pip_without_patience.setenv("PIP_INDEX_URL", f"http://{nobody()}/simple")
    with pytest.raises(Trouble, match=r"cannot be reached.*\n.*HTTPS_PROXY"):
        install()


def test_no_such_name_on_the_network(pip_without_patience: pytest.MonkeyPatch) -> None:
    pip_without_patience.setenv("PIP_INDEX_URL", "https://index.invalid/simple")
    with pytest.raises(Trouble, match="cannot be reached"):
        install()


def test_a_proxy_that_refuses(pip_without_patience: pytest.MonkeyPatch, proxy: str) -> None:
    pip_without_patience.setenv("PIP_INDEX_URL", "https://index.invalid/simple")
    pip_without_patience.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(Trouble, match=r"proxy refused.*\n.*user:password"):
        install()


def test_a_proxy_that_is_not_there(pip_without_patience: pytest.MonkeyPatch) -> None:
    pip_without_patience.setenv("PIP_INDEX_URL", "https://index.invalid/simple")
    pip_without_patience.setenv("HTTPS_PROXY", f"http://{nobody()}")
    with pytest.raises(Trouble, match=r"cannot be reached.*\n.*HTTPS_PROXY"):
        install()


def test_a_file_where_the_environment_should_be(checkout: Path) -> None:
    (checkout / ".venv").write_text("somebody's")
    with pytest.raises(Trouble, match="could not be made"):
        Environment(checkout).make(("starter",), OPTIONS)
    assert (checkout / ".venv").read_text() == "somebody's"


def test_constraints_that_are_not_there(checkout: Path) -> None:
    options = argparse.Namespace(**{**vars(OPTIONS), "constraints": checkout / "none.txt"})
    with pytest.raises(Trouble, match="There is no file"):
        Environment(checkout).make(("starter",), options)


def test_what_was_cut_off_goes_on(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    cut = {"Fetching the rest"}

    def pip(_python: Path, _arguments: list[str], title: str, **_: object) -> None:
        steps.append(title)
        if title in cut:
            raise KeyboardInterrupt

    monkeypatch.setattr(environment, "pip", pip)
    monkeypatch.setattr(Environment, "_create", lambda made: made.folder.mkdir(exist_ok=True))
    monkeypatch.setattr(Environment, "_works", lambda _: True)
    monkeypatch.setattr("shutil.disk_usage", lambda _: argparse.Namespace(free=2**40))
    with pytest.raises(KeyboardInterrupt):
        Environment(checkout).make(("starter",), OPTIONS)
    cut.clear()
    Environment(checkout).make(("starter",), OPTIONS)
    assert steps == ["Preparing", "Fetching PyTorch", "Fetching the rest"] * 2
    Environment(checkout).make(("starter",), OPTIONS)
    assert len(steps) == 6, "it is ready"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the quickstart needs of one."""
    folder = tmp_path / "checkout"
    leave_out = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "installer", folder / "installer", ignore=leave_out)
    (folder / "pyproject.toml").write_text("")
    return folder


@pytest.mark.parametrize("damaged", [False, True], ids=["whole", "damaged"])
def test_uninstall_leaves_nothing_or_says_why(
    damaged: bool, checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, state = tmp_path / "home", tmp_path / "state"
    (home / ".config" / "GIMP" / "3.0").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("S2EDIT_HOME", str(state))
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "GIMP3_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    plugins.install()
    autostart.enable(True)
    if damaged:
        (state / "installed.json").write_text("{")
    python = checkout / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)

    command = [sys.executable, str(checkout / "installer" / "quickstart.py"), "--uninstall"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    plugin = home / ".config" / "GIMP" / "3.0" / "plug-ins" / "s2edit"
    if damaged:
        assert ran.returncode == 1
        assert "is damaged" in ran.stdout and "try again" in ran.stderr
        assert python.exists() and plugin.exists()
    else:
        assert ran.returncode == 0, ran.stderr
        assert "S²Edit is gone" in ran.stdout and str(state) in ran.stdout
        assert not (checkout / ".venv").exists() and not plugin.exists()
        # The desktop's own folder stays, the entry in it does not.
        assert sorted(path.name for path in home.rglob("*")) == [".config", "3.0", "GIMP", "autostart"]
