"""`s2edit install`, `uninstall` and `doctor`: the editors' side, done by `s2edit_installer`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from s2edit_marks import credential
from s2edit_wire.errors import WireError

from . import options
from .exit_codes import Exit
from .report import Ended, print_object, say, tell

if TYPE_CHECKING:
    from s2edit_installer.findings import Finding
    from s2edit_installer.plugins import Outcome

DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]


MARKS = {"ok": ("ok", "green"), "warning": ("note", "yellow"), "wrong": ("WRONG", "red")}
"""How a finding is marked, so that it shows without colours, too."""


SHOWN = 3
"""Files in the way that are named; more are counted."""


def install(dry_run: DryRun = False, json_: options.Json = False) -> None:
    """Put the plug-ins into every GIMP 3 and Krita on this machine."""
    from s2edit_installer import launching, plugins, remedies, targets, words
    from s2edit_installer.surroundings import Surroundings

    try:
        outcomes = plugins.install(dry_run=dry_run)
        if not dry_run:
            launching.write_launcher()
            _make_credential()
    except words.Trouble as trouble:
        raise Ended(Exit.INPUT, str(trouble)) from trouble
    if not json_ and (waits := targets.gimp_not_ready(Surroundings.here())):
        say(remedies.typed(waits), "yellow")
    elif not outcomes and not json_:
        say("No GIMP 3 and no Krita were found. Start yours once, then run this again.")
    _report(outcomes, json_)
    if outcomes and not dry_run and not json_:
        say("In the editor, right-click a layer and choose “S²Edit…”.")


def _make_credential() -> None:
    """Pictures are signed from the first on: with what the user has, else with what is made here and now."""
    try:
        credential.identity()
    except WireError as error:
        tell(f"{error.message} {error.hint}", "yellow")


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
    from s2edit_installer.remedies import typed

    failed = any(outcome.state == "failed" for outcome in outcomes)
    code = Exit.INPUT if failed else Exit.DONE
    if as_json:
        print_object({"exit_code": int(code), "targets": [asdict(outcome) for outcome in outcomes]})
    else:
        for outcome in outcomes:
            style = "red" if outcome.state == "failed" else "green"
            say(f"{outcome.target}: {outcome.state}.", style)
            if outcome.folder != outcome.target:
                say(f"    in {outcome.folder}")
            if outcome.message:
                say(f"    {typed(outcome.message)}")
            # All that is kept is named, of what stands in the way enough to find it.
            named = outcome.kept[:SHOWN] if outcome.state == "failed" else outcome.kept
            for path in named:
                say(f"    {'there' if outcome.state == 'failed' else 'yours, kept'}: {path}", "yellow")
            if len(outcome.kept) > len(named):
                say(f"    and {len(outcome.kept) - len(named)} more", "yellow")
    if failed:
        raise typer.Exit(int(code))


def doctor(
    fix: Annotated[bool, typer.Option("--fix", help="Repair what can be repaired safely.")] = False,
    editors: Annotated[bool, typer.Option("--editors/--no-editors", help="Start the editors that are found.")] = True,
    json_: options.Json = False,
) -> None:
    """Examine the installation: what is wrong, and how to repair it."""
    from s2edit_installer.doctor import examine

    findings = []
    for finding in examine(fix=fix, editors=editors, announce=tell):
        findings.append(finding)
        if not json_:
            mark, style = MARKS[finding.state]
            say(f"{mark:<6}{finding.what}: {finding.message}", style)
            if finding.hint:
                say(f"      {finding.hint}")
    wrong = [finding for finding in findings if finding.state == "wrong"]
    code = Exit.INTERNAL if wrong else Exit.DONE
    if json_:
        found = [finding.as_dict() for finding in findings]
        print_object({"exit_code": int(code), "sound": not wrong, "findings": found})
    else:
        say(_summary(wrong))
    if wrong:
        raise typer.Exit(int(code))


def _summary(wrong: list[Finding]) -> str:
    from s2edit_installer.remedies import typed

    if not wrong:
        return "S²Edit is in order."
    count = "One thing is wrong" if len(wrong) == 1 else f"{len(wrong)} things are wrong"
    mended = sum(finding.mend is not None for finding in wrong)
    if not mended:
        return f"{count}; what to do stands below each."
    part = "it" if mended == len(wrong) == 1 else "all of them" if mended == len(wrong) else f"{mended} of them"
    return typed(f"{count}. This repairs {part}: s2edit doctor --fix")
