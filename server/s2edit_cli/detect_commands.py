"""`s2edit detect`: does a picture say that a model had a hand in it?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from s2edit_marks.detection import detect as marks_of

from . import options
from .exit_codes import Exit
from .looking import looking
from .report import print_object, say, tell

Files = Annotated[list[Path], typer.Argument(metavar="FILE…", help="Pictures of any program.", show_default=False)]

Thorough = Annotated[bool, typer.Option("--thorough", help="Look for the watermark at every scale: takes minutes.")]


def detect(files: Files, *, thorough: Thorough = False, json_: options.Json = False) -> int:
    """Tell every mark in a picture that says “made with AI”; the exit status is 1 when there is none in any."""
    told = findings(files, thorough=thorough)
    if json_:
        print_object(told)
        return int(told["exit_code"])
    for finding in told["files"]:
        if "error" in finding:
            tell(finding["error"], "red")
            continue
        first, *others = finding["sentences"]
        say(f"{finding['file']}: {first}", "bold" if finding["says_model"] else "")
        for sentence in others:
            say(f"  {sentence}")
    return int(told["exit_code"])


def findings(files: list[Path], *, thorough: bool) -> dict[str, Any]:
    """The object that `--json` prints."""
    found: list[dict[str, Any]] = []
    for file in files:
        try:
            with looking() as watch:
                found.append(marks_of(file, thorough=thorough, watch=watch).record())
        except OSError as error:
            found.append({"file": str(file), "error": f"“{file}” can't be read ({error.strerror})."})
    broken, marked = any("error" in one for one in found), any(one.get("says_model") for one in found)
    code = Exit.INPUT if broken else Exit.DONE if marked else Exit.INTERNAL
    return {"exit_code": int(code), "files": found}
