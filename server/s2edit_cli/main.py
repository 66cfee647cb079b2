"""The `s2edit` command: its commands put together, and every error turned into a line and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

import typer
from s2edit_wire.errors import Unreachable, WireError

from . import bench_commands, daemon_commands, edit_commands, install_commands, job_commands, model_commands
from .exit_codes import MEANING, Exit
from .report import Ended, fail, print_object, tell

_CODES = "  \n".join(f"{int(code)}  {meaning}" for code, meaning in MEANING.items())

app = typer.Typer(
    help="Precise text-guided editing of pictures: change one thing, keep every other pixel.",
    epilog=f"Exit codes:\n\n{_CODES}",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(edit_commands.edit)
app.command()(edit_commands.compose)
app.add_typer(job_commands.app, name="jobs")
app.add_typer(model_commands.app, name="models")
app.add_typer(daemon_commands.app, name="daemon")
app.command()(install_commands.install)
app.command()(install_commands.uninstall)
app.command()(install_commands.doctor)
app.command(add_help_option=False, context_settings=bench_commands.PASSED_ON)(bench_commands.bench)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code (see `exit_codes`)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in given
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")  # a file's name that is no text goes out as it came in
    try:
        return int(app(given, prog_name="s2edit", standalone_mode=False) or 0)
    except (WireError, Unreachable, Ended) as error:
        return int(fail(error, as_json=as_json))
    except (KeyboardInterrupt, typer.Abort):
        return int(fail(Ended(Exit.CANCELLED, "Stopped; nothing was written."), as_json=as_json))
    except BrokenPipeError:
        # Whoever read our output has left; the interpreter must not complain about it when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(Exit.DONE)
    except Exception as error:
        # Typer's usage errors have no public base class.
        words = getattr(error, "format_message", None)
        if words is None:
            raise
        if as_json:
            wrong = {"code": "usage", "message": words(), "hint": "See: s2edit --help"}
            print_object({"exit_code": int(Exit.USAGE), "error": wrong})
        else:
            tell(words(), "red")
            tell("See: s2edit --help")
        return int(Exit.USAGE)


if __name__ == "__main__":
    sys.exit(main())
