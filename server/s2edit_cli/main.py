"""The `s2edit` command: its commands put together, and every error turned into a line and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated

import typer
from s2edit_wire.paths import settle_home

from . import (
    bench_commands,
    cluster_commands,
    daemon_commands,
    detect_commands,
    edit_commands,
    install_commands,
    job_commands,
    last_resort,
    mcp_command,
    model_commands,
    painter_commands,
)
from .exit_codes import MEANING, Exit
from .report import Ended, fail, say

_CODES = "  \n".join(f"{int(code)}  {meaning}" for code, meaning in MEANING.items())

app = typer.Typer(
    help="Precise text-guided editing of pictures: change one thing, keep every other pixel.",
    epilog=f"Exit codes:\n\n{_CODES}",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        say(f"S²Edit {version('s2edit')}")
        raise typer.Exit


@app.callback()
def _options(
    _wanted: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version, and end.")
    ] = False,
) -> None:
    """Precise text-guided editing of pictures: change one thing, keep every other pixel."""


app.command()(edit_commands.edit)
app.command()(edit_commands.compose)
app.command()(detect_commands.detect)
app.add_typer(job_commands.app, name="jobs")
app.add_typer(model_commands.app, name="models")
app.add_typer(daemon_commands.app, name="daemon")
app.add_typer(painter_commands.app, name="painter")
app.add_typer(cluster_commands.app, name="cluster")
app.command()(mcp_command.mcp)
app.command()(install_commands.install)
app.command()(install_commands.uninstall)
app.command()(install_commands.doctor)
app.command(add_help_option=False, context_settings=bench_commands.PASSED_ON)(bench_commands.bench)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code (see `exit_codes`)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in given
    settle_home()
    last_resort.prepare_output()
    try:
        try:
            code = int(app(given, prog_name="s2edit", standalone_mode=False) or 0)
        except (KeyboardInterrupt, typer.Abort):
            code = int(fail(Ended(Exit.CANCELLED, "Stopped; nothing was written."), as_json=as_json))
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001 - the last resort: no traceback reaches the user
            code = _failed(error, as_json=as_json)
        last_resort.flush_output()
    except BrokenPipeError:
        # Whoever read our output has left.
        last_resort.drop_output()
        return int(Exit.DONE)
    except OSError as error:
        last_resort.drop_output()
        return int(fail(last_resort.foreseen(error), as_json=False))
    return code


def _failed(error: Exception, *, as_json: bool) -> int:
    # Typer's usage errors have no public base class.
    words = getattr(error, "format_message", None)
    if words is None:
        return int(fail(last_resort.foreseen(error), as_json=as_json))
    return int(fail(Ended(Exit.USAGE, words(), "See: s2edit --help"), as_json=as_json))


if __name__ == "__main__":
    sys.exit(main())
