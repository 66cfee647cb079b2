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


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("threads", 10**30, "“threads” must be a whole number from 0 to 1,024."),
        ("stall_s", 1e300, "“stall_s” must be a number from 2 to 86,400."),
        ("offline", "yes", "“offline” must be true or false."),
        ("model_gimp", "x" * 101, "“model_gimp” must be a text of at most 100 characters."),
        ("proxy", "javascript:", "“proxy” must be an address that begins with http:// or https://, or empty."),
        ("log_level", "loud", "“log_level” must be debug, info or warning."),
        ("device", "tpu", "“device” must be auto, cpu, mps or cuda, or a card by its number, such as cuda:1."),
        ("device", "cuda:", "“device” must be auto, cpu, mps or cuda, or a card by its number, such as cuda:1."),
        ("precision", "float8", "“precision” must be auto, float32, tf32, bfloat16 or float16."),
        ("precision", "float32\n", "“precision” must be auto, float32, tf32, bfloat16 or float16."),
    ],
)
def test_a_wrong_value_is_told_by_name_and_with_what_is_possible(
    tmp_path: Path, name: str, value: object, words: str
) -> None:
    with pytest.raises(WireError) as caught:
        SettingsFile(tmp_path / "settings.json").configure({"idle_unload_s": 30, name: value})
    assert caught.value.message == words


def test_a_file_of_another_version_keeps_what_is_known_in_force(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    text = '{"offline": true, "threads": -5, "from_the_future": [1], "result_days": 3}'
    path.write_text(text)
    now = SettingsFile(path).now
    assert (now.offline, now.threads, now.result_days) == (True, 0, 3)
    assert (tmp_path / "settings.json.bad").read_text() == text


def test_a_broken_file_is_put_aside_and_defaults_are_used(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"threads": "broken"')
    assert SettingsFile(path).now.threads == 0
    assert (tmp_path / "settings.json.bad").exists()
