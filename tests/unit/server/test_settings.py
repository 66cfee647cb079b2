"""Settings: all or none, checked, on disk before they count, and never in the way of a start."""

from pathlib import Path

import pytest
from s2edit_server.settings import SettingsFile
from s2edit_wire.errors import WireError


def test_changes_survive_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    SettingsFile(path).configure({"idle_unload_s": 30, "mirror": "https://mirror.example"})
    assert SettingsFile(path).now.idle_unload_s == 30
    assert SettingsFile(path).as_map()["mirror"] == "https://mirror.example"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("nobody", 1),
        ("threads", -1),
        ("threads", "many"),
        ("offline", 1),
        ("mirror", "file:///etc/passwd"),
        ("log_level", "loud"),
        ("result_quota", 2**60),
    ],
)
def test_one_bad_value_changes_nothing(tmp_path: Path, name: str, value: object) -> None:
    settings = SettingsFile(tmp_path / "settings.json")
    with pytest.raises(WireError) as caught:
        settings.configure({"idle_unload_s": 30, name: value})
    assert caught.value.code == "bad_setting"
    assert settings.now.idle_unload_s == 600
    assert not (tmp_path / "settings.json").exists()


def test_the_command_line_wins_for_this_run_and_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    settings = SettingsFile(path, offline=True, log_level=None)
    assert settings.now.offline and settings.now.log_level == "info"
    settings.configure({"threads": 2})
    assert settings.now.offline
    assert not SettingsFile(path).now.offline
    settings.configure({"offline": False})
    assert not settings.now.offline


def test_a_broken_file_is_put_aside_and_defaults_are_used(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"threads": "broken"')
    assert SettingsFile(path).now.threads == 0
    assert (tmp_path / "settings.json.bad").exists()
