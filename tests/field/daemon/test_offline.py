"""A settings file that can't be read, or may have said so, keeps the daemon offline: now, after a restart, and said."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from s2edit_server.settings import SettingsFile

from tests.fakes.daemon import RunningDaemon

WHOLE = json.dumps({"offline": True, "threads": 2, "mirror": "", "proxy": "http://proxy.example:3128"})


def text(content: str | bytes) -> Callable[[Path], None]:
    data = content if isinstance(content, bytes) else content.encode()
    return lambda path: (path.write_bytes(data), None)[1]


DAMAGED: dict[str, Callable[[Path], None]] = {
    "empty": text(""),
    "cut": text(WHOLE[:12]),
    "cut at the end": text(WHOLE[:-1]),
    "overwritten": text("\0" * len(WHOLE)),
    "no text": text(b"\xff\xfe" + WHOLE.encode("utf-16-le")),
    "a list": text("[]"),
    "a word": text("true"),
    "nested without end": text("[" * 100_000),
    "huge": text('{"log_level": "' + "x" * 1_000_000 + '"}'),
    "offline as text": text('{"offline": "true"}'),
    "offline as a number": text('{"offline": 1}'),
    "offline as nothing": text('{"offline": null}'),
    "offline misspelt": text('{"offine": true}'),
    "offline in capitals": text('{"Offline": true}'),
    "one bit wrong in the name": text(WHOLE.replace("offline", "nffline")),
    "a proxy that is none": text('{"offline": false, "proxy": "proxy.example"}'),
    "a mirror that is none": text('{"offline": false, "mirror": "htp://models.example"}'),
    "a FIFO": os.mkfifo,
    "a folder": lambda path: path.mkdir(),
    "a device": lambda path: path.symlink_to("/dev/zero"),
}
ONLINE = {
    "none": lambda _: None,
    "a whole one": text('{"threads": 2}'),
    "one that says so": text('{"offline": false, "from_the_future": 1}'),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_damaged_settings_mean_offline(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    DAMAGED[kind](path)
    settings = SettingsFile(path)
    assert settings.now.offline and "offline" in settings.notice
    assert os.path.lexists(tmp_path / "settings.json.bad"), "what was there is kept"
    assert SettingsFile(path).now.offline, "after a restart too"
    settings.configure({"offline": False})
    assert not settings.notice and not SettingsFile(path).now.offline


@pytest.mark.parametrize("kind", ONLINE)
def test_whole_settings_do_not(kind: str, tmp_path: Path) -> None:
    ONLINE[kind](tmp_path / "settings.json")
    settings = SettingsFile(tmp_path / "settings.json")
    assert not settings.now.offline and not settings.notice


def test_what_else_was_right_stays_in_force(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"offline": 1, "threads": 3, "result_days": 2}')
    for _ in range(2):
        now = SettingsFile(path).now
        assert (now.offline, now.threads, now.result_days) == (True, 3, 2)


def test_a_program_is_told(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("d") / "s"
    folder.mkdir(mode=0o700)
    (folder / "settings.json").write_text("{")
    with RunningDaemon(folder) as daemon, daemon.client() as client:
        status = client.request("status").header["status"]
        assert status["offline"] and "damaged" in status["notices"][0]
        client.request("configure", {"settings": {"offline": False}})
        assert client.request("status").header["status"]["notices"] == []
