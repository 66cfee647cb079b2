"""The packages: the same to the bit each time, whole, and usable without the source tree.

What they say of themselves is read by the programs that it is for: AppStream, pip, bash.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path
from typing import Any

import pytest
import pyvips
from s2edit_installer import packages, vendoring

from tests.unit.installer.fresh import Fresh

PROJECT = tomllib.loads((packages.ROOT / "pyproject.toml").read_text())["project"]
METAINFO = packages.ROOT / "gimp_plugin" / f"{packages.GIMP_EXTENSION}.metainfo.xml"
PKGBUILD = packages.ROOT / "installer" / "arch" / "PKGBUILD"


def test_building_twice_gives_the_same_bytes(built: list[list[Path]]) -> None:
    first, second = ({path.name: content(path) for path in paths} for paths in built)
    assert first == second
    assert sorted(name.split("-")[0] for name in first) == ["org.s2edit.GIMP", *["s2edit"] * 5]


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
    assert not {name for name in in_sdist if name.startswith("s2edit/research/starter/robots/weights")}


def test_krita_s_importer_finds_all_it_wants(built: list[list[Path]]) -> None:
    with zipfile.ZipFile(next(path for path in built[0] if path.name.startswith("s2edit-krita"))) as archive:
        names = archive.namelist()
        assert archive.read("s2edit_krita/vendored/s2edit_wire/client.py")
        for package in ("s2edit_wire", "s2edit_editor"):
            assert archive.read(f"s2edit_krita/vendored/{package}/locale/ar.json")
    # The importer looks for the folder's own entry and for __init__.py in it, and for NAME.desktop and NAME.action.
    assert {"s2edit_krita/", "s2edit_krita/__init__.py", "s2edit_krita.desktop", "s2edit_krita.action"} <= set(names)


def test_gimp_s_folder_is_ready_to_be_copied(built: list[list[Path]]) -> None:
    folder = next(path for path in built[0] if path.is_dir())
    entry = folder / "s2edit" / "s2edit.py"
    assert entry.stat().st_mode & 0o111
    for file in ("client.py", "locale/he.json"):
        assert (folder / "s2edit" / "s2edit_wire" / file).exists()


def test_the_wheel_has_every_data_file_of_the_tree(built: list[list[Path]], sources: Path) -> None:
    """Weights, configurations, catalogues, translations: whatever lies in a package and is no Python."""
    with zipfile.ZipFile(of_kind(built[0], ".whl")) as wheel:
        in_wheel = set(wheel.namelist())
    wanted = set()
    for folder in (sources, sources / "server", sources / "installer"):
        for package in folder.glob("s2edit*/"):
            files = (path for path in package.rglob("*") if path.is_file() and path.suffix not in {".py", ".pyc"})
            wanted |= {path.relative_to(folder).as_posix() for path in files if ".egg-info" not in path.parts[-2]}
    left_out = {name for name in wanted if name.startswith("s2edit/research/starter/robots/weights/")}
    assert left_out, "the second domain's checkpoint stays in the repository"
    assert not left_out & in_wheel
    assert not [name for name in in_wheel if name.startswith("s2edit/research/training/")], "painters train nothing"
    wanted -= left_out
    assert {"s2edit/model/portraits/unet/diffusion_pytorch_model.safetensors", "s2edit_editor/locale/de.json"} <= wanted
    assert {f"s2edit_wire/locale/{language}.json" for language in ("ar", "de", "he")} <= wanted
    assert not wanted - in_wheel
    inside = "s2edit_installer/plugins/"
    assert inside + "gimp_plugin/s2edit/s2edit.py" in in_wheel
    assert inside + "krita_plugin/s2edit_krita/__init__.py" in in_wheel


def test_the_sdist_builds_the_same_wheel(built: list[list[Path]], tmp_path: Path) -> None:
    with tarfile.open(of_kind(built[0], ".tar.gz")) as sdist:
        sdist.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    build = "import sys, setuptools.build_meta as backend; backend.build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(tmp_path)], cwd=source, capture_output=True, check=True)
    assert parts(of_kind(list(tmp_path.iterdir()), ".whl")) == parts(of_kind(built[0], ".whl"))


def parts(wheel: Path) -> dict[str, int]:
    """Checksums by name, but for the lists of them, whose modes and order may differ."""
    with zipfile.ZipFile(wheel) as archive:
        return {info.filename: info.CRC for info in archive.infolist() if not info.filename.endswith("RECORD")}


@pytest.fixture(scope="module")
def fresh(built: list[list[Path]], tmp_path_factory: pytest.TempPathFactory) -> Fresh:
    environment = Fresh(tmp_path_factory.mktemp("fresh") / "venv")
    environment.install(of_kind(built[0], ".whl"))
    return environment


def test_all_comes_from_the_wheel(fresh: Fresh, tmp_path: Path) -> None:
    code = (
        "import pathlib, sys\n"
        "import s2edit, s2edit_cli.main, s2edit_installer.vendoring as vendoring, s2edit_server.daemon, s2edit_wire\n"
        "for module in (s2edit, s2edit_cli, vendoring, s2edit_server, s2edit_wire):\n"
        "    assert pathlib.Path(module.__file__).is_relative_to(sys.prefix), module\n"
        "print(*(f'{len(vendoring.plugin_files(host))}' for host in ('gimp', 'krita')))\n"
    )
    ran = subprocess.run([fresh.python, "-c", code], cwd=tmp_path, env={}, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert all(int(count) > 20 for count in ran.stdout.split()), ran.stdout


def test_an_edit_with_the_embedded_model(fresh: Fresh, tmp_path: Path) -> None:
    """As a person does after `pip install`: the command starts the daemon, which edits with what the wheel carries."""
    picture = tmp_path / "in.png"
    pyvips.Image.gaussnoise(160, 160, mean=128, sigma=40).cast("uchar").bandjoin([90, 60]).pngsave(str(picture))
    with tempfile.TemporaryDirectory(prefix="s2w") as state:
        # No PYTHONPATH, nothing of the checkout; PATH is for what PyTorch looks up.
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "S2EDIT_HOME": state, "OMP_NUM_THREADS": "1"}

        def s2edit(*arguments: str) -> dict[str, Any]:
            ran = subprocess.run(
                [fresh.command, *arguments, "--json"],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=300,
            )
            assert ran.returncode == 0, ran.stdout + ran.stderr
            answer: dict[str, Any] = json.loads(ran.stdout)
            return answer

        try:
            words = ["--source", "a man with a beard", "--target", "a man with glasses", "--object", "man"]
            steps = ["--set", "identity.steps=2", "--set", "inversion.steps=2", "--set", "blend.context=1"]
            done = s2edit("edit", str(picture), "-o", "out.png", *words, *steps)
            assert (done["state"], len(done["model_hash"])) == ("done", 64)
            daemon = s2edit("daemon", "status")["status"]["pid"]
            started = Path(f"/proc/{daemon}/cmdline").read_bytes().split(b"\0")[0]
            assert started.decode().startswith(str(fresh.folder))
        finally:
            s2edit("daemon", "stop")
    assert (tmp_path / "out.png").exists()


def test_appstream_finds_no_fault_with_gimp_s_extension() -> None:
    ran = subprocess.run(
        ["appstreamcli", "validate", "--no-net", "--no-color", str(METAINFO)],
        capture_output=True,
        text=True,
        check=False,
    )
    # GIMP's own key, of which AppStream knows nothing, is an information.
    assert ran.returncode == 0, ran.stdout
    assert not re.search(r"^[EW]:", ran.stdout, re.MULTILINE), ran.stdout


def test_the_extension_is_as_gimp_wants_it(built: list[list[Path]]) -> None:
    (gex,) = (path for path in built[0] if path.suffix == ".gex")
    component = ET.fromstring(METAINFO.read_text(encoding="utf-8"))
    assert component.findtext("id") == packages.GIMP_EXTENSION
    release = component.find("releases/release")
    assert release is not None and release.get("version") == PROJECT["version"]
    assert component.findtext("project_license") == PROJECT["license"]
    entry = component.findtext("metadata/value")
    with zipfile.ZipFile(gex) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
        assert {name.partition("/")[0] for name in names} == {packages.GIMP_EXTENSION}
        assert archive.getinfo(f"{packages.GIMP_EXTENSION}/{entry}").external_attr >> 16 & 0o111
    assert names == {
        f"{packages.GIMP_EXTENSION}/{name}" for name in (METAINFO.name, *vendoring.plugin_files("gimp", packages.ROOT))
    }


def test_arch_s_recipe_names_what_there_is(built: list[list[Path]]) -> None:
    subprocess.run(["bash", "-n", str(PKGBUILD)], check=True)
    said = subprocess.run(
        ["bash", "-c", f"startdir={shlex.quote(str(PKGBUILD.parent))}; . {shlex.quote(str(PKGBUILD))}; "
         'echo "$pkgver"; echo "$pkgdesc"; echo "${license[0]}"; echo "$install"; echo "$_checkout"'],
        capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    version, words, licence, script, checkout = said
    assert (version, licence) == (PROJECT["version"], PROJECT["license"])
    assert words.rstrip(".") in PROJECT["description"]
    assert (PKGBUILD.parent / script).is_file() and Path(checkout).resolve() == packages.ROOT
    recipe = PKGBUILD.read_text()
    for name in re.findall(r"\$_checkout/([\w./-]+)", recipe):
        assert (packages.ROOT / name).exists(), name
    (files,) = re.findall(r"for file in ([\w ]+);", recipe)
    for name in files.split():
        assert (packages.ROOT / "installer" / "locked" / f"{name}.txt").is_file(), name
    commands = set(re.findall(r"/bin/(s2edit[\w-]*)", recipe))
    assert commands == {*PROJECT["scripts"], *PROJECT["gui-scripts"]}
    (wheel,) = re.findall(r"dist/(\S+\.whl)", recipe)
    assert wheel.replace("$pkgver", version) in {path.name for path in built[0]}


def test_pypi_is_told_what_it_is(built: list[list[Path]]) -> None:
    (wheel,) = (path for path in built[0] if path.suffix == ".whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = archive.read(name).decode()
    oldest = PROJECT["requires-python"].removeprefix(">=")
    for line in (
        f"Classifier: Programming Language :: Python :: {oldest}",
        "Classifier: Topic :: Multimedia :: Graphics :: Editors",
        f"License-Expression: {PROJECT['license']}",
    ):
        assert line in metadata
    systems = set(re.findall(r"Classifier: Operating System :: (.*)", metadata))
    assert systems == {"POSIX :: Linux", "MacOS", "Microsoft :: Windows"}
