"""Exact packages with digests, and uv where it is: by the real pip and the real uv, from a folder of wheels."""

from __future__ import annotations

import argparse
import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from s2edit_installer import environment, locking, pip_run, torch_choice
from s2edit_installer.environment import Environment
from s2edit_installer.words import Trouble

ROOT = locking.ROOT
NAMES = ("base", "torch", *locking.EXTRAS)
OPTIONS = argparse.Namespace(torch=None, torch_index=None, constraints=None)


def packages(name: str) -> dict[str, str]:
    """Versions by package in one of the files."""
    lines = locking.entries((locking.folder(ROOT) / f"{name}.txt").read_text())
    return {locking.name_of(line): line.partition("==")[2].partition(" ")[0] for line in lines}


def normal(requirement: str) -> str:
    return locking.normal(re.split(r"[\[; ]", requirement)[0])


@pytest.mark.parametrize("name", NAMES)
def test_each_file_has_a_digest_and_the_version_that_was_chosen(name: str) -> None:
    text = (locking.folder(ROOT) / f"{name}.txt").read_text()
    assert "://" not in text, "a mirror's address is nobody else's"
    for line, entry in locking.entries(text).items():
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), line
    lines = (ROOT / "installer" / "constraints.txt").read_text().splitlines()
    pins = {normal(line.split("==")[0]): line.split("==")[1] for line in lines if re.match(r"\w", line)}
    assert {package: pins[package] for package in packages(name) if package in pins} == {
        package: version for package, version in packages(name).items() if package in pins
    }, "run: python -m s2edit_installer.locking"


def test_all_that_pyproject_asks_for_is_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = {extra: project["optional-dependencies"][extra] for extra in locking.EXTRAS}
    asked["base"] = project["dependencies"]
    for extra, wanted in asked.items():
        there = {*packages("base"), *packages("torch"), *packages(extra)}
        assert {normal(one) for one in wanted} <= there, "run: python -m s2edit_installer.locking"


def test_painters_get_the_locked_packages_and_torch_by_its_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(ROOT / "installer", tmp_path / "installer")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    asked: list[list[str]] = []
    monkeypatch.setattr(environment, "pip", lambda _python, arguments, *_, **__: asked.append(arguments))
    monkeypatch.setattr(Environment, "_create", lambda self: self.folder.mkdir(exist_ok=True))
    monkeypatch.setattr("shutil.disk_usage", lambda _: argparse.Namespace(free=2**40))
    card = torch_choice.Card("RTX", 12.0, 590)
    for found, torch in ((card, f"--requirement={locking.torch_file(tmp_path)}"), (None, None)):
        monkeypatch.setattr(torch_choice, "nvidia_card", lambda found=found: found)
        monkeypatch.setattr(Environment, "_without_needless_gigabytes", lambda self, choice, _: choice)
        monkeypatch.setattr(sys, "platform", "linux")
        asked.clear()
        Environment(tmp_path).make(("starter", "sign"), OPTIONS)
        assert asked[1] == (["--require-hashes", "--no-deps", torch] if torch else [packages_of_torch()])
        names = ("base", "sign", "starter")
        assert asked[2][2:] == [f"--requirement={locking.folder(tmp_path) / name}.txt" for name in names]
        assert asked[3] == ["--no-deps", "--no-build-isolation", "--editable", f"{tmp_path}[sign,starter]"]
        (tmp_path / ".venv" / "s2edit-stamp.json").unlink()
    Environment(tmp_path).make(("dev",), OPTIONS)
    assert asked[-1] == ["--editable", f"{tmp_path}[dev]"], "who works on S²Edit takes what constraints.txt allows"


def packages_of_torch() -> str:
    return f"torch=={packages('torch')['torch']}"


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A package with nothing in it."""
    path = tmp_path / "thing-1-py3-none-any.whl"
    parts = {
        "thing.py": b"",
        "thing-1.dist-info/METADATA": b"Metadata-Version: 2.1\nName: thing\nVersion: 1\n",
        "thing-1.dist-info/WHEEL": b"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [f"{name},sha256={_digest(data)},{len(data)}" for name, data in parts.items()]
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
        archive.writestr("thing-1.dist-info/RECORD", "\n".join([*record, "thing-1.dist-info/RECORD,,"]))
    return path


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment's Python."""
    folder = tmp_path_factory.mktemp("bare") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    return folder / "bin" / "python"


@pytest.fixture
def python(bare: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The same with a uv on the path, no settings of pip's, and nothing left in it afterwards."""
    for name in [name for name in os.environ if name.upper().startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    uv = pip_run.find_uv()
    assert uv is not None, "the dev extra brings it"
    monkeypatch.setenv("PATH", f"{Path(uv).parent}:{os.environ['PATH']}")
    yield bare
    _take_out(bare)


def _take_out(python: Path) -> None:
    for path in python.parents[1].glob("lib/*/site-packages/thing*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def installer_of(python: Path) -> str:
    (found,) = python.parents[1].glob("lib/*/site-packages/thing-1.dist-info/INSTALLER")
    return found.read_text().strip()


def test_uv_installs_where_it_is(python: Path, wheel: Path) -> None:
    pip_run.pip(python, ["--no-index", str(wheel)], "Fetching", raw=False)
    assert installer_of(python) == "uv"


@pytest.mark.parametrize("setting", ["PIP_INDEX_URL", "PIP_FIND_LINKS", "PIP_PROXY"])
def test_pip_does_where_it_was_told_where_packages_come_from(
    python: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    monkeypatch.setenv(setting, "https://index.invalid/simple")
    pip_run.pip(python, ["--no-index", str(wheel)], "Fetching", raw=False)
    assert installer_of(python) == "pip"


def test_what_is_another_file_is_not_installed(python: Path, wheel: Path, tmp_path: Path) -> None:
    wanted = tmp_path / "locked.txt"
    wanted.write_text(f"thing==1 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n")
    arguments = ["--require-hashes", "--no-deps", "--no-index", f"--find-links={tmp_path}", f"--requirement={wanted}"]
    pip_run.pip(python, arguments, "Fetching", raw=False)
    assert installer_of(python) == "uv"
    _take_out(python)
    wanted.write_text(f"thing==1 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(Trouble, match="is not the file that S²Edit was made with"):
        pip_run.pip(python, arguments, "Fetching", raw=False)
    assert not list(python.parents[1].glob("lib/*/site-packages/thing*"))
