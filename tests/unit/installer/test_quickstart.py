"""The quickstart on a bare Python: it parses on old ones, and says in words what is missing."""

from __future__ import annotations

import argparse
import ast
import subprocess
import sys
from pathlib import Path

import pytest
from s2edit_installer import environment, pip_run, torch_choice
from s2edit_installer.environment import Environment
from s2edit_installer.words import Trouble

ROOT = Path(__file__).parents[3]
INSTALLER = ROOT / "installer"
OPTIONS = argparse.Namespace(torch=None, torch_index=None, constraints=None)
BARE = """
import sys, importlib.abc
sys.path[:0] = [{installer!r}]
class Only(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        first = name.partition(".")[0]
        if first not in sys.stdlib_module_names and first != "s2edit_installer":
            raise ImportError("not in the standard library: " + name)
sys.meta_path.insert(0, Only())
import s2edit_installer.environment, s2edit_installer.test_machine
"""


def test_it_parses_on_old_pythons_and_tells_them() -> None:
    text = (INSTALLER / "quickstart.py").read_text(encoding="utf-8")
    tree = ast.parse(text, feature_version=(3, 6))
    check = next(node for node in tree.body if isinstance(node, ast.If))
    first_import = next(node for node in tree.body if isinstance(node, ast.ImportFrom))
    assert check.lineno < first_import.lineno
    old = text.replace("sys.version_info < (3, 11)", "sys.version_info < (99, 0)")
    ran = subprocess.run([sys.executable, "-c", old], capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert "needs Python 3.11 or newer" in ran.stderr


def test_what_runs_before_the_environment_needs_only_the_standard_library() -> None:
    code = BARE.format(installer=str(INSTALLER))
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True)


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("NewConnectionError: Failed to establish a new connection: [Errno -2]", "HTTPS_PROXY"),
        ("ERROR: No matching distribution found for torch==2.13.0", "--constraints"),
        ("ssl.SSLCertVerificationError: CERTIFICATE_VERIFY_FAILED", "PIP_CERT"),
        ("something else went wrong", "something else went wrong"),
    ],
)
def test_pip_s_errors_in_words(output: str, words: str) -> None:
    assert words in pip_run.explain(output)


def test_without_venv_or_space_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = checkout(tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda _: argparse.Namespace(free=2**20))
    with pytest.raises(Trouble, match="needs about 3 GiB"):
        made.make(("starter",), OPTIONS)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(Trouble, match="apt install python3"):
        made.make(("starter",), OPTIONS)
    assert not made.folder.exists()


def test_a_second_run_installs_nothing_and_a_change_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, asked = checkout(tmp_path), []
    monkeypatch.setattr(environment, "pip", lambda _python, arguments, *_, **__: asked.append(arguments))
    monkeypatch.setattr(Environment, "_create", lambda self: self.folder.mkdir(exist_ok=True))
    monkeypatch.setattr(Environment, "_works", lambda self: True)
    monkeypatch.setattr(Environment, "_without_needless_gigabytes", lambda self, choice, _: choice)
    monkeypatch.setattr(torch_choice, "nvidia_card", lambda: None)
    monkeypatch.setattr(torch_choice, "has_rocm", lambda: False)
    monkeypatch.setattr("shutil.disk_usage", lambda _: argparse.Namespace(free=2**40))
    made.make(("starter", "tray"), OPTIONS)
    assert ["torch==2.13.0"] in asked
    assert asked[-1] == ["--editable", f"{tmp_path}[starter,tray]"]
    count = len(asked)
    made.make(("starter",), OPTIONS)
    assert len(asked) == count
    made.make(("dev",), OPTIONS)
    assert asked[-1] == ["--editable", f"{tmp_path}[dev,starter,tray]"]
    (tmp_path / "installer" / "constraints.txt").write_text("torch==2.14.0\n")
    made.make(("starter",), OPTIONS)
    assert ["torch==2.14.0"] in asked


def checkout(folder: Path) -> Environment:
    (folder / "installer").mkdir()
    (folder / "installer" / "constraints.txt").write_text("torch==2.13.0\n")
    (folder / "pyproject.toml").write_text("")
    return Environment(folder)


@pytest.mark.parametrize(
    ("system", "answers", "rocm", "kind", "index"),
    [
        ("Linux", None, False, "cpu", ""),
        ("Linux", ["NVIDIA H100 80GB HBM3, 9.0, 580.65.06"], False, "cuda", ""),
        ("Windows", ["NVIDIA GeForce RTX 4090, 8.9, 581.15"], False, "cuda", "cu130"),
        ("Linux", ["NVIDIA H100 80GB HBM3, 9.0, 550.54.15"], False, "cuda", "cu126"),
        ("Windows", ["NVIDIA GeForce GTX 1080 Ti, 6.1, 581.15"], False, "cuda", "cu126"),
        ("Linux", ["GTX 1080, 6.1, 590.1", "RTX 5090, 12.0, 590.1"], False, "cuda", ""),
        ("Linux", ["NVIDIA Odd, [N/A], 590.1"], False, "cuda", "cu126"),
        ("Linux", [], True, "rocm", "rocm7.2"),
        ("Linux", [], False, "cpu", ""),
    ],
)
def test_torch_for_the_machine(
    system: str, answers: list[str] | None, rocm: bool, kind: str, index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("shutil.which", lambda _: "nvidia-smi" if answers is not None else None)
    monkeypatch.setattr(torch_choice, "_ask", lambda _tool, fields: answers if "," in fields else [])
    monkeypatch.setattr(torch_choice, "has_rocm", lambda: rocm)
    choice = torch_choice.choose("torch==2.13.0")
    assert (choice.kind, choice.index) == (kind, torch_choice.INDEX + index if index else "")
    assert torch_choice.choose("torch==2.13.0", "torch==2.12.0").requirement == "torch==2.12.0"


def test_nvidia_smi_of_old_drivers_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text('#!/bin/sh\ncase "$1" in *compute_cap*) echo "not a valid field"; exit 2;; esac\necho Quadro\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    card = torch_choice.nvidia_card()
    assert card == torch_choice.Card("Quadro", 0.0, 0)
    assert not card.runs_cuda_13
    tool.write_text("#!/bin/sh\necho driver not loaded\nexit 9\n")
    assert torch_choice.nvidia_card() is None


def test_a_cpu_machine_avoids_an_index_with_only_cuda(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = checkout(tmp_path)
    choice = torch_choice.TorchBuild("cpu", "torch==2.13.0", "", "")
    report = '{"install": [{"metadata": {"name": "torch"}}, {"metadata": {"name": "%s"}}]}'
    answers = {"nvidia-cublas": torch_choice.INDEX + torch_choice.BUILDS["cpu"], "sympy": ""}
    for name, index in answers.items():
        done = subprocess.CompletedProcess([], 0, f"a warning\n{report % name}", "")
        monkeypatch.setattr(environment, "_run", lambda _, done=done: done)
        assert made._without_needless_gigabytes(choice, tmp_path / "installer" / "constraints.txt").index == index
