"""Prompts as people have them: pasted from anywhere, in other programs' notations, in words that no model learned."""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from s2edit_server.planning import check_submit, plan
from s2edit_server.settings import DaemonSettings
from s2edit_server.weights.manager import Weights
from s2edit_server.wording import wording_problems
from s2edit_wire import prompt_text, schema
from s2edit_wire.frames import describe

import s2edit.method.prompts
from s2edit.errors import PromptError
from s2edit.method.alignment import plan_prompts
from s2edit.method.prompts import PromptTokenizer, foreign_syntax
from s2edit.research.starter import recommended, weights_folder
from s2edit.research.starter.captions import vocabulary
from s2edit.research.starter.robots.captions import vocabulary as robot_vocabulary

SEEN_AS = {
    "a man\r\nwith a\tbeard": "a man with a beard",
    "a\u00a0man\u2028with\u3000a beard": "a man with a beard",
    "a\u200b man\ufeff with\u00ad a b\u2060eard": "a man with a beard",
    "\u202aa man\u202c with a beard\u200e": "a man with a beard",
    "the man’s hat": "the man's hat",
    "the manʼs ‘hat’": "the man's 'hat'",
    "“a man”": '"a man"',
    "a t‑shirt": "a t-shirt",
    "a me\u0301nage": "a ménage",
    "a man\x00 with \x1b[31ma beard": "a man with [31ma beard",
    "a hat\ufe0f": "a hat",
    "  a   man  ": "a man",
    "می‌خواهم": "میخواهم",
    "a man": "a man",
}


@pytest.fixture(scope="module")
def tokenizer() -> PromptTokenizer:
    return PromptTokenizer.from_folder(weights_folder())


@pytest.fixture
def weights(tmp_path: Path) -> Weights:
    return Weights(tmp_path, DaemonSettings)


@pytest.mark.parametrize("typed", SEEN_AS)
def test_what_looks_the_same_is_the_same_at_every_door(typed: str, tokenizer: PromptTokenizer) -> None:
    plain = SEEN_AS[typed]
    assert prompt_text.cleaned(typed) == s2edit.method.prompts.tidy(typed) == plain
    assert tokenizer.encode(typed).ids == tokenizer.encode(plain).ids
    edit: dict[str, Any] = {"source": typed, "target": typed, "objects": [{"word": typed, "masked": False}]}
    edit["settings"] = {f"edit.emphasize.{typed}": 2.0, "blend.feather": 2}
    for op, fields in (("plan", edit), ("submit", {"edit": edit})):
        sent: Any = prompt_text.cleaned_request(op, fields)
        sent = sent.get("edit", sent)
        assert (sent["source"], sent["target"], sent["objects"][0]["word"]) == (plain, plain, plain)
        assert sent["settings"] == {f"edit.emphasize.{plain}": 2.0, "blend.feather": 2}


def test_wire_and_method_clean_alike_in_all_of_unicode() -> None:
    everything = map(chr, [*range(0xD800), *range(0xE000, sys.maxunicode + 1)])
    assigned = [one for one in everything if unicodedata.category(one) != "Cn"]
    for start in range(0, len(assigned), 997):
        text = "a".join(assigned[start : start + 997])
        assert prompt_text.cleaned(text) == s2edit.method.prompts.cleaned(text)


def test_what_is_cleaned_passes_the_wire() -> None:
    edit = {
        "kind": "edit",
        "model": "portraits",
        "profile": "fast",
        "seed": 0,
        "source": "a man\r\n",
        "target": "a\x00 b",
    }
    edit |= {"objects": [{"word": "man\u200b", "masked": False}]}
    header = {"op": "submit", "id": 1, "job": "0" * 32, "edit": edit, "frames": [describe("image", (8, 8, 3))]}
    schema.check_request(dict(prompt_text.cleaned_request("submit", header)))


@pytest.mark.parametrize(
    ("prompt", "found"),
    [
        ("a man with a (hat:1.3)", ["(hat:1.3)"]),
        ("a man with a ( red hat : .8 )", ["( red hat : .8 )"]),
        ("a man <lora:detail:0.7> with a hat", ["<lora:detail:0.7>"]),
        ("<hypernet:x:1>, <lyco:y>", ["<hypernet:x:1>", "<lyco:y>"]),
        ("a ((red)) hat", ["((red))"]),
        ("a [man:woman:0.5]", ["[man:woman:0.5]"]),
        ("a [red|blue] hat", ["[red|blue]"]),
        ("a {red|blue} hat", ["{red|blue}"]),
        ("a __color__ hat", ["__color__"]),
        ("a hat++ and beard--", ["hat++", "beard--"]),
        ("a man --ar 16:9 --v 6", ["--ar", "--v"]),
        ("embedding:easynegative a man", ["embedding:easynegative"]),
        ("a man BREAK a hat", ["BREAK"]),
        ("a man with a beard", []),
        ("a man (smiling), with a t-shirt", []),
        ("a man - with a hat: red, 3:2", []),
        ("breaking news [sic]", []),
    ],
)
def test_other_programs_notations(prompt: str, found: list[str]) -> None:
    assert foreign_syntax(prompt) == found
    told = list(wording_problems({"source": prompt}, "Portraits", None))
    assert bool(told) == bool(found)
    assert all(not problem.blocking and problem.word in prompt for problem in told)


@pytest.mark.parametrize(
    ("prompt", "named", "advice"),
    [
        ("a man with a dragon", ["dragon"], "Word it like: “a smiling man with brown hair”."),
        ("a spaceship wearing a tuxedo", ["spaceship", "tuxedo"], "Word it like"),
        ("a man with sunglases", ["sunglases"], "Did you mean “sunglasses”?"),
        ("a MAN with a Moustaches", ["moustaches"], "Did you mean “moustache”?"),
        ("a man with a trait and a king", ["trait", "king"], ""),  # pieces that the tokenizer has, which name nothing
        ("ein Mann mit Brille", ["ein", "mann", "mit", "brille"], ""),
        ("a man’s hat", [], ""),
        ("a t‑shirt, 2 eyes and brown hair!", [], ""),
        ("A SMILING man\u200b with brown hair", [], ""),
    ],
)
def test_words_that_were_never_learned_are_named(prompt: str, named: list[str], advice: str) -> None:
    told = list(wording_problems({"target": prompt}, "Portraits", weights_folder()))
    assert bool(told) == bool(named)
    for problem in told:
        assert (problem.field, problem.blocking, problem.word) == ("target", False, named[0])
        assert all(f"“{word}”" in problem.message for word in named) and advice in problem.hint


def test_the_plan_tells_it_and_the_job_is_made_all_the_same(weights: Weights) -> None:
    request = {
        "kind": "edit",
        "model": "portraits",
        "profile": "fast",
        "canvas": [64, 64],
        "source": "a man with a (hat:1.3)",
        "target": "a man with a dragon",
        "objects": [{"word": "man", "masked": False}],
    }
    told = plan(request, weights)["problems"]
    assert [(one["field"], one["word"], one["blocking"]) for one in told] == [
        ("source", "(hat:1.3)", False),
        ("target", "dragon", False),
    ]
    edit = {**{key: value for key, value in request.items() if key != "canvas"}, "seed": 0}
    entry = describe("image", (64, 64, 3))
    assert check_submit(edit, [(entry, memoryview(bytes(64 * 64 * 3)))], weights) is None


def test_a_model_that_says_nothing_of_its_words_is_not_doubted(tmp_path: Path) -> None:
    for content in ("", "{}", '{"words": "all"}', '{"words": [1, 2]}', "[]", "damaged"):
        if content:
            (tmp_path / "recommended.json").write_text(content, encoding="utf-8")
        assert list(wording_problems({"source": "a dragon"}, "SD", tmp_path)) == []


def test_the_words_are_those_that_the_captions_were_written_in() -> None:
    assert recommended()["words"] == sorted(vocabulary())
    assert recommended("robots")["words"] == sorted(robot_vocabulary())


@pytest.mark.parametrize(
    ("source", "target", "word", "stays"),
    [
        ("a woman with glasses", "a woman", "glasses", "woman"),
        ("a smiling man with a hat and a beard", "a smiling man with a beard", "hat", "man"),
        ("glasses on a woman", "a woman", "glasses", "woman"),
        ("a man and a woman", "a woman", "man", "woman"),
    ],
)
def test_removing_gets_advice_that_works(
    tokenizer: PromptTokenizer, source: str, target: str, word: str, stays: str
) -> None:
    """Who names what goes is told what to name; who then does gets a plan."""
    with pytest.raises(PromptError) as caught:
        plan_prompts(tokenizer, source, target, [word])
    assert caught.value.code == "unaligned_object"
    assert f"“{stays}”" in caught.value.hint and "paint over" in caught.value.hint
    plan_prompts(tokenizer, source, target, [stays])


def test_an_object_that_is_only_named_otherwise_gets_the_other_advice(tokenizer: PromptTokenizer) -> None:
    with pytest.raises(PromptError) as caught:
        plan_prompts(tokenizer, "a woman with glasses", "a lady, smiling, with glasses", ["woman"])
    assert "Keep the object's word" in caught.value.hint
