"""The real GIMP 3 and Krita 5.2 for the host tests: `python -m tests.hosts.provision` prints `ROOT=…`.

On Debian 13 or newer the packages are installed here (`ROOT=/`). Elsewhere a Debian 13 tree is made with mmdebstrap and
entered by chroot; it takes two minutes and 1.4 GB, once. Does nothing where the packages are already there.
S2EDIT_HOSTS_SUITE=forky makes and enters a tree of that suite instead, with the editors' next versions.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

STABLE = "trixie"
SUITE = os.environ.get("S2EDIT_HOSTS_SUITE", STABLE)
PACKAGES = """
    gimp gir1.2-gimp-3.0 gir1.2-gtk-3.0 python3 python3-gi python3-gi-cairo
    krita python3-pyqt5
    xvfb xauth xdotool x11-utils imagemagick openbox dbus fonts-dejavu-core procps util-linux ca-certificates
""".split()  # noqa: SIM905 - read and grown by people
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


class CannotProvision(Exception):
    """The editors can't be installed here; the message says what is missing."""


def default_root() -> Path:
    """Where the tree goes: $S2EDIT_HOSTS_ROOT or the user's cache."""
    return Path(os.environ.get("S2EDIT_HOSTS_ROOT") or Path.home() / ".cache" / "s2hosts" / SUITE)


def installed(root: Path) -> bool:
    """Whether every package is installed in the tree at `root`."""
    try:
        status = (root / "var/lib/dpkg/status").read_text(encoding="utf-8")
    except OSError:
        return False
    found = re.findall(r"^Package: (\S+)\n(?:Essential: yes\n)?Status: install ok installed$", status, re.MULTILINE)
    return set(PACKAGES) <= set(found)


def provision(root: Path | None = None) -> Path:
    """Make sure that the editors are there; returns the tree they are in (`/` for this system itself).

    Raises CannotProvision where this is no Debian-like system or the packages can't be had.
    """
    if SUITE == STABLE and _system_is_new_enough():
        if not installed(Path("/")):
            _run(*_sudo(), "apt-get", "update", "-qq")
            _run(*_sudo(), "apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES)
        return Path("/")
    root = root or default_root()
    if not installed(root):
        _bootstrap(root)
    return root


def _system_is_new_enough() -> bool:
    release = Path("/etc/os-release").read_text(encoding="utf-8") if Path("/etc/os-release").exists() else ""
    fields = dict(line.split("=", 1) for line in release.splitlines() if "=" in line)
    version = fields.get("VERSION_ID", "0").strip('"')
    return fields.get("ID", "").strip('"') == "debian" and version.isdigit() and int(version) >= 13


def _bootstrap(root: Path) -> None:
    if shutil.which("apt-get") is None:
        raise CannotProvision("The host tests need Debian or Ubuntu: apt-get is not here.")
    if shutil.which("mmdebstrap") is None:
        _run(*_sudo(), "apt-get", "update", "-qq")
        _run(*_sudo(), "apt-get", "install", "-y", "-qq", "--no-install-recommends", "mmdebstrap")
    new = root.with_name(root.name + ".new")
    _run(*_sudo(), "rm", "-rf", str(new))
    root.parent.mkdir(parents=True, exist_ok=True)
    _run(
        *_sudo(),
        "mmdebstrap",
        "--variant=minbase",
        "--mode=root",
        "--include=" + ",".join(PACKAGES),
        '--aptopt=APT::Install-Recommends "false"',
        '--aptopt=Acquire::Retries "5"',
        # A suite in development is not always signed anew in time; what it holds is checked all the same.
        *([] if SUITE == STABLE else ['--aptopt=Acquire::Check-Valid-Until "false"']),
        *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "man", "info", "locale")),
        SUITE,
        str(new),
        f"deb [signed-by={KEYRING}] {_mirror()} {SUITE} main",
    )
    _run(*_sudo(), "rm", "-rf", str(root))
    _run(*_sudo(), "mv", str(new), str(root))


def _mirror() -> str:
    """The archive that this system's own apt uses, so that a local mirror is honoured."""
    for path in sorted(Path("/etc/apt").glob("sources.list*")) + sorted(Path("/etc/apt/sources.list.d").glob("*")):
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        match = re.search(r"^URIs:\s*(\S+)", text, re.MULTILINE) or re.search(r"^deb\s[^#]*?(https?://\S+)", text, re.M)
        if match and "debian" in match.group(1):
            return match.group(1)
    return "http://deb.debian.org/debian"


def _sudo() -> list[str]:
    return [] if os.geteuid() == 0 else ["sudo"]


def _run(*command: str) -> None:
    if subprocess.run(command, check=False, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}).returncode:
        raise CannotProvision(f"This failed: {' '.join(command[:3])} … Run it by hand to see why.")


if __name__ == "__main__":
    print(f"ROOT={provision(Path(sys.argv[1]) if len(sys.argv) > 1 else None)}")
