"""The table of packagings: `python -m tests.unit.installer.table` installs into, examines, upgrades and leaves every
made-up home in a temporary folder, and prints `installer/PACKAGINGS.md`. Exits with 1 where one is not left as it was.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from unittest import mock

from s2edit_installer import doctor, plugins, vendoring
from s2edit_installer.surroundings import Surroundings
from s2edit_installer.targets import PLACES, find

from tests.unit.installer.homes import HOMES, Home, tree

SYSTEMS = {"linux": "Linux", "windows": "Windows", "macos": "macOS"}
HEAD = """# Where the plug-ins go, for each way in which GIMP and Krita are packaged

Printed by `python -m tests.unit.installer.table`, which builds each home below, installs an earlier version's plug-ins
into it, examines it, upgrades it, examines it again and uninstalls, with the code that `s2edit install`, `s2edit
doctor` and `s2edit uninstall` run. “as before” means that every file and folder is then as it was, to the byte.
`tests/unit/installer/test_plugins.py` checks more: exactly which files are there in between, and what happens to files
that somebody changed.

The homes are made up: folder trees as the sources at the end describe them. Of all these, only Debian's packages were
run (`tests/unit/installer/test_ordinary_user.py`, `tests/hosts`).

| home | what is there | found | plug-ins go to | install | doctor | upgrade | doctor | uninstall |
|---|---|---|---|---|---|---|---|---|
"""


def older(host: str) -> dict[str, vendoring.File]:
    """An earlier version's files: another start, and a file that was dropped since."""
    files = vendoring.plugin_files(host)
    start = {"gimp": "s2edit/s2edit.py", "krita": "pykrita/s2edit_krita/__init__.py"}[host]
    dropped = start.rsplit("/", 1)[0] + "/dropped.py"
    return {**files, start: vendoring.File(b"# earlier", executable=host == "gimp"), dropped: vendoring.File(b"")}


def row(name: str, home: Home, folder: Path) -> str:
    """What happens in one home, as a row of the table."""
    around, state = home.make(folder), folder / ".local/state/s2edit"
    before = tree(around.home)
    targets = find(around)
    with mock.patch.object(plugins, "plugin_files", older):
        installed = [outcome.state for outcome in plugins.install(around, state)]
    outdated = examined(around, state, folder)
    upgraded = [outcome.state for outcome in plugins.install(around, state)]
    current = examined(around, state, folder)
    plugins.uninstall(state)
    left = "as before" if tree(around.home) == before and not any(state.glob("*")) else "**not as before**"
    there = [*(f"`~/{file}`" for file in home.files), *(f"`{program}` on the path" for program in home.programs)]
    there += [f"`{key}=~/{value}`" for key, value in (home.variables or {}).items()]
    cells = [
        f"{name} ({SYSTEMS[home.system]})",
        lines(there).replace("~/../system", ""),
        lines([target.name for target in targets]),
        lines([f"`~/{target.folder.relative_to(around.home).as_posix()}`" for target in targets]),
        lines(installed),
        lines(outdated),
        lines(upgraded),
        lines(current),
        left,
    ]
    return f"| {' | '.join(cells)} |"


def examined(around: Surroundings, state: Path, folder: Path) -> list[str]:
    """The doctor's lines about plug-ins, without the editors' names."""
    found = [finding.message for finding in doctor.plugins_in_place(around, state)]
    return [message.split("): ", 1)[-1].replace(str(folder), "~") for message in found]


def lines(parts: list[str]) -> str:
    """Several lines in one cell."""
    return "<br>".join(parts) or "–"


def sources() -> str:
    """Where it is written what each packaging does."""
    told = [
        f"- {place.host.capitalize()}, {place.packaging} ({SYSTEMS[place.system]}): {place.source}." for place in PLACES
    ]
    return "\n## Sources\n\n" + "\n".join(told).replace("- Gimp", "- GIMP") + "\n"


def document() -> str:
    """The whole of `installer/PACKAGINGS.md`."""
    rows = []
    for name, home in HOMES.items():
        with tempfile.TemporaryDirectory(prefix="s2edit-home-") as folder:
            rows.append(row(name, home, Path(folder)))
    return HEAD + "\n".join(rows) + "\n" + sources()


if __name__ == "__main__":
    text = document()
    sys.stdout.write(text)
    sys.exit("**not as before**" in text)
