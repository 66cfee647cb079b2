"""The folder as the plug-ins carry it: under another name, with nothing but the standard library in sight."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import s2edit_editor
import s2edit_marks
import s2edit_wire
from s2edit_installer.vendoring import BESIDE, write_plugin
from s2edit_wire import document, limits, schema
from s2edit_wire.paths import state_folder

FOLDER = Path(s2edit_wire.__file__).parent
MODULES = sorted(path.stem for path in FOLDER.glob("*.py"))
EDITOR = Path(s2edit_editor.__file__).parent
EDITOR_MODULES = sorted(path.stem for path in EDITOR.glob("*.py"))
GUARD = """
import importlib, sys
class Guard:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top != "plugin" and top not in sys.stdlib_module_names:
            raise ImportError(f"{name} is not in the standard library")
sys.meta_path.insert(0, Guard())
sys.path.insert(0, sys.argv[1])
for name in sys.argv[2:]:
    importlib.import_module(f"plugin.wire.{name}" if name != "__init__" else "plugin.wire")
assert not any("site-packages" in (getattr(module, "__file__", None) or "") for module in sys.modules.values())
"""


def test_imports_nothing_but_the_standard_library(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "plugin" / "wire", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "plugin" / "__init__.py").touch()
    # -B: the copy stays clean, -I and -S: no user site, no site-packages, as in an editor's own Python.
    command = [sys.executable, "-B", "-I", "-S", "-W", "error", "-c", GUARD, str(tmp_path), *MODULES]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("host", ["gimp", "krita"])
def test_an_installed_plug_in_has_all_that_the_editors_mind_imports(host: str, tmp_path: Path) -> None:
    write_plugin(host, tmp_path)
    script = "import importlib, sys\nsys.path.insert(0, sys.argv[1])\n"
    script += "for name in sys.argv[2:]:\n    importlib.import_module(name)\n"
    names = ["s2edit_editor" if name == "__init__" else f"s2edit_editor.{name}" for name in EDITOR_MODULES]
    names += [f"s2edit_marks.{name[:-3]}" for name in s2edit_marks.VENDORED if name != "__init__.py"]
    command = [sys.executable, "-B", "-I", "-S", "-W", "error", "-c", script, str(tmp_path / BESIDE[host]), *names]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("name", MODULES)
def test_own_modules_are_imported_relatively(name: str) -> None:
    for node in ast.walk(ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        for imported in names:
            assert imported.partition(".")[0] in sys.stdlib_module_names, f"{name} imports {imported}"


def test_protocol_document_is_up_to_date() -> None:
    assert document.main(["--check"]) == 0


def test_protocol_document_names_everything() -> None:
    text = document.render()
    for limit in (path for path in vars(limits) if path.startswith(("MAX_", "H")) and path != "MAGIC"):
        assert f"`{limit}`" in text, f"{limit} is missing from the table of limits"
    for op in schema.MESSAGES:
        assert f"### `{op}`" in text


def test_state_folder_ignores_what_sandboxes_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("S2EDIT_HOME", raising=False)
    monkeypatch.delenv("SNAP_REAL_HOME", raising=False)
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("XDG_STATE_HOME", "/home/me/.var/app/org.gimp.GIMP/.local/state")
    assert state_folder() == Path("/home/me/.local/state/s2edit")
    monkeypatch.setenv("HOME", "/home/me/snap/krita/1")
    monkeypatch.setenv("SNAP_REAL_HOME", "/home/me")
    assert state_folder() == Path("/home/me/.local/state/s2edit")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert state_folder() == Path("/home/me/Library/Application Support/s2edit")
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", "/users/me/AppData/Local")
    assert state_folder() == Path("/users/me/AppData/Local/s2edit")
    monkeypatch.setenv("S2EDIT_HOME", "/elsewhere")
    assert state_folder() == Path("/elsewhere")
