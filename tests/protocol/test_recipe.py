"""Recipes: there and back through JSON, and nothing that was made up in a layer's parasite is believed."""

import json

import pytest
from s2edit_wire.errors import WireError
from s2edit_wire.knobs import Value
from s2edit_wire.limits import MAX_RECIPE
from s2edit_wire.recipe import Recipe, run_again
from s2edit_wire.records import EditRecord

EDIT: EditRecord = {
    "kind": "edit",
    "model": "portraits",
    "profile": "balanced",
    "source": "a woman with a hat — Ärger",
    "target": "a woman with a crown",
    "objects": [{"word": "hat", "masked": True}],
    "guidance": 5.5,
    "seed": 4_294_967_295,
    "settings": {"blend.feather": 3},
}
RECIPE = Recipe(
    EDIT,
    "0" * 32,
    1.7e9,
    result_sha256="a" * 64,
    mask_sha256=["b" * 64],
    crop=[10, 20, 300, 400],
    program={"host": "GIMP 3.0.4"},
    mask_from="selection",
)


def test_there_and_back() -> None:
    assert Recipe.from_json(RECIPE.to_json()) == RECIPE
    assert Recipe.from_json(RECIPE.to_json().encode()) == RECIPE
    assert json.loads(RECIPE.to_json())["recipe"] == 1


def test_what_is_not_known_is_left_out() -> None:
    bare = Recipe(EDIT, "0" * 32, 1.0)
    assert set(json.loads(bare.to_json())) == {"recipe", "edit", "job", "when"}
    assert Recipe.from_json(bare.to_json()) == bare


def spoil(**changes: object) -> str:
    return json.dumps({**json.loads(RECIPE.to_json()), **changes})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        "[" * 5_000,
        b"\xff\xfe",
        "\ud800",
        spoil(more=1),
        spoil(recipe=0),
        spoil(recipe=True),
        spoil(job="../../etc"),
        spoil(when="now"),
        spoil(edit={}),
        spoil(edit={**EDIT, "seed": 2**32}),
        spoil(edit={**EDIT, "source": "a\u0000b"}),
        spoil(crop=[1, 2, 3]),
        spoil(program={"host": 3}),
        spoil(mask_from="thin air"),
        RECIPE.to_json().replace("1700000000.0", "NaN"),
        RECIPE.to_json().replace("1700000000.0", "Infinity"),
        RECIPE.to_json().replace('"recipe":1', '"recipe":1,"recipe":1'),
        RECIPE.to_json() + " " * MAX_RECIPE,
    ],
)
def test_refused(text: str | bytes) -> None:
    with pytest.raises(WireError) as caught:
        Recipe.from_json(text)
    assert caught.value.code in ("bad_request", "too_large")


def test_a_newer_recipe_says_so() -> None:
    with pytest.raises(WireError, match="newer S²Edit"):
        Recipe.from_json(spoil(recipe=2, something="new"))


def test_too_big_to_write() -> None:
    long = "é" * 1000
    settings: dict[str, Value] = {f"setting.{index}": "é" * 200 for index in range(40)}
    with pytest.raises(WireError) as caught:
        Recipe(
            {**EDIT, "source": long, "target": long, "reference_prompt": long, "settings": settings}, "0" * 32, 1.0
        ).to_json()
    assert caught.value.code == "too_large"


def test_wrong_to_write() -> None:
    with pytest.raises(WireError):
        Recipe({**EDIT, "guidance": float("nan")}, "0" * 32, 1.0).to_json()


def test_run_again_changes_what_it_is_told_and_nothing_else() -> None:
    edit = run_again(RECIPE, target="a woman with a cap", seed=7, guidance=None, settings={"inject.steps": 4})
    assert edit == {
        **{name: value for name, value in EDIT.items() if name != "guidance"},
        "target": "a woman with a cap",
        "seed": 7,
        "settings": {"blend.feather": 3, "inject.steps": 4},
    }
    assert RECIPE.edit["settings"] == {"blend.feather": 3}
    with pytest.raises(WireError):
        run_again(RECIPE, seed=-1)
