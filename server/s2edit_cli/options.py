"""Options that several commands share, and the values that they take."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from s2edit_editor.models import default_model
from s2edit_marks.marking import MARKS
from s2edit_wire import knobs
from s2edit_wire.client import Client
from s2edit_wire.errors import WireError
from s2edit_wire.records import PROFILES

from .exit_codes import Exit
from .report import Ended

DEFAULT_MODEL = ""
"""The one that the daemon's settings name for the command line (`chosen_model`)."""
DEFAULT_PROFILE = "balanced"
_GUIDANCE = knobs.knobs()[knobs.GUIDANCE]


def _list_settings(context: typer.Context, pairs: list[str] | None) -> list[str] | None:
    """`--set list` prints every setting instead of editing."""
    if pairs and "list" in pairs and not context.resilient_parsing:
        for knob in knobs.knobs().values():
            name = f"{knob.name}.WORD" if knob.kind == "factors" else knob.name
            typer.echo(f"{name} ({knob.allowed})\n    {knob.title}. {knob.hint}.")
        raise typer.Exit
    return pairs


def _complete_settings(incomplete: str) -> list[str]:
    return [f"{name}=" for name in knobs.knobs() if name.startswith(incomplete)]


def _complete_profile(incomplete: str) -> list[str]:
    return [name for name in PROFILES if name.startswith(incomplete)]


Json = Annotated[bool, typer.Option("--json", help="Print one machine-readable object.")]
_OUTPUT = typer.Option(
    "-o",
    "--output",
    metavar="FILE",
    help="The picture to write: .png, .tif, .webp or .jpg. “-” writes a PNG to stdout.",
)
Output = Annotated[Path, _OUTPUT]
OutputUnlessFolder = Annotated[Path | None, _OUTPUT]
Layers = Annotated[
    Path | None, typer.Option("--layers", metavar="OUT.ora", help="Also write an OpenRaster file with both layers.")
]
Source = Annotated[str, typer.Option("--source", help="What the picture shows.")]
_WORDS = typer.Option("--object", metavar="WORD", help="The word of the source prompt to edit; may be repeated.")
Words = Annotated[list[str], _WORDS]
SourceUnlessInstruct = Annotated[str | None, typer.Option("--source", help="What the picture shows.")]
TargetUnlessInstruct = Annotated[str | None, typer.Option("--target", help="What it should show.")]
WordsUnlessInstruct = Annotated[list[str] | None, _WORDS]
Instruct = Annotated[
    str | None,
    typer.Option(
        "--instruct",
        metavar="SENTENCE",
        help="What should change, such as “add sunglasses”, for a model that takes an instruction: instead of "
        "--source, --target and --object.",
    ),
]
References = Annotated[
    list[Path] | None,
    typer.Option("--reference", metavar="FILE", help="A picture that the instruction speaks of; up to three times."),
]
Mask = Annotated[
    Path | None,
    typer.Option(
        "--mask",
        help="Where the object is: white on black, or painted on nothing. From 50 % on a pixel is in; blend.feather "
        "softens the edge.",
    ),
]
Model = Annotated[
    str,
    typer.Option(
        "--model", metavar="ID", help="Which model; see `s2edit models list`. Else the settings' `model_cli`."
    ),
]
Profile = Annotated[
    str,
    typer.Option(
        "--profile", metavar="|".join(PROFILES), autocompletion=_complete_profile, help="How much work to do."
    ),
]
Guidance = Annotated[
    float | None,
    typer.Option(
        "--guidance", min=_GUIDANCE.low, max=_GUIDANCE.high, help="Guidance scale; the model's own by default."
    ),
]
Seed = Annotated[int, typer.Option("--seed", min=0, max=2**32 - 1, help="Same seed, same result.")]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        callback=_list_settings,
        autocompletion=_complete_settings,
        is_eager=True,
        help="A method setting, such as blend.feather=12; `--set list` shows all.",
    ),
]
Emphasize = Annotated[
    list[str] | None, typer.Option("--emphasize", metavar="WORD=NUMBER", help="Weight of a word of the target prompt.")
]
Without = Annotated[
    list[str] | None,
    typer.Option("--without", metavar="|".join(MARKS), help="Leave out a mark that says “made with AI”; repeatable."),
]
TellPrompt = Annotated[
    bool, typer.Option("--tell-prompt", help="Write what was asked for into the file, where its readers see it.")
]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the result, or leave the job with the daemon.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]
JobId = Annotated[str, typer.Argument(metavar="JOB", help="A job's id, or its first digits.", show_default=False)]


def make_sure(question: str, *, yes: bool, asks: bool, lost: str = "") -> None:
    """Ask on a terminal, "no" being what Enter says; typer.Abort then. A script has said what it wants.

    Args:
        yes: `--yes` was given. asks: whether there may be a question; not where one object is printed.
        lost: what nothing brings back, as a sentence; then a script, too, has to say `--yes`.
    Raises:
        Ended: it has not, and somebody's work would be gone.
    """
    if yes:
        return
    if asks and sys.stdin is not None and sys.stdin.isatty():
        typer.confirm(f"{lost} {question}".strip(), default=False, abort=True, err=True)
    elif lost:
        raise Ended(Exit.USAGE, lost, "Fetch it first: s2edit jobs result. To delete it all the same, add --yes.")


def chosen_model(client: Client, model: str) -> str:
    """The model that was named, else the one that the daemon's settings name for the command line."""
    return model or default_model(client.request("settings").header["settings"], "cli")


def check_profile(profile: str) -> str:
    """The profile, or WireError("bad_setting")."""
    if profile not in PROFILES:
        raise WireError("bad_setting", f"There is no profile “{profile}”.", f"Choose {', '.join(PROFILES)}.")
    return profile


def settings(pairs: list[str] | None, emphasize: list[str] | None = None) -> dict[str, bool | float | str]:
    """`NAME=VALUE` pairs as the wire's settings; numbers, true and false are recognised, all else is text."""
    result: dict[str, bool | float | str] = {}
    for pair in pairs or []:
        name, value = _split(pair)
        result[name] = _value(value)
    for pair in emphasize or []:
        word, value = _split(pair)
        result[f"edit.emphasize.{word}"] = _number(pair, value)
    return checked(result)


def checked(settings: dict[str, bool | float | str]) -> dict[str, bool | float | str]:
    """The settings, or WireError("bad_setting") on the first that can't be."""
    for name, chosen in settings.items():
        knobs.check(name, chosen)
    return settings


def _split(pair: str) -> tuple[str, str]:
    name, sign, value = pair.partition("=")
    if not sign or not name.strip():
        raise WireError("bad_setting", f"“{pair}” is no setting.", "Write it as NAME=VALUE.")
    return name.strip(), value.strip()


def _value(text: str) -> bool | float | str:
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _number(pair: str, text: str) -> float:
    value = _value(text)
    if isinstance(value, (bool, str)):
        raise WireError("bad_setting", f"“{pair}” needs a number.", "Write it as WORD=1.5.")
    return value
