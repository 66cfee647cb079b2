"""Putting the plug-ins into editors and taking them out again."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path

from s2edit_wire.paths import state_folder

from . import kritarc, windows_task
from .manifest import InstalledEditor, Manifest, digest, drafts, rewrite, write_file
from .surroundings import Surroundings
from .targets import Target, find
from .vendoring import File, plugin_files

KEPT_SUFFIX = ".yours"
"""A file that the user changed is saved under this name before a newer one takes its place."""


@dataclass(frozen=True)
class Outcome:
    """What happened to one editor.

    Args:
        target: its name. folder: where. kept: files of the user's that were left or saved. message: what to do, or "".
        state: `installed`, `upgraded`, `ready`, `removed` or `failed`; in a dry run with `would be` before it.
    """

    target: str
    folder: str
    state: str
    kept: list[str] = field(default_factory=list)
    message: str = ""


def install(around: Surroundings | None = None, state: Path | None = None, *, dry_run: bool = False) -> list[Outcome]:
    """Put the plug-ins into every editor that is found; one outcome per editor.

    Args:
        around, state: this machine and its state folder when None.
        dry_run: change nothing.
    """
    state = state or state_folder()
    manifest = Manifest(state / "installed.json")
    outcomes = []
    for target in find(around or Surroundings.here()):
        try:
            outcome = _install(target, manifest, dry_run=dry_run)
            note = _note(target, state, changed=outcome.state in {"installed", "upgraded"})
            outcomes.append(replace(outcome, message=outcome.message or note))
        except OSError as error:
            words = f"{error.strerror}: {error.filename}. Mend that, then run: s2edit install"
            outcomes.append(Outcome(target.name, str(target.folder), "failed", message=words))
        if not dry_run:
            manifest.save()
    return outcomes


def uninstall(state: Path | None = None, *, dry_run: bool = False) -> list[Outcome]:
    """Take out all that `install` has put anywhere, even where the editor is gone; files the user changed are kept."""
    manifest = Manifest((state or state_folder()) / "installed.json")
    return [uninstall_entry(key, manifest, dry_run=dry_run) for key in list(manifest.entries)]


def uninstall_entry(key: str, manifest: Manifest, *, dry_run: bool = False) -> Outcome:
    """Take out one entry of the manifest; files the user changed are kept."""
    entry = manifest.entries[key]
    kept = [path for path, known in entry.files.items() if _is_changed(Path(path), known)] + _saved_earlier(entry)
    if dry_run:
        return Outcome(key, key, "would be removed", kept)
    try:
        _remove(entry, kept)
    except OSError as error:
        words = f"{error.strerror}: {error.filename}. Mend that, then run: s2edit uninstall"
        return Outcome(key, key, "failed", kept, words)
    del manifest.entries[key]
    manifest.save()
    return Outcome(key, key, "removed", kept)


def _install(target: Target, manifest: Manifest, *, dry_run: bool) -> Outcome:
    key, now = str(target.folder), version("s2edit")
    files = {str(target.folder / path): file for path, file in plugin_files(target.host).items()}
    old = manifest.entries.get(key)
    known = old.files if old else {}
    strangers = [path for path, file in files.items() if path not in known and _is_changed(Path(path), _of(file))]
    if strangers:
        words = "There are files that this installation did not write. Move them away, then run: s2edit install"
        return Outcome(target.name, key, "failed", strangers, words)
    changed = [path for path, sha in known.items() if _is_changed(Path(path), sha) and not _same(Path(path), files)]
    complete = all(_same(Path(path), files) for path in files) and _is_on(target)
    if complete and set(known) == set(files):
        return Outcome(target.name, key, "ready")
    state = "upgraded" if old else "installed"
    if dry_run:
        return Outcome(target.name, key, f"would be {state}", changed)
    kept = [_save(Path(path)) for path in changed]
    entry = old or InstalledEditor(now)
    # Remembered before the first byte is written: what an interrupted run leaves can be taken out, too.
    entry.version, entry.files = now, {**known, **{path: _of(file) for path, file in files.items()}}
    manifest.entries[key] = entry
    entry.make_folders([*map(Path, files), *([target.config] if target.config else [])])
    manifest.save()
    for path, file in files.items():
        write_file(Path(path), file.content, executable=file.executable)
    for path in set(known) - set(files):
        Path(path).unlink(missing_ok=True)
        del entry.files[path]
    _turn_on(target, entry)
    return Outcome(target.name, key, state, kept)


def _note(target: Target, state: Path, *, changed: bool) -> str:
    notes = ["Restart it if it is open."] if changed and target.host == "krita" else []
    if target.packaging == "Snap":
        if target.host == "krita":
            notes.append("Krita's snap may come without Python; if S²Edit does not show, use its AppImage or Flatpak.")
        if any(part.startswith(".") for part in state.parts):
            # snapcraft.io, "The home interface": hidden folders of the home are closed to strict snaps.
            notes.append(
                f"A snap may not look into hidden folders such as {state}, where S²Edit's daemon is. In ~/.profile, "
                "set S2EDIT_HOME to a folder in your home that is not hidden, log in again, and run: s2edit install"
            )
    return " ".join(notes)


def _turn_on(target: Target, entry: InstalledEditor) -> None:
    if target.config is None:
        return
    made = not target.config.exists()
    before = "" if made else _read(target.config)
    after, section_made = kritarc.enable(before)
    if after != before:
        rewrite(target.config, after.encode("utf-8", "surrogateescape"))
        entry.config, entry.config_made = str(target.config), entry.config_made or made
        entry.section_made = entry.section_made or section_made


def _is_on(target: Target) -> bool:
    if target.config is None:
        return True
    return target.config.exists() and kritarc.is_enabled(_read(target.config))


def _remove(entry: InstalledEditor, kept: list[str]) -> None:
    if entry.task:
        windows_task.delete(entry.task)
    for path in entry.files:
        if path not in kept:
            file = Path(path)
            file.unlink(missing_ok=True)
            for compiled in file.parent.glob(f"__pycache__/{file.stem}.*.pyc"):
                # An editor's Python made it from our file.
                compiled.unlink()
    for draft in drafts(entry):
        draft.unlink()
    if entry.config and Path(entry.config).exists():
        config = Path(entry.config)
        text = kritarc.disable(_read(config), section_made=entry.section_made)
        if entry.config_made and not text.strip():
            config.unlink()
        else:
            rewrite(config, text.encode("utf-8", "surrogateescape"))
    for folder in sorted(entry.folders, key=len, reverse=True):
        for empty in (Path(folder) / "__pycache__", Path(folder)):
            # A folder that is not empty holds something that is not ours.
            with contextlib.suppress(OSError):
                empty.rmdir()


def _read(config: Path) -> str:
    """A configuration as it is: line ends stay, and so does what is no UTF-8."""
    return config.read_bytes().decode("utf-8", "surrogateescape")


def _saved_earlier(entry: InstalledEditor) -> list[str]:
    return [str(path) for folder in entry.folders for path in sorted(Path(folder).glob("*" + KEPT_SUFFIX))]


def _save(path: Path) -> str:
    aside = path.with_name(path.name + KEPT_SUFFIX)
    path.replace(aside)
    return str(aside)


def _of(file: File) -> str:
    return digest(file.content)


def _is_changed(path: Path, known: str) -> bool:
    """Whether there is a file with another content."""
    return path.is_file() and digest(path.read_bytes()) != known


def _same(path: Path, files: dict[str, File]) -> bool:
    file = files.get(str(path))
    return file is not None and path.is_file() and path.read_bytes() == file.content
