"""Runs one script inside Krita, for tests: the script and its report are named by the environment.

S2EDIT_PROBE_SCRIPT: a Python file with `run(report, done)`; it calls `done()` at the end, perhaps much later.
S2EDIT_PROBE_REPORT: where the report (a JSON object) is written, atomically; an exception is reported as `error`.
"""

import importlib.util
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from krita import Extension, Krita
from PyQt5.QtCore import QTimer
from PyQt5.QtWidgets import QApplication


def _write(report: dict[str, Any]) -> None:
    path = Path(os.environ["S2EDIT_PROBE_REPORT"])
    draft = path.with_suffix(".part")
    draft.write_text(json.dumps(report, indent=1, ensure_ascii=False, default=str), "utf-8")
    draft.replace(path)


def _quit() -> None:
    for document in Krita.instance().documents():
        document.setModified(False)
    for window in Krita.instance().windows():
        window.qwindow().close()
    QTimer.singleShot(300, QApplication.instance().quit)


class Probe(Extension):  # type: ignore[misc]
    """Starts the script once a window is there, and a document where S2EDIT_PROBE_WAIT is 1."""

    def setup(self) -> None:
        """Nothing to do before the window."""

    def createActions(self, window: Any) -> None:
        """The script starts half a second after the window."""
        script = os.environ.get("S2EDIT_PROBE_SCRIPT")
        if script:
            QTimer.singleShot(500, lambda: self._run(script))

    def _run(self, script: str) -> None:
        if os.environ.get("S2EDIT_PROBE_WAIT") == "1" and Krita.instance().activeDocument() is None:
            QTimer.singleShot(100, lambda: self._run(script))
            return
        for window in Krita.instance().windows():
            window.qwindow().showMaximized()
        report: dict[str, Any] = {}
        self.report = report

        def done() -> None:
            _write(report)
            if os.environ.get("S2EDIT_PROBE_STAY") != "1":
                _quit()

        try:
            sys.path.insert(0, str(Path(script).parent))
            spec = importlib.util.spec_from_file_location("s2edit_probe_script", script)
            assert spec is not None and spec.loader is not None
            self.module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(self.module)
            self.module.run(report, done)
        except BaseException:  # noqa: BLE001 - whatever it is belongs into the report
            report["error"] = traceback.format_exc()
            done()


Krita.instance().addExtension(Probe(Krita.instance()))
