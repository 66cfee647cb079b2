"""`python -m tests.field.daemon COMMIT`: the same things thrown at the daemon of an older commit, in a tree of its own.

What is thrown needs that commit's wire, files and commands only (see `ground`).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[3]
OURS = ("__init__.py", "__main__.py", "case.py", "daemon")
"""What is taken along into that tree's `tests/field`."""

if len(sys.argv) != 2:
    sys.exit(__doc__)
commit = subprocess.run(
    ["git", "rev-parse", "--verify", "--short", f"{sys.argv[1]}^{{commit}}"],
    cwd=ROOT, check=True, capture_output=True, text=True,
).stdout.strip()  # fmt: skip
with tempfile.TemporaryDirectory(prefix="s2-") as name:
    tree, archive = Path(name) / "tree", Path(name) / "tree.tar"
    subprocess.run(["git", "archive", f"--output={archive}", commit], cwd=ROOT, check=True)
    shutil.unpack_archive(archive, tree, filter="tar")
    field = tree / "tests" / "field"
    shutil.rmtree(field, ignore_errors=True)
    field.mkdir()
    for part in OURS:
        source = Path(__file__).parents[1] / part
        (shutil.copytree if source.is_dir() else shutil.copy)(source, field / part)
    places = os.pathsep.join(str(tree / part) for part in (".", "server", "installer"))
    environment = os.environ | {"PYTHONPATH": places}
    command = [sys.executable, "-m", "tests.field"]
    with subprocess.Popen(command, cwd=tree, env=environment, stdout=subprocess.PIPE, text=True) as thrown:
        assert thrown.stdout is not None
        for line in thrown.stdout:
            named = line.replace("thrown at S²Edit,", f"thrown at the daemon of {commit},")
            print(named.replace("tests.field`", f"tests.field.daemon {commit}`"), end="", flush=True)
    sys.exit(thrown.returncode)
