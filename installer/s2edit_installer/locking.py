"""The exact packages with the digests of their files, printed by one command: `python -m s2edit_installer.locking`.

uv resolves `pyproject.toml` within `constraints.txt` for all systems and Pythons at once and writes what each needs,
with markers, into `installer/locked/`: `base.txt`, a file for each extra with what comes on top, and `torch.txt` for
PyTorch's builds on PyPI (CUDA 13 on Linux, CPU on Windows, Macs) and what only they need. The builds on PyTorch's own
index (CPU on Linux, older CUDA, ROCm) are pinned by version alone.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from .pip_run import find_uv
from .words import Trouble, say

ROOT = Path(__file__).resolve().parent.parent.parent
EXTRAS = ("mcp", "sign", "starter", "tray")
"""What painters install; the others are for who works on S²Edit."""
OLDEST_PYTHON = "3.11"
_TORCH = re.compile(r"(torch|triton|nvidia-.*|cuda-.*)$")
_HEAD = "# Printed by `python -m s2edit_installer.locking`; what is chosen by hand stands in constraints.txt.\n"


def folder(root: Path) -> Path:
    """Where the files are in a checkout."""
    return root / "installer" / "locked"


def files(root: Path, extras: list[str]) -> list[Path]:
    """The files, PyTorch's aside, that these extras need; [] when there are none for one of them."""
    found = [folder(root) / f"{name}.txt" for name in ("base", *extras)]
    return found if all(path.is_file() for path in found) else []


def torch_file(root: Path) -> Path:
    """PyTorch's own."""
    return folder(root) / "torch.txt"


def entries(text: str) -> dict[str, str]:
    """A requirements file's entries, hashes included, by the line that names package, version and marker."""
    found: dict[str, str] = {}
    for entry in re.split(r"\n(?=\S)", "\n" + text):
        if entry.strip() and not entry.lstrip().startswith("#"):
            found[entry.strip().splitlines()[0].removesuffix("\\").strip()] = entry.strip() + "\n"
    return found


def name_of(line: str) -> str:
    """The package that such a line names."""
    return line.partition("==")[0]


def normal(name: str) -> str:
    """A package's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def lock(root: Path = ROOT) -> list[Path]:
    """Write the files anew; returns them. Raises Trouble when uv is not there or finds no solution."""
    base = _resolved(root, None)
    torch = {line: entry for line, entry in base.items() if _TORCH.match(name_of(line))}
    parts = {"torch": torch, "base": {line: entry for line, entry in base.items() if line not in torch}}
    for extra in EXTRAS:
        parts[extra] = {line: entry for line, entry in _resolved(root, extra).items() if line not in base}
    folder(root).mkdir(exist_ok=True)
    written = []
    for name, part in parts.items():
        path = folder(root) / f"{name}.txt"
        path.write_text(_HEAD + "".join(part.values()), encoding="utf-8")
        written.append(path)
    return written


def _resolved(root: Path, extra: str | None) -> dict[str, str]:
    uv = find_uv()
    if uv is None:
        raise Trouble("uv makes these files. Install it: python -m pip install uv")
    with tempfile.TemporaryDirectory(prefix="s2edit-lock-") as place:
        out = Path(place) / "requirements.txt"
        command = [uv, "pip", "compile", str(root / "pyproject.toml"), "--universal", "--generate-hashes", "--quiet"]
        command += ["--python-version", OLDEST_PYTHON, "--no-header", "--no-annotate", "--output-file", str(out)]
        command += ["--constraints", str(root / "installer" / "constraints.txt")]
        command += ["--extra", extra] if extra else []
        ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - uv
        if ran.returncode:
            raise Trouble(f"uv found no solution:\n{ran.stderr[-2_000:]}")
        return entries(out.read_text(encoding="utf-8"))


def main() -> int:
    """Write them and say what; returns the exit status."""
    try:
        for path in lock():
            packages = entries(path.read_text(encoding="utf-8"))
            say(f"{path.relative_to(ROOT)}: {len(packages)} packages")
    except Trouble as trouble:
        sys.stderr.write(f"{trouble}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
