"""GIMP on a lab's desk: the plug-in installed as the installer does it, batch runs, and a window to work in."""

from __future__ import annotations

import json
import re
import shutil
import time
from pathlib import Path
from typing import Any

from s2edit_installer.vendoring import write_plugin

from ..lab import PROJECT, Lab, wait_for
from ..screen import Screen

OPEN_S = 600
"""Seconds after which a GIMP that has not opened on a busy machine counts as lost."""
INSIDE = Path(__file__).parent / "inside"
GIMPRC = """(config-version "{version}")
(check-updates no)
(show-welcome-dialog no)
(save-session-info no)
"""


class GimpDesk:
    """GIMP 3 with S²Edit in a lab.

    Args:
        lab: where it runs.
    """

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.folder = lab.home / ".config" / "GIMP" / "3.0"
        self.plugin = self.folder / "plug-ins" / "s2edit"
        write_plugin("gimp", self.plugin.parent, PROJECT)
        (self.folder / "gimprc").write_text(GIMPRC.format(version=self._version()), encoding="utf-8")
        lab.env |= {"GIMP3_DIRECTORY": str(self.folder), "GSETTINGS_BACKEND": "memory", "S2_LAB": str(lab.folder)}
        self.inside = lab.folder / "inside"
        shutil.copytree(INSIDE, self.inside, ignore=shutil.ignore_patterns("__pycache__"))
        self._calls = 0

    def speak(self, language: str) -> None:
        """The plug-in's language from its next run on, such as `de`; "" for GIMP's own.

        A painter's GIMP hands it on to the plug-in, which the open one here can no longer do.
        """
        entry = PROJECT / "gimp_plugin" / "s2edit" / "s2edit.py"
        says = f"import os\n\nos.environ['LANGUAGE'] = {language!r}\n" if language else ""
        (self.plugin / "s2edit.py").write_text(
            entry.read_text(encoding="utf-8").replace("import sys\n", f"import sys\n{says}", 1), encoding="utf-8"
        )

    def batch(self, script: str, timeout: float = 120, **parameters: object) -> dict[str, Any]:
        """Run `inside/SCRIPT.py` in a GIMP without windows; returns the report that it wrote."""
        report, code = self._prepare(script, parameters)
        options = [
            "--new-instance",
            "--no-interface",
            "--no-fonts",
            "--console-messages",
            "--batch-interpreter",
            "python-fu-eval",
        ]
        process = self.lab.start(f"gimp-{script}", "gimp-console", *options, "-b", code, "--quit")
        process.wait(timeout)
        return self._read(report, script)

    def open(self, screen: Screen, picture: Path) -> str:
        """Start GIMP with a window and a picture; returns the window's id."""
        self.lab.start("gimp", "gimp", "--no-splash", "--console-messages", str(picture))
        window = screen.wait_window(rf"{picture.stem}.*GIMP", OPEN_S)
        screen.do("windowsize", "--sync", window, str(screen.width), str(screen.height))
        screen.do("windowmove", window, "0", "0")
        return window

    def ask(self, script: str, timeout: float = 30, **parameters: object) -> dict[str, Any]:
        """Run `inside/SCRIPT.py` in the GIMP whose window is open; returns the report that it wrote."""
        report, code = self._prepare(script, parameters)
        self.lab.run(
            "dbus-send",
            "--session",
            "--type=method_call",
            "--dest=org.gimp.GIMP.UI",
            "/org/gimp/GIMP/UI",
            "org.gimp.GIMP.UI.BatchRun",
            "string:python-fu-eval",
            f"string:{code}",
        )
        wait_for(report.exists, f"the report of {script}", timeout)
        return self._read(report, script)

    def complaints(self) -> list[str]:
        """What GIMP and the plug-in wrote of errors that nobody caught; empty when all is well."""
        said = "".join(path.read_text(errors="replace") for path in sorted(self.lab.folder.glob("gimp*.log")))
        own = re.compile(r"Traceback|\(s2edit.*CRITICAL")  # GIMP has criticals of its own
        return [line for line in said.splitlines() if own.search(line)]

    def _prepare(self, script: str, parameters: dict[str, object]) -> tuple[Path, str]:
        self._calls += 1
        report = self.lab.folder / f"{script}-{self._calls}.json"
        source = self.lab.folder / f"{script}-{self._calls}.py"
        given = json.dumps({**parameters, "report": str(report), "folder": str(self.lab.folder)}, default=str)
        source.write_text(
            f"import json, runpy, sys\nsys.path.insert(0, {str(self.inside)!r})\n"
            f"import common\ncommon.GIVEN.update(json.loads({given!r}))\n"
            f"runpy.run_path({str(self.inside / script)!r} + '.py')\n",
            encoding="utf-8",
        )
        return report, f"exec(open({str(source)!r}).read())"

    def _read(self, report: Path, script: str) -> dict[str, Any]:
        time.sleep(0.05)
        if not report.exists():
            raise AssertionError(f"{script} wrote no report; see the logs among the artefacts.")
        value: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
        if "error" in value:
            raise AssertionError(f"{script} failed inside GIMP:\n{value['error']}")
        return value

    def _version(self) -> str:
        said = self.lab.run("gimp-console", "--version").decode()
        return said.strip().split()[-1]
