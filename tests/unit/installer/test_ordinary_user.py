"""An ordinary user's whole way: pip, install, edits in the real editors, upgrade with jobs waiting, doctor, leaving."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from s2edit_installer import packages

from tests.hosts.scenarios import EMBEDDED as SCENE
from tests.unit.installer.fresh import Fresh
from tests.unit.installer.ordinary import OrdinaryLab
from tests.unit.installer.painters import PATIENCE_S, Painters

EDITORS = ["GIMP 3.0 (package, AppImage or Flatpak)", "Krita (package or AppImage)"]
WORDS = ["--source", SCENE.source, "--target", SCENE.target, "--object", SCENE.word]
STEPS = ["--set", "inversion.steps=2", "--set"]


@pytest.fixture
def wheels(sources: Path, built: list[list[Path]], tmp_path: Path) -> tuple[Path, Path]:
    """(an earlier version's wheel, this one's)."""
    older = shutil.copytree(sources, tmp_path / "older")
    project = older / "pyproject.toml"
    project.write_text(project.read_text(encoding="utf-8").replace('version = "0.1.0"', 'version = "0.0.9"'))
    for name in ("gimp_plugin/s2edit/s2edit.py", "krita_plugin/s2edit_krita/__init__.py"):
        with (older / name).open("a", encoding="utf-8") as file:
            file.write("# an earlier version\n")
    packages.build(tmp_path / "out", older)
    (old,) = (tmp_path / "out").glob("*.whl")
    (new,) = (path for path in built[0] if path.suffix == ".whl")
    return old, new


def files(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.hosts
@pytest.mark.timeout(3 * PATIENCE_S)
def test_from_pip_to_the_last_file_gone(wheels: tuple[Path, Path]) -> None:
    with OrdinaryLab("ordinary") as lab:
        # A caller whose own windows go elsewhere: the doctor's Krita is shown on a screen made for it.
        lab.env["QT_QPA_PLATFORM"] = "offscreen"
        for wheel in wheels:
            shutil.copy2(wheel, lab.folder)
        lab.give(lab.folder)
        painters = Painters(lab)
        fresh = Fresh(lab.folder / "venv", lab.inside)

        def s2edit(*arguments: str, fails: bool = False) -> dict[str, Any]:
            answer: dict[str, Any] = json.loads(lab.say(str(fresh.command), *arguments, "--json", fails=fails).stdout)
            return answer

        def edit(steps: int) -> str:
            given = [
                str(painters.picture),
                "-o",
                str(lab.home / f"out-{steps}.png"),
                *WORDS,
                *STEPS,
                f"identity.steps={steps}",
            ]
            return str(s2edit("edit", *given, "--no-wait")["job"])

        assert lab.say("id", "-u").stdout.strip() == str(lab.uid) != "0"
        fresh.install(lab.folder / wheels[0].name)
        assert outcomes(s2edit("install")) == dict.fromkeys(EDITORS, "installed")
        assert s2edit("daemon", "status", fails=True)["exit_code"] == 4, "the first editor starts it"
        painters.edit_in_gimp()
        painters.edit_in_krita()
        assert s2edit("daemon", "status")["status"]["version"] == "0.0.9"
        done = [job for job in s2edit("jobs", "list")["jobs"] if job["state"] == "done"]
        assert [job["edit"]["document"]["host"] for job in done] == ["krita", "gimp"]

        long, short = edit(400), edit(2)
        fresh.install(lab.folder / wheels[1].name)
        assert outcomes(s2edit("install")) == dict.fromkeys(EDITORS, "upgraded")
        told = findings(s2edit("doctor", "--no-editors"))
        assert told["daemon"]["state"] == "warning"
        assert "It is version 0.0.9, this is 0.1.0." in told["daemon"]["message"]
        s2edit("daemon", "stop")
        assert s2edit("daemon", "start")["status"]["version"] == "0.1.0"
        jobs = {job["job"]: job["state"] for job in s2edit("jobs", "list")["jobs"]}
        assert jobs[short] == "queued" and jobs[long] in {"queued", "running"}
        s2edit("jobs", "cancel", long)
        assert s2edit("jobs", "result", short, str(painters.picture), "-o", str(lab.home / "out.png"))["changed_box"]

        tried = s2edit("doctor")
        (lab.artifacts / "doctor.json").write_text(json.dumps(tried, indent=1, ensure_ascii=False), encoding="utf-8")
        assert tried["sound"], tried
        assert [findings(tried)[f"start {name}"]["state"] for name in EDITORS] == ["ok", "ok"], tried

        strangers = [path for path in (*lab.home.rglob("*"), *lab.state.rglob("*")) if path.lstat().st_uid != lab.uid]
        assert not strangers
        assert lab.state.stat().st_mode & 0o077 == 0
        lab.say(str(fresh.python), "-m", "s2edit_installer.uninstalling")
        for probe in painters.probes:
            lab.say("rm", "-r", str(probe))
        assert not lab.connection_file.exists() and not (lab.state / "launcher.json").exists()
        left = {path for path in files(lab.home) if "s2edit" in str(path).lower()}
        assert not {path for path in left if "plug-in-settings" not in path.parts}, (
            "GIMP's own notes of last values stay"
        )
        kritarc = (lab.home / ".config" / "kritarc").read_text(encoding="utf-8")
        assert "enable_s2edit_krita" not in kritarc and "enable_s2edit_probe=true" in kritarc
        assert s2edit("daemon", "status", fails=True)["exit_code"] == 4


def outcomes(answer: dict[str, Any]) -> dict[str, str]:
    return {target["target"]: target["state"] for target in answer["targets"]}


def findings(answer: dict[str, Any]) -> dict[str, dict[str, str]]:
    return {finding["what"]: finding for finding in answer["findings"]}
