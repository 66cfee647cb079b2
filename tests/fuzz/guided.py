"""Fuzzes the codecs guided by coverage: `python -m tests.fuzz.guided [-runs=N] [-max_total_time=S] [CORPUS_FOLDER]`.

Needs atheris (`pip install atheris`; Linux only). Without a corpus it starts from the smallest valid requests. All
options are libFuzzer's.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
from pathlib import Path
from typing import Any


def main() -> None:
    """Fuzz until the options say stop; ends the process, with status 77 and the input when something was found."""
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["s2edit_wire", "s2edit_server.envelope", "s2edit_server.framewalk"]):
        codec = importlib.import_module("tests.fuzz.codec")
    with tempfile.TemporaryDirectory(prefix="s2f-") as corpus:
        if all(argument.startswith("-") for argument in sys.argv[1:]):
            _seed(Path(corpus))
            sys.argv.append(corpus)
        atheris.Setup(sys.argv, codec.check)
        atheris.Fuzz()


def _seed(folder: Path) -> None:
    from s2edit_wire.pack import pack

    from tests.fuzz.mutation import REQUESTS

    for request in REQUESTS:
        (folder / request["op"]).write_bytes(pack(request))


if __name__ == "__main__":
    main()
