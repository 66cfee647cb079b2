"""Whatever the environment says of folders, what S²Edit keeps is in the user's home: one rule for all of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
from s2edit_cli.main import main
from s2edit_installer.surroundings import Surroundings
from s2edit_server.weights import places
from s2edit_tray import autostart
from s2edit_wire.errors import Unreachable
from s2edit_wire.paths import home_folder, named_folder, settle_home, state_folder

from s2edit.research.training.dataset import training_folder

NO_FOLDER = ("", "relative", "./x", "..", ".", "~nobody/x")
"""What a variable may say that is no whole path."""
BY_HOME = ("HOME",)
BY_XDG = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR")
OTHERS = ("SNAP_REAL_HOME", "HF_HOME", "HF_HUB_CACHE", "APPDATA", "LOCALAPPDATA", "USERPROFILE")
USED: dict[str, Callable[[], Sequence[Path]]] = {
    "the state folder": lambda: [state_folder()],
    "Hugging Face's caches": places.hub_caches,
    "Hugging Face's own folder": places.hub_homes,
    "the desktop's settings": lambda: Surroundings.here().expand("config/x"),
    "the desktop's data": lambda: Surroundings.here().expand("data/x"),
    "an editor's folder on Windows": lambda: Surroundings.here().expand("roaming/x"),
    "the entry at login": lambda: [autostart._entry()],
}


@pytest.fixture(name="home")
def in_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home that the list of users knows; the environment names none."""
    for name in (*BY_HOME, *BY_XDG, *OTHERS, "S2EDIT_HOME", "HOMEDRIVE", "HOMEPATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda _user: SimpleNamespace(pw_dir=str(tmp_path / "home")))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


@pytest.mark.parametrize("said", NO_FOLDER)
@pytest.mark.parametrize("variable", [*BY_HOME, *BY_XDG, *OTHERS])
def test_a_variable_that_names_no_whole_path_is_passed_over(
    variable: str, said: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, said)
    for used, folders in USED.items():
        for folder in folders():
            assert folder.is_relative_to(home), f"{used}: {folder}"


@pytest.mark.parametrize("variable", [*BY_XDG[:3], "SNAP_REAL_HOME", "HF_HOME", "HF_HUB_CACHE"])
def test_one_that_does_is_obeyed_and_a_tilde_is_the_home(
    variable: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for said, meant in (("/else/where", Path("/else/where")), ("~/x", home / "x"), ("~", home)):
        monkeypatch.setenv(variable, said)
        assert named_folder(variable) == meant
        assert any(one.is_relative_to(meant) for folders in USED.values() for one in folders())


@pytest.mark.parametrize("said", NO_FOLDER)
def test_on_windows_too(said: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("USERPROFILE", said)
    monkeypatch.setenv("LOCALAPPDATA", said)
    with pytest.raises(Unreachable, match="no home folder"):
        state_folder()
    monkeypatch.setenv("HOMEPATH", str(home))
    assert state_folder() == home / "AppData" / "Local" / "s2edit"
    monkeypatch.setenv("USERPROFILE", "/users/me")
    assert state_folder() == Path("/users/me/AppData/Local/s2edit")


@pytest.mark.parametrize("said", NO_FOLDER)
def test_libraries_find_the_same_home(said: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They ask the environment themselves: the shell's completion, say, writes into it."""
    monkeypatch.setenv("HOME", said)
    assert main(["--version"]) == 0
    assert Path.home() == home_folder() == home
    assert training_folder().is_relative_to(home)


@pytest.mark.parametrize("entry", ["", "relative", None])
def test_a_user_without_a_home_is_told(
    entry: str | None, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unknown(_user: int) -> SimpleNamespace:
        if entry is None:
            raise KeyError
        return SimpleNamespace(pw_dir=entry)

    monkeypatch.setattr("pwd.getpwuid", unknown)
    monkeypatch.setenv("HOME", "")
    assert main(["jobs", "list"]) == 4
    assert "no home folder" in capsys.readouterr().err
    settle_home()
    assert os.environ["HOME"] == "", "nothing is made up"
    assert places.hub_caches() == []
    monkeypatch.setenv("S2EDIT_HOME", "/else/where")
    assert state_folder() == Path("/else/where")
