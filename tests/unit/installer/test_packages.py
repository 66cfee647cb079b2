"""The packages: the same to the bit each time, whole, and usable without the source tree."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
import pyvips
from s2edit_installer import packages

from tests.fakes.checkpoints import untrained_checkpoint
from tests.hosts.lab import wait_for


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> list[list[Path]]:
    # From a copy: the sources may be edited while this runs.
    copy = tmp_path_factory.mktemp("checkout")
    for name in (*packages.FOLDERS, "gimp_plugin", "krita_plugin"):
        shutil.copytree(packages.ROOT / name, copy / name)
    for name in packages.FILES:
        shutil.copy2(packages.ROOT / name, copy / name)
    return [packages.build(tmp_path_factory.mktemp("out"), copy) for _ in range(2)]


def test_building_twice_gives_the_same_bytes(built: list[list[Path]]) -> None:
    first, second = ({path.name: content(path) for path in paths} for paths in built)
    assert first == second
    assert sorted(name.split("-")[0] for name in first) == ["s2edit"] * 5


def content(path: Path) -> str:
    files = [path] if path.is_file() else sorted(part for part in path.rglob("*") if part.is_file())
    found = hashlib.sha256()
    for file in files:
        found.update(f"{file.name} {file.stat().st_mode:o} ".encode() + file.read_bytes())
    return found.hexdigest()


def of_kind(paths: list[Path], ending: str) -> Path:
    (found,) = (path for path in paths if path.name.endswith(ending))
    return found


def test_wheel_and_sdist_carry_the_plug_ins(built: list[list[Path]]) -> None:
    with zipfile.ZipFile(of_kind(built[0], ".whl")) as wheel:
        in_wheel = set(wheel.namelist())
    with tarfile.open(of_kind(built[0], ".tar.gz")) as sdist:
        in_sdist = {name.split("/", 1)[1] for name in sdist.getnames() if "/" in name}
    inside = "s2edit_installer/plugins/"
    for path in ("gimp_plugin/s2edit/s2edit.py", "krita_plugin/s2edit_krita.desktop"):
        assert inside + path in in_wheel
        assert f"installer/{inside}{path}" in in_sdist
    assert {"s2edit_wire/client.py", "s2edit_server/weights/catalogue.json", "s2edit/settings.py"} <= in_wheel
    assert not {name for name in in_wheel if name.startswith("tests")}


def test_krita_s_importer_finds_all_it_wants(built: list[list[Path]]) -> None:
    with zipfile.ZipFile(next(path for path in built[0] if path.name.startswith("s2edit-krita"))) as archive:
        names = archive.namelist()
        assert archive.read("s2edit_krita/s2edit_wire/client.py")
    # The importer looks for the folder's own entry and for __init__.py in it, and for NAME.desktop and NAME.action.
    assert {"s2edit_krita/", "s2edit_krita/__init__.py", "s2edit_krita.desktop", "s2edit_krita.action"} <= set(names)


def test_gimp_s_folder_is_ready_to_be_copied(built: list[list[Path]]) -> None:
    folder = next(path for path in built[0] if path.is_dir())
    entry = folder / "s2edit" / "s2edit.py"
    assert entry.stat().st_mode & 0o111
    assert (folder / "s2edit" / "s2edit_wire" / "client.py").exists()


@pytest.fixture(scope="module")
def place(built: list[list[Path]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as pip lays it out, where it comes before this checkout on the path."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(of_kind(built[0], ".whl")) as wheel:
        wheel.extractall(folder)
    return folder


def test_the_wheel_works_without_the_source_tree(place: Path, tmp_path: Path) -> None:
    code = (
        "import pathlib, sys\n"
        "import s2edit, s2edit_cli.main, s2edit_installer.vendoring as vendoring, s2edit_server.daemon, s2edit_wire\n"
        "for module in (s2edit, s2edit_cli, vendoring, s2edit_server, s2edit_wire):\n"
        "    assert pathlib.Path(module.__file__).is_relative_to(sys.argv[1]), module\n"
        "print(*(f'{len(vendoring.plugin_files(host))}' for host in ('gimp', 'krita')))\n"
    )
    command = [sys.executable, "-c", code, str(place)]
    ran = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(place)}, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert all(int(count) > 20 for count in ran.stdout.split()), ran.stdout


def test_an_edit_with_nothing_but_the_wheel(place: Path, tmp_path: Path) -> None:
    """The command, the daemon, the worker and the method, all from the wheel."""
    picture = tmp_path / "in.png"
    pyvips.Image.gaussnoise(160, 160, mean=128, sigma=40).cast("uchar").bandjoin([90, 60]).pngsave(str(picture))
    with tempfile.TemporaryDirectory(prefix="s2w") as state:
        # libstdc++ and friends need no variable; PATH is for what PyTorch looks up.
        environment = {
            "PYTHONPATH": str(place),
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "S2EDIT_HOME": state,
            "S2EDIT_PORTRAITS": str(untrained_checkpoint(tmp_path / "checkpoint")),
            "OMP_NUM_THREADS": "1",
        }

        def s2edit(*arguments: str) -> dict[str, Any]:
            command = [sys.executable, "-m", "s2edit_cli.main", *arguments, "--json"]
            ran = subprocess.run(
                command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=300
            )
            assert ran.returncode == 0, ran.stdout + ran.stderr
            answer: dict[str, Any] = json.loads(ran.stdout)
            return answer

        # Started by hand: the launcher leaves PYTHONPATH out, and the daemon would come from this checkout.
        daemon = subprocess.Popen([sys.executable, "-m", "s2edit_server"], cwd=tmp_path, env=environment)
        try:
            wait_for((Path(state) / "run" / "daemon.json").exists, "the daemon")
            words = ["--source", "a man with a beard", "--target", "a man with a moustache", "--object", "man"]
            steps = ["--set", "identity.steps=2", "--set", "inversion.steps=2"]
            assert s2edit("edit", str(picture), "-o", "out.png", *words, *steps)["state"] == "done"
            assert s2edit("daemon", "status")["status"]["pid"] == daemon.pid
        finally:
            daemon.terminate()
            daemon.wait(30)
    assert (tmp_path / "out.png").exists()
