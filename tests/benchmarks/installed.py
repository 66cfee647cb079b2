"""`python -m tests.benchmarks.installed`: what an installation for painters brings, and which programs load it.

The real daemon and worker make an edit with the model that comes along, the command line asks for it, and each notes
at its end which modules it had loaded (a `sitecustomize` of theirs, by PYTHONPATH).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from importlib import metadata
from pathlib import Path

import pyvips
from s2edit_installer import locking

from tests.fakes.daemon import ROOT, RunningDaemon

PAINTERS = ("base", "torch", "sign", "starter", "tray")
NOTING = """
import atexit, os, sys
def note():
    names = {name.partition(".")[0] for name in list(sys.modules)}
    with open(os.path.join(os.environ["S2_NOTED"], str(os.getpid())), "w") as file:
        file.write(" ".join(sys.orig_argv[1:6]) + "\\n" + "\\n".join(sorted(names)))
atexit.register(note)
"""
WORDS = ["--source", "a smiling man", "--target", "a smiling man with glasses", "--object", "man"]


def main() -> None:
    """Print the table: package, MiB, who loaded it."""
    with tempfile.TemporaryDirectory(prefix="s2i") as place:
        folder = Path(place)
        (folder / "site").mkdir()
        (folder / "noted").mkdir()
        (folder / "site" / "sitecustomize.py").write_text(NOTING)
        environment = {"PYTHONPATH": f"{folder / 'site'}:{ROOT}", "S2_NOTED": str(folder / "noted")}
        picture = folder / "in.png"
        pyvips.Image.gaussnoise(160, 160, mean=128, sigma=40).cast("uchar").bandjoin([90, 60]).pngsave(str(picture))
        with RunningDaemon(folder / "s", worker=None, environment=environment):
            command = [sys.executable, "-m", "s2edit_cli.main", "edit", str(picture), *WORDS]
            mine = dict(os.environ, S2EDIT_HOME=str(folder / "s"), **environment)
            subprocess.run([*command, "--profile", "fast", "-o", str(folder / "out.png")], env=mine, check=True)
        _print(_loaded(folder / "noted"))


def _loaded(noted: Path) -> dict[str, set[str]]:
    """Programs by top-level module."""
    programs = {"s2edit_server.worker": "worker", "s2edit_cli": "command", "s2edit_server": "daemon"}
    found: dict[str, set[str]] = defaultdict(set)
    for path in noted.iterdir():
        first, *modules = path.read_text().splitlines()
        name = next((short for long, short in programs.items() if long in first), first)
        for module in modules:
            found[module].add(name)
    return found


def _print(loaded: dict[str, set[str]]) -> None:
    by_distribution: dict[str, set[str]] = defaultdict(set)
    for module, distributions in metadata.packages_distributions().items():
        for distribution in distributions:
            by_distribution[locking.normal(distribution)] |= loaded.get(module, set())
    rows = []
    for name in PAINTERS:
        lines = locking.entries((locking.folder(ROOT) / f"{name}.txt").read_text())
        for package in sorted({locking.name_of(line) for line in lines}):
            try:
                files = metadata.files(package) or []
            except metadata.PackageNotFoundError:
                continue  # another system's
            size = 1.0 * sum(path.stat().st_size for file in files if (path := Path(str(file.locate()))).is_file())
            rows.append((size / 2**20, package, sorted(by_distribution[locking.normal(package)])))
    print(f"{'package':<28}{'MiB':>8}  loaded by")
    for size, package, programs in sorted(rows, reverse=True):
        print(f"{package:<28}{size:>8.1f}  {', '.join(programs) or '–'}")
    whole, unused = sum(row[0] for row in rows), sum(size for size, _, programs in rows if not programs)
    print(f"{whole:.0f} MiB; {unused:.0f} MiB were loaded by none of them, the tray's Qt included.")


if __name__ == "__main__":
    main()
