"""Settings say once what they are; knobs.json and whoever reads it say the same."""

from __future__ import annotations

import pytest
from s2edit_cli import options
from s2edit_cli.main import main
from s2edit_wire import knobs
from s2edit_wire.errors import WireError
from s2edit_wire.records import EDIT

from s2edit.errors import SettingError
from s2edit.settings import Settings, printed


def test_the_printed_file_is_up_to_date() -> None:
    anew = "Print it anew: python -m s2edit.settings > server/s2edit_wire/knobs.json"
    assert knobs.PATH.read_text(encoding="utf-8") == printed(), anew


def test_every_setting_is_there_with_its_default() -> None:
    found = {name: knob.default for name, knob in knobs.knobs().items() if knob.kind != "factors"}
    assert found == Settings().by_name()
    assert all(
        knob.default is not None and knob.takes(knob.default) for knob in knobs.knobs().values() if knob.name in found
    )


def _tried(knob: knobs.Knob) -> list[knobs.Value]:
    """Values at and around the ends of its range, and of other kinds."""
    if knob.kind == "flag":
        return [True, False, 1, "true"]
    if knob.choices:
        return [*knob.choices, "best", 3, True]
    whole = knob.kind == "whole"
    ends: list[float] = [knob.low, knob.high, knob.low - 1, knob.high + 1, 0]
    numbers: list[knobs.Value] = [int(value) if whole else float(value) for value in ends]
    return [*numbers, float("nan"), float("inf"), True, "much"]


@pytest.mark.parametrize("name", list(knobs.knobs()))
def test_the_wire_takes_exactly_what_the_method_takes(name: str) -> None:
    knob = knobs.knobs()[name]
    setting = f"{name}.beard" if knob.kind == "factors" else name
    taken = []
    for value in _tried(knob):
        try:
            Settings().replace_from({setting: value})
            taken.append(value)
        except SettingError as error:
            assert setting in str(error)
            with pytest.raises(WireError, match="can't be"):
                knobs.check(setting, value)
        else:
            knobs.check(setting, value)
    assert 2 <= len(taken) < len(_tried(knob))


@pytest.mark.parametrize(
    "name", ["edit.feather", "feather", "edit.emphasize", "edit.emphasize.", "blend.feather.x", ""]
)
def test_what_is_no_setting_is_said_with_what_was_meant(name: str) -> None:
    with pytest.raises(WireError, match="no setting") as refused:
        knobs.check(name, 1.0)
    assert refused.value.code == "bad_setting"
    with pytest.raises(SettingError):
        Settings().replace_from({name: 1.0})
    if name == "edit.feather":
        assert refused.value.hint == "Did you mean “blend.feather”?"


def test_editors_offer_numbers_with_steps_that_can_be_shown() -> None:
    shown = [*knobs.offered("basic"), *knobs.offered("advanced")]
    assert {knob.name for knob in shown} >= {knobs.GUIDANCE, "blend.feather", "identity.steps"}
    for knob in shown:
        assert knob.kind in ("whole", "number")
        assert knob.low < knob.high
        assert round(knob.step, knob.decimals) == knob.step
        assert knob.kind == "number" or knob.decimals == 0


def test_an_edits_guidance_has_the_settings_range() -> None:
    knob = knobs.knobs()[knobs.GUIDANCE]
    field = next(field for field in EDIT.fields if field.name == "guidance")
    assert f"{knob.low:g} to {knob.high:g}" in field.kind.describe()


def test_the_command_line_lists_and_checks_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["edit", "--set", "list"]) == 0
    told = capsys.readouterr().out
    for knob in knobs.knobs().values():
        assert knob.name in told
        assert knob.hint in told
    assert options.settings(["blend.feather=12", "identity.spatial=false"], ["beard=1.5"]) == {
        "blend.feather": 12,
        "identity.spatial": False,
        "edit.emphasize.beard": 1.5,
    }
    for pair in ("blend.feather=soft", "blend.feather=300", "blend.fether=3", "identity.steps=2.5", "edit.mode=best"):
        with pytest.raises(WireError, match=pair.partition("=")[0]):
            options.settings([pair])
