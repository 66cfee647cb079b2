"""The real GIMP and Krita: found, given the plug-ins, tried by the doctor, upgraded with a job waiting, left clean."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from s2edit_installer import host_trials, plugins, vendoring

from tests.fakes.daemon import fake, finished, submit
from tests.hosts.lab import Lab

EDITORS = ("GIMP 3.0 (package or AppImage)", "Krita (package or AppImage)")


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """A desk whose editors are on the path, as a package would put them there."""
    with Lab("install") as desk:
        programs = desk.folder / "bin"
        programs.mkdir()
        for name in ("gimp-3.0", "gimp-console-3.0", "krita", "kritarunner"):
            (programs / name).write_text(f'#!/bin/sh\nexec {shlex.join(desk.inside(f"/usr/bin/{name}"))} "$@"\n')
            (programs / name).chmod(0o755)
        for name, value in desk.env.items():
            monkeypatch.setenv(name, f"{programs}:{value}" if name == "PATH" else value)
        # A caller whose own windows go elsewhere, such as the tray's tests in the same process.
        monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
        yield desk


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.hosts
def test_install_try_upgrade_uninstall(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.start_daemon()
    older = {host: vendoring.plugin_files(host) for host in ("gimp", "krita")}
    for path, host in (("s2edit/s2edit_wire/__init__.py", "gimp"), ("pykrita/s2edit_krita/__init__.py", "krita")):
        older[host][path] = vendoring.File(older[host][path].content + b"\n# an earlier version\n")
    with monkeypatch.context() as earlier:
        earlier.setattr(plugins, "plugin_files", lambda host: older[host])
        assert [(one.target, one.state) for one in plugins.install()] == [(name, "installed") for name in EDITORS]

    with_client(lab, submit_slow=True)
    assert [outcome.state for outcome in plugins.install()] == ["upgraded", "upgraded"]
    tried = list(host_trials.try_editors())
    assert [(finding.what, finding.state) for finding in tried] == [(f"start {name}", "ok") for name in EDITORS], tried
    with_client(lab, submit_slow=False)

    plugins.uninstall()
    left = {name for name in files(lab.home) if "s2edit" in name.lower()}
    assert not left
    kritarc = lab.home / ".config" / "kritarc"
    assert not kritarc.exists() or "s2edit" not in kritarc.read_text()


def with_client(lab: Lab, *, submit_slow: bool) -> None:
    """Hand a slow job in, or see that it ended well."""
    from s2edit_wire.client import Client

    with Client("cli", "test", lab.state) as client:
        if submit_slow:
            submit(client, edit=fake(steps=50, step_ms=20))
        else:
            (job,) = client.request("list").header["jobs"]
            assert finished(client, job["job"])["state"] == "done"
