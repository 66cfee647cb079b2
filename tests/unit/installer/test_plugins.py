"""Install, upgrade and uninstall in homes as each packaging makes them: exactly the expected trees."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from s2edit_installer import kritarc, plugins, targets, vendoring
from s2edit_installer.surroundings import Surroundings
from s2edit_installer.words import Trouble

from tests.unit.installer import table
from tests.unit.installer.homes import HOMES, Home, tree

PLUGINS = {host: vendoring.plugin_files(host) for host in ("gimp", "krita")}
"""Read once: the sources may be edited while the tests run."""


@pytest.fixture(autouse=True)
def read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "plugin_files", lambda host: dict(PLUGINS[host]))


@pytest.fixture(params=HOMES, name="home")
def make_home(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Home, Surroundings]:
    home = HOMES[request.param]
    return home, home.make(tmp_path)


def test_install_and_uninstall_leave_exactly_the_expected_trees(
    home: tuple[Home, Surroundings], tmp_path: Path
) -> None:
    made, around = home
    state = tmp_path / "state"
    before = tree(around.home)
    assert {target.name: target.folder for target in targets.find(around)} == {
        name: around.home / folder for name, folder in made.expected.items()
    }

    rehearsed = plugins.install(around, state, dry_run=True)
    assert [outcome.state for outcome in rehearsed] == ["would be installed"] * len(made.expected)
    assert tree(around.home) == before
    assert not state.exists()

    assert [outcome.state for outcome in plugins.install(around, state)] == ["installed"] * len(made.expected)
    after = tree(around.home)
    for folder in made.expected.values():
        host = "krita" if "krita" in folder.lower() else "gimp"
        for path, file in PLUGINS[host].items():
            expected = (hashlib.sha256(file.content).hexdigest(), file.executable)
            assert after.pop(f"{folder}/{path}") == expected
    if made.config:
        assert kritarc.is_enabled((around.home / made.config).read_text())
        after.pop(made.config)
    rest = {path for path in after if after[path][0] != "folder" and before.get(path) != after[path]}
    assert not rest, "files that nobody asked for"

    assert [outcome.state for outcome in plugins.install(around, state)] == ["ready"] * len(made.expected)
    plugins.uninstall(state)
    assert tree(around.home) == before
    assert not list(state.glob("*"))


def test_upgrade_replaces_removes_and_saves(
    home: tuple[Home, Surroundings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, around = home
    state = tmp_path / "state"
    mine = {"gimp": "s2edit/s2edit.py", "krita": "pykrita/s2edit_krita/__init__.py"}

    def older(host: str) -> dict[str, vendoring.File]:
        files = dict(PLUGINS[host])
        files[mine[host]] = replace(files[mine[host]], content=b"# older")
        return {**files, mine[host].rsplit("/", 1)[0] + "/gone.py": vendoring.File(b"# dropped since")}

    monkeypatch.setattr(plugins, "plugin_files", older)
    before = tree(around.home)
    plugins.install(around, state)
    changed = []
    for folder in made.expected.values():
        host = "krita" if "krita" in folder.lower() else "gimp"
        changed.append(around.home / folder / mine[host])
        changed[-1].write_text("# mine")
    monkeypatch.setattr(plugins, "plugin_files", lambda host: dict(PLUGINS[host]))

    outcomes = plugins.install(around, state)
    assert [outcome.state for outcome in outcomes] == ["upgraded"] * len(made.expected)
    for path, outcome in zip(changed, outcomes, strict=True):
        saved = path.with_name(path.name + ".yours")
        assert outcome.kept == [str(saved)]
        assert saved.read_text() == "# mine"
        assert path.read_text() not in ("# mine", "# older")
        assert not (path.parent / "gone.py").exists()

    outcomes = plugins.uninstall(state)
    left = {path for path in tree(around.home) if path not in before and (around.home / path).is_file()}
    assert left == {str(Path(kept).relative_to(around.home)) for outcome in outcomes for kept in outcome.kept}
    assert len(left) == len(made.expected)


def test_what_others_wrote_is_never_touched(tmp_path: Path) -> None:
    around, state = HOMES["GIMP 3.0 package"].around(tmp_path), tmp_path / "state"
    stranger = around.home / ".config/GIMP/3.0/plug-ins/s2edit/s2edit.py"
    stranger.parent.mkdir(parents=True)
    stranger.write_text("# somebody else's")
    (outcome,) = plugins.install(around, state)
    assert outcome.state == "failed"
    assert outcome.kept == [str(stranger)]
    assert stranger.read_text() == "# somebody else's"
    assert list(stranger.parent.iterdir()) == [stranger]


def test_compiled_files_go_and_added_files_stay(tmp_path: Path) -> None:
    around, state = HOMES["GIMP 3.0 package"].around(tmp_path), tmp_path / "state"
    (around.home / ".config/GIMP/3.0").mkdir(parents=True)
    plugins.install(around, state)
    folder = around.home / ".config/GIMP/3.0/plug-ins/s2edit"
    (folder / "s2edit_wire/__pycache__").mkdir()
    (folder / "s2edit_wire/__pycache__/client.cpython-313.pyc").write_bytes(b"")
    (folder / "notes.txt").write_text("mine")
    plugins.uninstall(state)
    assert [path.name for path in folder.rglob("*")] == ["notes.txt"]


def test_an_interrupted_installation_is_taken_out_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    around, state = HOMES["GIMP 3.0 package"].around(tmp_path), tmp_path / "state"
    (around.home / ".config/GIMP/3.0").mkdir(parents=True)
    before = tree(around.home)
    written: list[Path] = []

    def stop_soon(path: Path, content: bytes, *, executable: bool) -> None:
        if len(written) > 3:
            raise KeyboardInterrupt
        written.append(path)
        path.write_bytes(content)

    monkeypatch.setattr(plugins, "write_file", stop_soon)
    with pytest.raises(KeyboardInterrupt):
        plugins.install(around, state)
    assert tree(around.home) != before
    monkeypatch.undo()
    plugins.uninstall(state)
    assert tree(around.home) == before


def test_a_folder_that_cannot_be_written_is_one_failed_target(tmp_path: Path) -> None:
    around, state = HOMES["GIMP 3.0 package"].around(tmp_path), tmp_path / "state"
    (around.home / ".config/GIMP/3.0").mkdir(parents=True)
    (around.home / ".config/GIMP/3.0/plug-ins").write_text("a file where a folder should be")
    (outcome,) = plugins.install(around, state)
    assert outcome.state == "failed"
    assert "s2edit install" in outcome.message


def test_a_damaged_manifest_is_named(tmp_path: Path) -> None:
    (tmp_path / "installed.json").write_text("{")
    with pytest.raises(Trouble, match="is damaged"):
        plugins.uninstall(tmp_path)


@pytest.mark.parametrize("package", vendoring.SHARED, ids=lambda package: str(package.__name__))
@pytest.mark.parametrize("host", ["gimp", "krita"])
def test_shared_packages_are_vendored_to_the_byte(host: str, package: ModuleType) -> None:
    source, folder = Path(str(package.__file__)).parent, f"{vendoring.BESIDE[host]}/{package.__name__}/"
    vendored = {path.removeprefix(folder): file for path, file in PLUGINS[host].items() if path.startswith(folder)}
    unused = {"document.py", "programs.py"}
    wanted = set(getattr(package, "VENDORED", ())) or {path.name for path in source.glob("*.py")} - unused
    assert {name for name in vendored if name.endswith(".py")} == wanted
    for name, file in vendored.items():
        assert file.content == (source / name).read_bytes()


def test_a_flatpak_s_link_to_the_ordinary_folder_is_one_editor(tmp_path: Path) -> None:
    around = HOMES["GIMP 3.0 package"].make(tmp_path)
    link = around.home / ".var/app/org.gimp.GIMP/config/GIMP"
    link.parent.mkdir(parents=True)
    link.symlink_to(around.home / ".config/GIMP")
    assert [target.folder for target in targets.find(around)] == [around.home / ".config/GIMP/3.0/plug-ins"]


@pytest.mark.parametrize("name", ["GIMP Snap", "Krita Snap"])
def test_a_snap_is_told_what_its_sandbox_hides(name: str, tmp_path: Path) -> None:
    around = HOMES[name].make(tmp_path)
    for state, hidden in ((around.home / ".local/state/s2edit", True), (around.home / "s2edit", False)):
        (outcome,) = plugins.install(around, state, dry_run=True)
        assert ("set S2EDIT_HOME" in outcome.message) == hidden


def test_the_table_of_packagings_is_what_happens() -> None:
    """`python -m tests.unit.installer.table > installer/PACKAGINGS.md` writes it anew."""
    assert (Path(__file__).parents[3] / "installer" / "PACKAGINGS.md").read_text(encoding="utf-8") == table.document()
