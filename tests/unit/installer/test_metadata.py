"""What software centres, GIMP's extension manager, PyPI and Arch are told of S²Edit: read by their own programs."""

from __future__ import annotations

import re
import shlex
import subprocess
import tomllib
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

from s2edit_installer import packages, vendoring

ROOT = packages.ROOT
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
METAINFO = ROOT / "gimp_plugin" / f"{packages.GIMP_EXTENSION}.metainfo.xml"
PKGBUILD = ROOT / "installer" / "arch" / "PKGBUILD"


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
        f"{packages.GIMP_EXTENSION}/{name}" for name in (METAINFO.name, *vendoring.plugin_files("gimp", ROOT))
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
    assert (PKGBUILD.parent / script).is_file() and Path(checkout).resolve() == ROOT
    recipe = PKGBUILD.read_text()
    for name in re.findall(r"\$_checkout/([\w./-]+)", recipe):
        assert (ROOT / name).exists(), name
    (files,) = re.findall(r"for file in ([\w ]+);", recipe)
    for name in files.split():
        assert (ROOT / "installer" / "locked" / f"{name}.txt").is_file(), name
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
