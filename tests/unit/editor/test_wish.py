"""What is wanted goes round: document, form, wire, result, document. What a form judges, from wish and plan alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from s2edit_editor import models, planning, text, wish
from s2edit_editor.pixels import Box
from s2edit_editor.planning import Facts, judge
from s2edit_editor.wish import Wish
from s2edit_wire.errors import CODES
from s2edit_wire.knobs import GUIDANCE, knobs
from s2edit_wire.recipe import Recipe
from s2edit_wire.records import EDIT, DocumentRecord, EditRecord, ModelRecord, PlanReply
from s2edit_wire.schema import check_request

AREA = Box(5, 5, 9, 9)
DOCUMENT: DocumentRecord = {"host": "gimp", "title": "a.xcf"}
FULL: EditRecord = {
    "kind": "compose",
    "model": "portraits",
    "profile": "faithful",
    "source": "a woman",
    "target": "a woman with makeup",
    "reference_prompt": "a man with makeup",
    "objects": [{"word": "woman", "masked": True}, {"word": "makeup", "masked": False}],
    "guidance": 5.5,
    "seed": 2**32 - 1,
    "settings": {
        "blend.feather": 128,
        "identity.steps": 300,
        "edit.emphasize.beard": 1.5,
        "edit.local_blend": False,
        "inversion.mode": "npi",
    },
    "document": DOCUMENT,
}


@pytest.fixture(autouse=True)
def _english() -> None:
    text.speak(["en"])


def test_every_value_of_a_recipe_goes_round() -> None:
    """A5: through the recipe in a layer, the wish, a form whose dials say what they are shown, and the wire."""
    recipe = Recipe.from_json(Recipe(FULL, "0" * 32, 1.0).to_json())
    wanted = Wish.from_edit(recipe.edit)
    dials = {name: wanted.settings.get(name) for name in wish.dial_names()}
    again = wanted.with_dials(dials).to_edit([True, False], DOCUMENT, "other")
    EDIT.check(again, "")
    assert again == FULL


def test_a_dial_that_is_given_back_is_the_models_own_and_nothing_else_goes() -> None:
    wanted = Wish.from_edit(FULL).with_dials(dict.fromkeys(wish.dial_names()))
    assert wanted.settings == wanted.unseen
    assert set(wanted.unseen) == {"edit.emphasize.beard", "edit.local_blend", "inversion.mode"}
    assert "guidance" not in wanted.to_edit([], DOCUMENT, "")


@pytest.mark.parametrize("name", wish.dial_names())
def test_every_dial_reaches_the_wire(name: str) -> None:
    edit = Wish(source="a", target="b", words=("a",)).with_dials({name: knobs()[name].high}).to_edit([], DOCUMENT, "m")
    assert (
        edit.get("guidance") == knobs()[name].high
        if name == GUIDANCE
        else edit["settings"] == {name: knobs()[name].high}
    )


def test_the_result_as_a_start_shows_what_was_wished_for() -> None:
    begun = replace(Wish.from_edit(FULL), source="a hat", target="a crown", words=("hat",)).as_start()
    assert (begun.kind, begun.source, begun.target, begun.words) == ("edit", "a crown", "", ("crown",))
    assert begun.settings == Wish.from_edit(FULL).settings


def test_variations_are_every_target_with_every_guidance_and_seed() -> None:
    made = Wish.from_edit(FULL).variations(["x", "y"], 2, [3.0, 5.0])
    assert [(one.target, one.settings[GUIDANCE], one.seed) for one in made] == [
        (target, guidance, seed) for target in "xy" for guidance in (3.0, 5.0) for seed in (2**32 - 1, 0)
    ]
    assert Wish.from_edit(FULL).variations([], 1, []) == [Wish.from_edit(FULL)]


@pytest.mark.parametrize(
    ("typed", "values"),
    [
        ("3.5 5 7.5", [3.5, 5, 7.5]),
        ("3.5, 4.5, 5.5", [3.5, 4.5, 5.5]),
        ("3,5; 4,5", [3.5, 4.5]),
        ("3,5 5", [3.5, 5]),
        ("0.1 99 99", [1, 20]),
        ("strong x3 3.4.5", []),
        ("", []),
    ],
)
def test_lists_of_numbers_are_read_as_people_write_them(typed: str, values: list[float]) -> None:
    assert wish.guidance_values(typed) == values


def test_seeds_and_lines() -> None:
    assert (wish.seed_of(" 7 "), wish.seed_of(str(2**32 + 1)), wish.seed_of("ab")) == (7, 1, 195)
    assert wish.several("a hat\n\n  a  crown \n") == ["a hat", "a crown"]
    assert wish.one_sentence("a woman\n with a hat ") == "a woman with a hat"
    assert wish.fresh_seed() in range(2**32)


def plan(*problems: dict[str, Any], **changes: Any) -> PlanReply:
    forecast = {"first_s": 24.0, "next_s": 8.0, "memory": 0, "memory_free": 0, "cached": False, "measured": True}
    reply: Any = {
        "crop": [0, 0, 9, 9],
        "model_size": [9, 9],
        "words": [],
        "settings": {},
        "forecast": forecast | changes,
        "resolution": {"size": [9, 9], "finest": 1.0, "framed": False},
    }
    return reply | {"problems": list(problems)}  # type: ignore[no-any-return]


def problem(field: str, message: str, *, blocking: bool = True, **more: Any) -> dict[str, Any]:
    return {"field": field, "code": "bad_prompt", "message": message, "blocking": blocking} | more


def older_plan() -> PlanReply:
    told = plan()
    del told["resolution"]
    return told


GETS = "What is painted gets 4×3 of the model's 9×9 pixels."


@pytest.mark.parametrize(
    ("size", "finest", "framed", "said"),
    [
        ([9, 9], 1.0, False, ""),
        ([4, 3], 1.0, False, GETS),
        ([4, 3], 1.0, True, "What is painted gets at least 4×3 of the model's 9×9 pixels."),
        ([9, 9], 5.2, False, "The finest detail is about 5 px wide."),
        ([4, 3], 1.6, False, f"{GETS} The finest detail is about 2 px wide."),
    ],
)
def test_how_finely_is_said_below_the_time(size: list[int], finest: float, framed: bool, said: str) -> None:
    told = plan() | {"resolution": {"size": size, "finest": finest, "framed": framed}}
    assert "\n" not in judge(WISH, Facts(), older_plan()).time, "an older daemon says nothing of it"
    first, *rest = judge(WISH, Facts(), told).time.split("\n")
    assert first.startswith("First edit") and rest == ([said] if said else [])


WISH = Wish(source="a woman", target="a woman with a hat", words=("woman",))


def test_a_plan_has_everything_that_is_submitted() -> None:
    """A10: a composition's missing word is told before anything is sent, not when the dialog is gone."""
    wanted = Wish.from_edit(FULL)
    asked = wanted.plan_request(AREA, [True], "m", [Box(6, 7, 3, 4)], image_sha256="0" * 64, photo=0.5)
    check_request({"op": "plan", "id": 1, **asked})
    assert (asked["canvas"], asked["mask_box"]) == ([9, 9], [1, 2, 3, 4])
    edit = wanted.to_edit([True], DOCUMENT, "m")
    assert {name: asked.get(name) for name in ("kind", "model", "profile", "source", "objects")} == {
        name: edit.get(name) for name in ("kind", "model", "profile", "source", "objects")
    }
    assert (asked["target"], asked["reference_prompt"]) == (edit["target"], edit["reference_prompt"])
    assert asked["settings"] == {**edit["settings"], GUIDANCE: edit["guidance"]}
    assert "target" not in replace(wanted, target="").plan_request(AREA, [], "m")


def test_a_form_that_is_whole_can_be_sent_and_says_how_long() -> None:
    found = judge(WISH, Facts(), plan())
    assert (found.blocked, found.bad, found.marks) == (False, False, {})
    assert (found.sentence, found.time) == ("", "First edit: about 24 s; each further one: about 8 s.")
    assert judge(WISH, Facts(connected=False), plan()).blocked
    several = judge(WISH, Facts(variations=6), plan())
    assert (several.sentence, several.bad, bool(several.time)) == (
        "6 results; the object is learned once.",
        False,
        True,
    )
    assert judge(WISH, Facts(), plan(cached=True)).time == "This picture is known: about 8 s."


@pytest.mark.parametrize(
    ("changes", "facts", "field", "said"),
    [
        ({"words": ()}, Facts(), "object", "Type the word"),
        ({"words": ("a",)}, Facts(masks=2), "object", "each mask"),
        ({"source": ""}, Facts(), "source", "what the picture shows"),
        ({"target": ""}, Facts(), "target", "what it should show"),
        ({"kind": "compose"}, Facts(), "reference", "Choose the layer or file"),
        ({"kind": "compose"}, Facts(reference=True), "reference", "what the reference shows"),
        ({}, Facts(mask_trouble="Nothing is selected."), "mask", "Nothing is selected."),
        ({}, Facts(variations=17), "variations", "At most 16"),
    ],
)
def test_what_is_missing_blocks_and_is_said_when_edit_is_pressed(
    changes: dict[str, Any], facts: Facts, field: str, said: str
) -> None:
    wanted = replace(WISH, **changes)
    assert said in planning.lacks(wanted, facts)[field]
    assert judge(wanted, facts, plan()).blocked
    assert said in planning.first_lack(wanted, facts, plan())


@pytest.mark.parametrize("changes", [{"words": ()}, {"source": ""}, {"target": ""}])
def test_what_is_not_typed_yet_is_not_told_off(changes: dict[str, Any]) -> None:
    found = judge(replace(WISH, **changes), Facts(), plan(problem("object", "No object is named.")))
    assert (found.blocked, found.bad) == (True, "words" not in changes)


def test_problems_are_marked_where_they_are_with_the_forms_words() -> None:
    found = judge(WISH, Facts(), plan(problem("object", "“hat” is not in the source prompt.", word="hat")))
    assert found.marks == {"object": "“hat” is not in “Picture shows”."}
    assert (found.word, found.blocked, found.sentence) == ("hat", True, "“hat” is not in “Picture shows”.")
    doubted = judge(WISH, Facts(), plan(problem("model", "It knows no photographs.", blocking=False)))
    assert (doubted.doubt, doubted.blocked, doubted.marks) == ("It knows no photographs.", False, {})
    absent = problem("model", "It is not here.")
    assert judge(WISH, Facts(), plan(absent)).sentence == "It is not here."
    hushed = judge(WISH, Facts(model_said=True), plan(absent))
    assert (hushed.blocked, hushed.marks) == (True, {})


def model(**changes: Any) -> ModelRecord:
    record: Any = {"id": "m", "title": "M", "role": "editor", "domain": "cartoon", "state": "ready", "size": 2 * 10**9}
    record |= {"present": 10**9, "purpose": "For m.", "licence": "MIT", "examples": ["a man"]}
    return record | changes  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("settings", "program", "chosen"),
    [
        ({"model_krita": "k", "default_model": "d"}, "krita", "k"),
        ({"model_krita": "", "default_model": "d"}, "krita", "d"),
        ({"model_cli": "c"}, "cli", "c"),
        ({"model_krita": "k"}, "gimp", "portraits"),
    ],
)
def test_a_program_has_its_own_default_model(settings: dict[str, Any], program: str, chosen: str) -> None:
    assert models.default_model(settings, program) == chosen


@pytest.mark.parametrize(
    ("changes", "said", "label", "action"),
    [
        ({}, "", "", ""),
        ({"state": "absent"}, "“M” is not on this computer yet: 2.0 GB.", "Download…", "download"),
        ({"state": "absent", "message": "Refused."}, "2.0 GB. Refused.", "Download…", "download"),
        ({"state": "partial"}, "“M” is here by 50 %.", "Resume", "download"),
        ({"state": "paused"}, "“M” is here by 50 %.", "Resume", "download"),
        ({"state": "downloading"}, "“M” is on its way: 50 %.", "Pause", "pause"),
        ({"state": "broken", "message": "A file is damaged."}, "M: A file is damaged.", "Repair", "repair"),
    ],
)
def test_a_model_that_cannot_be_used_says_so(changes: dict[str, Any], said: str, label: str, action: str) -> None:
    remark = models.remark({"m": model(**changes)}, "m")
    assert said in remark.text
    assert (remark.label, remark.action) == (label, action)


def test_a_photograph_is_offered_a_model_of_photographs() -> None:
    known = {
        "m": model(),
        "far": model(id="far", domain="photo", state="absent"),
        "near": model(id="near", domain="photo"),
    }
    assert models.remark(known, "m", "It knows no photographs.").instead == "near"
    assert models.remark({"m": model()}, "m", "It knows no photographs.").label == ""
    assert models.remark(known, "m").text == ""
    assert models.remark(known, "gone").text == ""
    assert models.title(known["far"]) == "M (not installed, 2.0 GB)"
    assert (models.example(known, "m"), models.example(known, "gone")) == ("a man", "")


def test_an_instruction_is_shown_as_the_sentence_that_is_sent() -> None:
    """B1: said before it is sent; where the description has no word for it, so it is said, and nothing is sent."""
    told = replace(WISH, target=wish.target_of(WISH.source, "add  sunglasses"))
    found = judge(told, Facts(typed="add sunglasses"), plan())
    assert (found.sentence, found.blocked, found.bad) == ("It should show: a woman with sunglasses", False, False)
    lost = replace(WISH, target=wish.target_of(WISH.source, "remove the hat"))
    assert lost.target == "remove the hat"
    vain = judge(lost, Facts(typed="remove the hat"), plan())
    assert (vain.blocked, vain.bad, list(vain.marks)) == (True, True, ["target"])
    assert "isn't in the description" in planning.first_lack(lost, Facts(typed="remove the hat"), plan())
    assert judge(WISH, Facts(typed=WISH.target), plan()).sentence == ""
    assert [one.target for one in WISH.variations(["add a tie"], 1, [])] == ["a woman with a tie"]


def test_a_wish_is_kept_with_a_document_and_read_with_distrust() -> None:
    wanted = Wish.from_edit(FULL)
    assert Wish.from_note(wanted.noted()) == wanted
    assert Wish.from_note(Wish().noted()) == Wish()
    for bad in (
        "",
        "{",
        "[]",
        "{}",
        '{"words": 3}',
        '{"words": ["a"], "model": 5}',
        wanted.noted().replace("compose", "x"),
    ):
        assert Wish.from_note(bad) is None, bad


def test_only_what_may_succeed_is_tried_again() -> None:
    """A10: a refused job offers to be changed."""
    again = {code for code in CODES if planning.can_retry(code)}
    assert {"out_of_memory", "worker_crashed", "disk_full", "unreachable", "internal", "cancelled"} <= again
    assert not {"bad_prompt", "bad_mask", "bad_image", "bad_setting", "too_large", "unknown_model"} & again
    assert planning.can_retry("")


def test_a_doubt_about_a_word_hides_no_time_and_what_blocks_does() -> None:
    doubt = problem("target", "“crown” was never learned.", blocking=False)
    found = judge(WISH, Facts(), plan(doubt))
    assert (found.blocked, found.bad, found.marks) == (False, False, {"target": "“crown” was never learned."})
    assert found.doubted == {"target"}
    assert found.time
    assert not judge(WISH, Facts(), plan({**doubt, "blocking": True})).time
