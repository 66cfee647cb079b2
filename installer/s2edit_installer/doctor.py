"""Examining an installation: environment, GPU, disk, daemon, weights, plug-ins, editors; one finding per line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from s2edit_wire.errors import Unreachable, WireError
from s2edit_wire.paths import state_folder

from . import daemon_checks, machine_checks, plugins, remedies
from .findings import Finding, ok, warning, wrong
from .host_trials import try_editors
from .launching import MENU
from .login import LOGIN
from .manifest import Manifest, drafts
from .surroundings import Surroundings
from .targets import find, gimp_not_ready
from .words import Trouble


def examine(
    *, fix: bool = False, editors: bool = True, announce: Callable[[str], None] | None = None
) -> Iterator[Finding]:
    """Examine everything, one finding after the other; with `fix`, mend what can be mended safely and say so.

    Args:
        editors: whether to start the editors that are found, which takes up to a minute each.
        announce: is told what is about to take long.
    """
    visit = daemon_checks.Visit()
    checks: list[Callable[[], Iterator[Finding]]] = [machine_checks.environment, machine_checks.gpu]
    checks += [machine_checks.disk, daemon_checks.launcher_file, daemon_checks.run_files]
    checks += [visit.daemon, plugins_in_place, _leftovers]
    if editors:
        checks.append(lambda: try_editors(announce or (lambda _: None)))
    try:
        for check in checks:
            for finding in check():
                told = _mended(finding) if fix and finding.mend else finding
                yield replace(told, message=remedies.typed(told.message), hint=remedies.typed(told.hint))
    finally:
        visit.end()


def _mended(finding: Finding) -> Finding:
    assert finding.mend is not None
    try:
        return ok(finding.what, finding.mend())
    except (OSError, Unreachable, WireError, Trouble) as error:
        return wrong(finding.what, f"{finding.message} Mending failed: {error}", finding.hint)


def plugins_in_place(around: Surroundings | None = None, state: Path | None = None) -> Iterator[Finding]:
    """Whether each editor has the plug-in, whole and of this version.

    Args:
        around, state: this machine and its state folder when None.
    """
    try:
        outcomes = plugins.install(around, state, dry_run=True)
    except Trouble as trouble:
        yield wrong("plug-ins", str(trouble), "Then run: s2edit install")
        return
    if waits := gimp_not_ready(around or Surroundings.here()):
        yield warning("plug-ins", waits)
    elif not outcomes:
        hint = "Start yours once, then run: s2edit install"
        yield warning("plug-ins", "No GIMP 3 and no Krita were found.", hint)

    def mend() -> str:
        return "; ".join(f"{done.target}: {done.state}" for done in plugins.install(around, state)) + "."

    for outcome in outcomes:
        if outcome.state == "ready":
            made = warning if outcome.message else ok
            yield made("plug-ins", f"{outcome.target}: in place. {outcome.message}".rstrip())
        elif outcome.state == "failed":
            more = f" and {len(outcome.kept) - 1} more" if len(outcome.kept) > 1 else ""
            where = f"Such as {outcome.kept[0]}{more}." if outcome.kept else ""
            yield wrong("plug-ins", f"{outcome.target}: {outcome.message}", where)
        else:
            new = "not in place" if "installed" in outcome.state else "of another version, or changed"
            yield wrong("plug-ins", f"{outcome.target}: the plug-in is {new}.", "Run: s2edit install", mend)


def _leftovers() -> Iterator[Finding]:
    """Files of ours that nothing needs: of editors that are gone, and drafts that a killed installation left."""
    manifest_file = state_folder() / "installed.json"
    try:
        entries = Manifest(manifest_file).entries
    except Trouble:
        return  # told with the plug-ins
    here = {str(target.folder) for target in find(Surroundings.here())} | {MENU, LOGIN}
    for key, entry in entries.items():
        if key not in here:

            def forget(key: str = key) -> str:
                done = plugins.uninstall_entry(key, Manifest(manifest_file))
                return f"{key}: {done.state}. {done.message}".strip()

            yield _needless(f"The plug-in in {key} is of an editor that is no longer here.", forget)
        elif left := drafts(entry):

            def delete(left: list[Path] = left) -> str:
                for draft in left:
                    draft.unlink(missing_ok=True)
                return f"Deleted {len(left)} unfinished files."

            yield _needless(f"An installation that was cut off left unfinished files in {left[0].parent}.", delete)


def _needless(words: str, mend: Callable[[], str]) -> Finding:
    return Finding("stale files", "warning", words, "Run: s2edit doctor --fix", mend)
