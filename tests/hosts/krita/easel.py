"""Krita on a lab's desk: its configuration, the plug-in with its copy of the wire, a test's script and its report."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from s2edit_installer.vendoring import write_plugin

from ..lab import PROJECT, Lab, wait_for
from ..provision import default_root
from ..screen import Screen

HERE = Path(__file__).parent
_KRITARC = """[General]
showWelcomePage=false

[python]
enable_s2edit_krita=true
enable_s2edit_probe=true
"""
_DISPLAYRC = """[General]
OpenGLRenderer=none
canvasState=OPENGL_NOT_TRIED
"""


class Easel:
    """Krita with the plug-in, ready to be started on the lab's screen.

    Args:
        lab: the desk; Krita gets its HOME.
        screen: where the windows appear.
        language: a language code for Krita, "" for English.
    """

    def __init__(self, lab: Lab, screen: Screen, language: str = "") -> None:
        self.lab, self.screen = lab, screen
        self._runs = 0
        self._language = language
        data = lab.home / ".local/share/krita"
        plugins = data / "pykrita"
        write_plugin("krita", data, PROJECT)
        shutil.copytree(HERE / "probe/s2edit_probe", plugins / "s2edit_probe", ignore=_JUNK)
        shutil.copy(HERE / "probe/s2edit_probe.desktop", plugins)
        _warm_up(data)
        config = lab.home / ".config"
        config.mkdir()
        (config / "kritarc").write_text(_KRITARC, encoding="utf-8")
        (config / "kritadisplayrc").write_text(_DISPLAYRC, encoding="utf-8")

    def start(self, script: str, *files: Path, stay: bool = False, **variables: str) -> Path:
        """Start Krita with a script of `scripts/`; returns where its report will be. `stay`: do not quit at its end."""
        self._runs += 1
        report = self.lab.folder / f"report-{self._runs}.json"
        env = {
            "QT_QPA_PLATFORM": "xcb",
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "S2EDIT_PROBE_SCRIPT": str(self._script(script)),
            "S2EDIT_PROBE_REPORT": str(report),
            "S2EDIT_PROBE_STAY": "1" if stay else "0",
            "S2EDIT_PROBE_WAIT": "1" if files else "0",
            "S2EDIT_PROBE_FOLDER": str(self.lab.folder),
            **({"LANGUAGE": self._language} if self._language else {}),
            **variables,
        }
        self.krita = self.lab.start("krita", "krita", "--nosplash", *map(str, files), env=env)
        return report

    def report(self, path: Path, timeout: float = 60) -> dict[str, Any]:
        """The script's report, once it is written; an error in the script is raised here."""
        try:
            wait_for(lambda: path.exists() or self._ended(), f"Krita's report (see {self.lab.artifacts})", timeout)
            assert path.exists(), f"Krita ended with {self.krita.returncode} (see {self.lab.artifacts})."
        except AssertionError:
            self.screen.photograph("no-report")
            raise
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if "error" in found:
            self.screen.photograph("script-failed")
            raise AssertionError(found["error"])
        return found

    def run(self, script: str, *files: Path, timeout: float = 60, **variables: str) -> dict[str, Any]:
        """Start Krita, let the script run to its end, and return its report; Krita quits."""
        found = self.report(self.start(script, *files, stay=False, **variables), timeout)
        self.wait_end()
        return found

    def _ended(self) -> bool:
        return self.krita.poll() is not None

    def wait_end(self, timeout: float = 120) -> None:
        """Wait until Krita, told to quit, has ended."""
        self.krita.wait(timeout)
        _keep_warm(self.lab.home / ".local/share/krita")

    def _script(self, name: str) -> Path:
        folder = self.lab.folder / "scripts"
        if not folder.exists():
            shutil.copytree(HERE / "scripts", folder, ignore=_JUNK)
        return folder / f"{name}.py"


def _warm_folder() -> Path:
    root = default_root()
    return root.with_name(f"{root.name}-krita-resources")


def _warm_up(data: Path) -> None:
    """Krita's first start fills its resource database for half a minute; start from an earlier test's."""
    if _warm_folder().exists():
        shutil.copytree(_warm_folder(), data, dirs_exist_ok=True)


def _keep_warm(data: Path) -> None:
    """Once, and only of a Krita that has ended: its database is not to be copied while it is written."""
    kept = _warm_folder()
    if not kept.exists() and (data / "resourcecache.sqlite").exists():
        draft = kept.with_name(f"{kept.name}.{os.getpid()}")
        shutil.copytree(data, draft, ignore=shutil.ignore_patterns("pykrita", "actions", "*.lock"))
        draft.replace(kept)


_JUNK = shutil.ignore_patterns("__pycache__", "*.pyc")
