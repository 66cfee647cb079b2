"""How long the tray takes from its start to its first paint, and what it holds, beside a bare window of PySide6.

    QT_QPA_PLATFORM=offscreen python -m tests.benchmarks.tray [--rounds N] [--json FILE]

The bare window (one label, the same Python, the same Qt) is what nobody can be quicker than with this toolkit. The two
take turns, so that whatever else the machine does hits both alike; processor seconds are what such a machine can't
spoil. The tray talks to a daemon meanwhile, as it does in earnest.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.fakes.daemon import RunningDaemon

SETTLED_MS = 1_500
"""Time after the first paint in which the tray gets its jobs, models and settings; memory is read after it."""
QUANTITIES = {"wall_s": "seconds to the first paint", "cpu_s": "processor seconds", "rss_mib": "MiB resident"}


def measured(kind: str) -> None:
    """Be the process that is measured: print its figures as JSON once it has settled, and end."""
    from PySide6.QtCore import QEvent, QObject, QTimer
    from PySide6.QtWidgets import QApplication, QLabel

    figures: dict[str, float] = {}

    class FirstPaint(QObject):
        def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Paint and not figures:
                figures["cpu_s"] = time.process_time()
                # The same clock as the parent's: Linux counts it from the boot.
                figures["wall_s"] = time.monotonic() - float(os.environ["STARTED"])
                QTimer.singleShot(SETTLED_MS, done)
            return False

    def done() -> None:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
        figures["rss_mib"] = pages * os.sysconf("SC_PAGESIZE") / 2**20
        print(json.dumps(figures), flush=True)
        QApplication.exit(0)

    run = QApplication.exec

    def watched() -> int:
        watch = FirstPaint()
        QApplication.instance().installEventFilter(watch)  # type: ignore[union-attr]
        return run()

    if kind == "bare":
        QApplication(sys.argv[:1])
        label = QLabel("S²Edit")
        label.resize(920, 640)
        label.show()
        watched()
    else:
        from s2edit_tray.main import main

        QApplication.exec = staticmethod(watched)  # type: ignore[method-assign]
        main([])


def one(kind: str, folder: Path) -> dict[str, float]:
    """Figures of one start."""
    environment = {
        **os.environ,
        "S2EDIT_HOME": str(folder),
        "TMPDIR": str(folder),
        "STARTED": repr(time.monotonic()),
    }
    command = [sys.executable, "-m", "tests.benchmarks.tray", "--be", kind]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True)
    figures: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return figures


def compare(rounds: int) -> dict[str, dict[str, float]]:
    """Best and median of each quantity for both, and the medians' ratio."""
    taken: dict[str, list[dict[str, float]]] = {"bare": [], "tray": []}
    with tempfile.TemporaryDirectory(prefix="s2b") as name, RunningDaemon(Path(name) / "s") as daemon:
        for number in range(rounds + 1):
            for kind, results in taken.items():
                figures = one(kind, daemon.folder)
                if number:  # The first start of each reads its files from the disk.
                    results.append(figures)
    table: dict[str, dict[str, float]] = {}
    for quantity in QUANTITIES:
        row: dict[str, float] = {}
        for kind, results in taken.items():
            values = [figures[quantity] for figures in results]
            row[f"{kind}_best"], row[f"{kind}_median"] = min(values), statistics.median(values)
        row["ratio_of_medians"] = row["tray_median"] / row["bare_median"]
        row["ratio_of_bests"] = row["tray_best"] / row["bare_best"]
        table[quantity] = row
    return table


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--be", choices=("bare", "tray"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.be:
        measured(options.be)
        return
    table = compare(options.rounds)
    for quantity, row in table.items():
        print(
            f"{QUANTITIES[quantity]:>28}: tray {row['tray_median']:.2f} (best {row['tray_best']:.2f}), "
            f"bare window {row['bare_median']:.2f} (best {row['bare_best']:.2f}), "
            f"ratio {row['ratio_of_medians']:.2f} (of the bests {row['ratio_of_bests']:.2f})"
        )
    if options.json:
        options.json.write_text(json.dumps(table, indent=2), "utf-8")


if __name__ == "__main__":
    main()
