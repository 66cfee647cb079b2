#!/usr/bin/env python3
"""S²Edit in one command: makes the environment, edits a sample portrait, puts the plug-ins into GIMP and Krita.

Standard library only. The file has to parse on old Pythons too, so that they can say what is missing.
"""

import argparse
import os
import sys

if sys.version_info < (3, 11):  # noqa: UP036 - older ones get this far, and are told so
    sys.stderr.write(
        "S²Edit needs Python 3.11 or newer; this is Python {}.{}.\n"
        "Install a newer one (python.org, or your system's package manager) and run it with that:\n"
        "    python3.11 installer/quickstart.py\n".format(*sys.version_info[:2])
    )
    sys.exit(2)

import subprocess
from pathlib import Path

from s2edit_installer.environment import Environment
from s2edit_installer.words import Trouble, say

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Do what the arguments say; returns the exit status."""
    options = _options()
    environment = Environment(ROOT)
    try:
        if options.uninstall:
            return _uninstall(environment)
        if options.test:
            return _test(environment, options)
        return _first_run(environment, options)
    except Trouble as trouble:
        sys.stderr.write(f"\n{trouble}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped. Run the same command again: it goes on where it was.\n")
        return 130


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="quickstart.py", description=__doc__.splitlines()[0])
    parser.add_argument("--headless", action="store_true", help="no tray, no windows")
    parser.add_argument(
        "--out", type=Path, default=ROOT / "s2edit-out", metavar="DIR", help="where the sample's pictures go"
    )
    parser.add_argument("--no-plugins", action="store_true", help="leave GIMP and Krita alone")
    parser.add_argument("--at-login", action="store_true", help="have the daemon started at every login")
    parser.add_argument(
        "--test",
        nargs="?",
        const="whole",
        choices=("quick", "hosts", "whole"),
        metavar="LANE",
        help="make the test environment and run all tests, or one lane: quick, hosts",
    )
    parser.add_argument("--uninstall", action="store_true", help="take out plug-ins, entries and the environment")
    parser.add_argument(
        "--torch",
        metavar="SPEC",
        default=os.environ.get("S2EDIT_TORCH"),
        help='another PyTorch, such as "torch==2.13.0+cu126"; also $S2EDIT_TORCH',
    )
    parser.add_argument("--torch-index", metavar="URL", help="package index that has it")
    parser.add_argument("--constraints", type=Path, metavar="FILE", help="pinned versions other than constraints.txt")
    return parser.parse_args()


def _first_run(environment: Environment, options: argparse.Namespace) -> int:
    windows = not options.headless and _has_screen()
    environment.make(("starter", "sign", *(("tray",) if windows else ())), options)
    command = [str(environment.python), "-P", "-m", "s2edit_installer.first_run", "--out", str(options.out)]
    command += ["--no-plugins"] * options.no_plugins + ["--windows"] * windows
    command += ["--at-login"] * options.at_login
    return subprocess.run(command, check=False).returncode


def _test(environment: Environment, options: argparse.Namespace) -> int:
    from s2edit_installer.test_machine import provision

    environment.make(("starter", "tray", "dev"), options)
    provision(environment, ROOT, editors=options.test != "quick")
    check = [str(environment.python), str(ROOT / "installer" / "check.py"), options.test]
    return subprocess.run(check, cwd=ROOT, check=False).returncode


def _uninstall(environment: Environment) -> int:
    if environment.python.exists():
        leave = [str(environment.python), "-P", "-m", "s2edit_installer.uninstalling"]
        if subprocess.run(leave, check=False).returncode:
            raise Trouble("Not everything could be taken out; the environment is kept, so that you can try again.")
    environment.remove()
    say("S²Edit is gone. Your pictures and this folder are as they were.")
    return 0


def _has_screen() -> bool:
    return (
        os.name == "nt"
        or sys.platform == "darwin"
        or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    )


if __name__ == "__main__":
    sys.exit(main())
