"""`s2edit install`, `uninstall` and `doctor`: the editors' side, done by `s2edit_installer`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from . import options
from .exit_codes import Exit
from .report import Ended, print_object, say

if TYPE_CHECKING:
    from s2edit_installer.plugins import Outcome

DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]


def install(dry_run: DryRun = False, json_: options.Json = False) -> None:
    """Put the plug-ins into every GIMP 3 and Krita on this machine."""
    from s2edit_installer import launching, plugins, words

    try:
        outcomes = plugins.install(dry_run=dry_run)
        if not dry_run:
            launching.write_launcher()
    except words.Trouble as trouble:
        raise Ended(Exit.INPUT, str(trouble)) from trouble
    if not outcomes and not json_:
        say("No GIMP 3 and no Krita were found. Start yours once, then run this again.")
    _report(outcomes, json_)


def uninstall(dry_run: DryRun = False, json_: options.Json = False) -> None:
    """Take the plug-ins out again; files that you changed are kept and named."""
    from s2edit_installer import plugins, words

    try:
        outcomes = plugins.uninstall(dry_run=dry_run)
    except words.Trouble as trouble:
        raise Ended(Exit.INPUT, str(trouble)) from trouble
    if not outcomes and not json_:
        say("Nothing is installed.")
    _report(outcomes, json_)


def _report(outcomes: list[Outcome], as_json: bool) -> None:
    failed = any(outcome.state == "failed" for outcome in outcomes)
    code = Exit.INPUT if failed else Exit.DONE
    if as_json:
        print_object({"exit_code": int(code), "targets": [asdict(outcome) for outcome in outcomes]})
    else:
        for outcome in outcomes:
            style = "red" if outcome.state == "failed" else "green"
            say(f"{outcome.target}: {outcome.state}. {outcome.message}".rstrip(), style)
            for path in outcome.kept:
                say(f"    yours, kept: {path}", "yellow")
    if failed:
        raise typer.Exit(int(code))


def doctor(
    fix: Annotated[bool, typer.Option("--fix", help="Mend what can be mended safely.")] = False,
    editors: Annotated[bool, typer.Option("--editors/--no-editors", help="Start the editors that are found.")] = True,
    json_: options.Json = False,
) -> None:
    """Examine the installation; says per line what is wrong and how to mend it."""
    from s2edit_installer.doctor import examine

    findings = examine(fix=fix, editors=editors)
    sound = all(finding.state != "wrong" for finding in findings)
    code = Exit.DONE if sound else Exit.INTERNAL
    if json_:
        print_object({"exit_code": int(code), "sound": sound, "findings": [finding.as_dict() for finding in findings]})
    else:
        for finding in findings:
            style = {"ok": "green", "warning": "yellow", "wrong": "red"}[finding.state]
            say(f"{finding.what}: {finding.message}", style)
            if finding.hint:
                say(f"    {finding.hint}")
    if not sound:
        raise typer.Exit(int(code))
