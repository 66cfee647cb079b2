"""What a plan means for the form: which fields are wrong, whether it can be sent, what is said below it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from s2edit_wire.records import PlanReply, ProblemRecord

from . import instructions, words
from .text import _, language
from .wish import MOST_VARIATIONS, Wish

_SAME_AGAIN_IN_VAIN = frozenset(
    {"bad_request", "too_large", "bad_prompt", "bad_mask", "bad_image", "bad_setting", "unknown_model", "model_failed"}
)
_FORM_WORDS = (
    (re.compile(r"\b(?:[Tt]he )?source prompt\b"), "Picture shows"),
    (re.compile(r"\b(?:[Tt]he )?target prompt\b"), "Should show"),
    (re.compile(r"\b(?:[Tt]he )?reference(?:_| )prompt\b"), "Reference shows"),
)


@dataclass(frozen=True)
class Facts:
    """What the form knows of itself besides the wish.

    Args:
        masked: of each object, whether a mask was chosen for it. masks: how many masks are painted, also nameless ones.
        mask_trouble: why the chosen mask can't be had, as a sentence; "" when it can.
        reference: whether something to take over from is chosen, for `compose`.
        typed: what was typed as the wish: perhaps an instruction, of which the wish's target was made.
        variations: how many edits would be handed in.
        connected: whether the daemon answers.
        model_said: whether the line about the model says already that it has to be downloaded.
    """

    masked: Sequence[bool] = ()
    masks: int = 0
    mask_trouble: str = ""
    reference: bool = False
    typed: str = ""
    variations: int = 1
    connected: bool = True
    model_said: bool = False


@dataclass(frozen=True)
class Verdict:
    """What a form shows.

    Args:
        marks: sentence by field (`source`, `target`, `object`, `mask`, `reference`) that something is wrong with.
        doubted: those of these fields that are only doubted: that blocks nothing.
        word: the object's word that is meant, "" for the first.
        blocked: whether it can't be sent as it is.
        sentence: what is said below the form: what is wrong, and what an instruction became; bad: that can't be sent.
        doubt: what is said of the model, and blocks nothing.
        time: how long it would take, "" where nobody knows, or where it can't be sent.
    """

    marks: dict[str, str] = field(default_factory=dict)
    word: str = ""
    blocked: bool = False
    sentence: str = ""
    bad: bool = False
    doubt: str = ""
    time: str = ""
    doubted: frozenset[str] = frozenset()


def lacks(wish: Wish, facts: Facts) -> dict[str, str]:
    """What is missing for this kind of job whatever a plan says: sentence by field. Empty fields are not wrong yet."""
    found = {}
    if facts.mask_trouble:
        found["mask"] = facts.mask_trouble
    if wish.kind in ("edit", "compose", "mask"):
        if wish.instructs:
            pass
        elif not wish.words:
            found["object"] = _("Type the word that names the object.")
        elif facts.masks > len(wish.words):
            found["object"] = _("Name the object of each mask.")
    found |= _missing_sentences(wish, facts)
    if facts.variations > MOST_VARIATIONS:
        found["variations"] = words.several(facts.variations)
    return found


def _missing_sentences(wish: Wish, facts: Facts) -> dict[str, str]:
    found = {}
    if wish.instructs:
        return {} if wish.target or wish.kind != "edit" else {"target": _("Say what should change.")}
    if wish.kind != "caption" and not wish.source:
        found["source"] = _("Say what the picture shows.")
    if wish.kind in ("edit", "compose") and not wish.target:
        found["target"] = _("Say what it should show.")
    elif wish.target == facts.typed and instructions.is_instruction(facts.typed):
        found["target"] = _(
            "“{wish}” is about something that isn't in the description. Name it there, or write a whole sentence.",
            wish=facts.typed,
        )
    if wish.kind == "compose" and not facts.reference:
        found["reference"] = _("Choose the layer or file to take something over from.")
    elif wish.kind == "compose" and not wish.reference_prompt:
        found["reference"] = _("Say what the reference shows.")
    return found


def judge(wish: Wish, facts: Facts, plan: PlanReply | None) -> Verdict:
    """What the form shows of a wish and its plan (None: there is none yet, or no daemon)."""
    missing = lacks(wish, facts)
    problems = list(plan["problems"]) if plan is not None else []
    # What is not typed yet needs no telling off: the button rests, and a press of it says what is missing.
    empty = {"source": not wish.source, "target": not wish.target, "object": not wish.words and not facts.masks}
    quiet = {name for name in missing if empty.get(name)}
    unpainted = {"mask"} & set(missing)  # nor is what is not painted yet, though it is said
    doubts = [problem["message"] for problem in problems if problem["field"] == "model" and not problem["blocking"]]
    shown = [problem for problem in problems if _shown(problem, quiet, facts)]
    marks = {name: said for name, said in missing.items() if name not in quiet}
    for problem in shown:
        marks.setdefault(problem["field"], in_form_words(problem["message"]))
    wrong = {name for name in missing if name not in quiet | unpainted}
    wrong |= {problem["field"] for problem in shown if problem["blocking"]}
    about = next((problem.get("word", "") for problem in shown if problem["field"] == "object"), "")
    blocked = bool(missing) or not facts.connected or any(problem["blocking"] for problem in problems)
    told = facts.typed and facts.typed != wish.target
    rewritten = _("It should show: {sentence}", sentence=wish.target) if told else ""
    foreseen = plan is not None and (wish.source or wish.instructs) and not (blocked and marks)
    time = words.foreseen(plan) if foreseen and plan is not None else ""
    together = words.several(facts.variations) if "variations" not in marks else ""
    said = "\n".join(filter(None, (*dict.fromkeys(marks.values()), rewritten, together)))
    doubted = frozenset(marks) - wrong
    return Verdict(marks, about, blocked, said, bool(wrong), " ".join(doubts), time, doubted)


def can_retry(code: str) -> bool:
    """Whether the very same job may succeed when it is tried again; else its words, mask or model have to be changed.

    Args:
        code: of `errors.CODES`, why it failed; "" when it was cancelled or nobody knows.
    """
    return code not in _SAME_AGAIN_IN_VAIN


def first_lack(wish: Wish, facts: Facts, plan: PlanReply | None) -> str:
    """Why a press of “Edit” sends nothing, as one sentence; "" when nothing stands against it."""
    missing = lacks(wish, facts)
    if missing:
        return next(iter(missing.values()))
    problems = plan["problems"] if plan is not None else []
    return next((in_form_words(problem["message"]) for problem in problems if problem["blocking"]), "")


def in_form_words(sentence: str) -> str:
    """A daemon's English sentence with the form's names for its fields; translations have them already."""
    for pattern, name in _FORM_WORDS if language() == "en" else ():
        sentence = pattern.sub(f"“{name}”", sentence)
    return sentence


def _shown(problem: ProblemRecord, quiet: set[str], facts: Facts) -> bool:
    if problem["field"] == "model":
        return problem["blocking"] and not facts.model_said
    return problem["field"] not in quiet
