"""How long the tray takes from its start to its first paint, and what it holds, beside other programs of its kind.

    python -m tests.benchmarks.tray [--rounds N] [--json FILE] [--pictures]

The peers are Debian's: qBittorrent (C++ and Qt: a live table of transfers, and an icon in the tray) and Vorta (Python
and PyQt: jobs, and an icon in the tray). Beside them a bare window, one label in the tray's own Python and Qt, which
nobody can be quicker than with these. All appear on one screen (Xvfb, no window manager), each with a home of its own
and nothing in its list; the tray talks to a daemon. They take turns, so that whatever else the machine does hits all
alike; processor seconds are what such a machine can't spoil.

All are looked at from outside, in the same way: the first paint is when a twentieth of the screen's pixels have left
the empty screen's black, as they stand in Xvfb's own memory; memory is read some seconds after it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.hosts.lab import Lab, end_group, wait_for
from tests.tray.on_screen import install, tray_environment

PEERS = ("qbittorrent", "vorta")
KINDS = ("tray", *PEERS, "bare window")
QUANTITIES = {
    "wall_s": "seconds to the first paint",
    "cpu_s": "processor seconds to it",
    "rss_mib": "MiB resident",
    "own_mib": "MiB of them its own (no file's)",
}
SETTLED_S = 3.0
"""Time after the first paint in which the tray gets its jobs, models and settings; memory is read after it."""
PATIENCE_S = 60.0
PAINTED = 1 / 20
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGESIZE")
_BARE = (
    "from PySide6.QtWidgets import QApplication, QLabel; app = QApplication([]); "
    "label = QLabel('S²Edit'); label.resize(920, 640); label.show(); app.exec()"
)
# All that is prepared happens before "go"; the shell then becomes the program.
_WAIT = 'echo $$ > "$PID_FILE"; read go; exec "$@"'
_QBITTORRENT = "[LegalNotice]\nAccepted=true\n[Preferences]\nGeneral\\NoSplashScreen=true\nGeneral\\Locale=en\n"


class Desktop:
    """A lab with one screen whose pixels can be read without asking the X server."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        display, bus, file = (lab.folder / name for name in ("display", "bus", "Xvfb_screen0"))
        script = f'exec Xvfb -displayfd 3 -screen 0 1280x800x24 -fbdir "{lab.folder}" -nolisten tcp 3>"{display}"'
        lab.start("xvfb", "bash", "-c", script)
        number = wait_for(lambda: display.exists() and display.read_text().strip(), "Xvfb", 20)
        lab.env |= {"DISPLAY": f":{number}", "DBUS_SESSION_BUS_ADDRESS": f"unix:path={bus}"}
        lab.start("dbus", "dbus-daemon", "--session", "--nofork", f"--address=unix:path={bus}")
        wait_for(bus.exists, "D-Bus", 10)
        # An X window dump (XWDFile.h): numbers of 32 bits, big end first; the size of this header stands first, the
        # number of colours of twelve bytes each, which follow it, is the twentieth.
        header = np.fromfile(file, ">u4", 25)
        width, height, colours = int(header[4]), int(header[5]), int(header[19])
        self._pixels: NDArray[np.uint32] = np.memmap(file, "<u4", "r", int(header[0]) + 12 * colours, (height, width))

    def painted(self) -> bool:
        """Whether there is more than the empty screen."""
        return float(np.mean(self._pixels[::8, ::8] & 0xFFFFFF != 0)) > PAINTED

    def command(self, kind: str) -> list[str]:
        """What starts a program of this kind, up to its "go"."""
        waiting = ["sh", "-c", _WAIT, "sh"]
        if kind == "tray":
            return [*waiting, sys.executable, "-m", "s2edit_tray"]
        if kind == "bare window":
            return [*waiting, sys.executable, "-c", _BARE]
        return self.lab.inside(*waiting, kind, *(["--foreground"] if kind == "vorta" else []))

    @contextmanager
    def started(self, kind: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
        """The program, waiting for its "go" on its standard input, and its process id."""
        pid_file = self.lab.folder / "pid"
        pid_file.unlink(missing_ok=True)
        ours = kind in ("tray", "bare window")
        environment = tray_environment(self.lab) if ours else self.lab.env
        environment = {**environment, "PID_FILE": str(pid_file), "QT_QPA_PLATFORM": "xcb"}
        with (self.lab.folder / f"{kind}.log").open("ab") as log:
            process = subprocess.Popen(
                self.command(kind),
                env=environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            wait_for(lambda: pid_file.exists() and bool(pid_file.read_text()), f"{kind} to wait for its start", 30)
            yield process, int(pid_file.read_text())
        finally:
            end_group(process)
            wait_for(lambda: not self.painted(), "the screen to be empty again", 20)

    def one(self, kind: str) -> dict[str, float]:
        """Figures of one start."""
        with self.started(kind) as (process, pid):
            before = processor_s(pid)
            assert process.stdin is not None
            began = time.monotonic()
            process.stdin.write(b"go\n")
            process.stdin.close()
            while not self.painted():
                assert time.monotonic() - began < PATIENCE_S, f"{kind} painted nothing"
                assert process.poll() is None, f"{kind} ended: {self.log(kind)}"
                time.sleep(0.002)
            figures = {"wall_s": time.monotonic() - began, "cpu_s": processor_s(pid) - before}
            time.sleep(SETTLED_S)
            figures["rss_mib"], figures["own_mib"] = memory_mib(pid)
        return figures

    def log(self, kind: str) -> str:
        """The end of what it said."""
        return (self.lab.folder / f"{kind}.log").read_text("utf-8", "replace")[-2_000:]


def processor_s(pid: int) -> float:
    """Processor seconds that a process has used, to a hundredth."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory_mib(pid: int) -> tuple[float, float]:
    """What a process holds, and how much of it stands in no file that the system could read again."""
    resident, shared = (int(field) for field in Path(f"/proc/{pid}/statm").read_text("ascii").split()[1:3])
    return resident * _PAGE / 2**20, (resident - shared) * _PAGE / 2**20


@contextmanager
def prepared() -> Iterator[Desktop]:
    """The peers installed, a daemon running, a screen."""
    with Lab("benchmark-tray") as lab:
        # Without the program that it drives, Vorta greets with a question.
        install(lab, *PEERS, "borgbackup")
        settings = lab.home / ".config" / "qBittorrent" / "qBittorrent.conf"
        settings.parent.mkdir(parents=True)
        settings.write_text(_QBITTORRENT, "utf-8")
        lab.start_daemon()
        yield Desktop(lab)


def compare(rounds: int, *, pictures: bool = False) -> dict[str, dict[str, float]]:
    """Best and median of each quantity for all, and the tray's medians by the others'."""
    taken: dict[str, list[dict[str, float]]] = {kind: [] for kind in KINDS}
    with prepared() as desk:
        for number in range(rounds + 1):
            for kind, results in taken.items():
                if pictures and not number:
                    photograph(desk, kind)
                    continue
                figures = desk.one(kind)
                if number:  # The first start of each reads its files from the disk.
                    results.append(figures)
    table: dict[str, dict[str, float]] = {}
    for quantity in QUANTITIES:
        row: dict[str, float] = {}
        for kind, results in taken.items():
            values = [figures[quantity] for figures in results]
            row[f"{kind}, best"], row[kind] = min(values), statistics.median(values)
        for kind in KINDS[1:]:
            row[f"tray / {kind}"] = row["tray"] / row[kind]
        table[quantity] = row
    return table


def photograph(desk: Desktop, kind: str) -> None:
    """Start it once and keep a picture, to see that it is what one thinks it is."""
    with desk.started(kind) as (process, _pid):
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.close()
        wait_for(desk.painted, f"{kind} to paint", PATIENCE_S)
        time.sleep(SETTLED_S)
        path = desk.lab.artifacts / f"{kind.replace(' ', '-')}.png"
        path.write_bytes(desk.lab.run("import", "-window", "root", "png:-"))
        print(path)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--pictures", action="store_true", help="keep a picture of each in its first start")
    options = parser.parse_args()
    table = compare(options.rounds, pictures=options.pictures)
    width = max(map(len, QUANTITIES.values()))
    print(f"{'median (best) of ' + str(options.rounds):{width}}", *(f"{kind:>16}" for kind in KINDS))
    for quantity, row in table.items():
        cells = (f"{row[kind]:.2f} ({row[f'{kind}, best']:.2f})" for kind in KINDS)
        print(f"{QUANTITIES[quantity]:{width}}", *(f"{cell:>16}" for cell in cells))
        ratios = (f"{row[f'tray / {kind}']:.2f} x" for kind in KINDS[1:])
        print(f"{'    the tray beside it':{width}}", f"{'':>16}", *(f"{ratio:>16}" for ratio in ratios))
    if options.json:
        options.json.write_text(json.dumps(table, indent=2), "utf-8")


if __name__ == "__main__":
    main()
