"""Composition (the paper's section 3.3): [I] from the source picture and [A] from a reference, mixed in one prompt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import PromptError, SettingError
from ..settings import Settings
from .alignment import PromptPlan, align, settled_mode
from .prompts import Prompt, PromptTokenizer


@dataclass(frozen=True, eq=False)
class CompositionPlan:
    """The prompts of a composition.

    Args:
        edit: P_src, P~_src ("a [I] lady"), P_mix and P~_mix ("a [I] lady with [A] makeup"), aligned.
        reference, plain_reference: P~_ref ("a model with [A] makeup") and P_ref.

    The paper writes P*_src and P*_ref for P~_src and P~_ref, and P_mix for P~_mix; here ~ always means “with tokens”.
    """

    edit: PromptPlan
    reference: Prompt
    plain_reference: Prompt


def check_learning(settings: Settings) -> None:
    """Raise SettingError for settings that leave stage 1 out."""
    if not settings.identity.enabled:
        raise SettingError(
            "A composition learns what it takes from the reference, and with these settings nothing is learned.",
            hint="Choose another profile than “instant”; in a shell, leave identity.enabled at true.",
        )


def plan_composition(
    tokenizer: PromptTokenizer,
    source: str,
    reference: str,
    mix: str,
    *,
    word: str,
    attribute: str,
    emphasize: Mapping[str, float] | None = None,
    mode: str = "auto",
) -> CompositionPlan:
    """Tokenise and align the prompts of a composition.

    Args:
        word: the object's word in `source` and `mix`. attribute: the attribute's word in `reference` and `mix`.
        emphasize: factor by word of `mix`. mode: "replace", "refine" or "auto", from `source` to `mix`.
    Raises:
        PromptError: a word is missing from its prompt or is both object and attribute, the prompts can't be aligned,
            or one is empty or too long.
    """
    plain = tokenizer.encode(source, room=1, name="source prompt")
    plain_reference = tokenizer.encode(reference, room=1, name="reference prompt")
    mixed = tokenizer.encode(mix, room=2, name="mixed prompt")
    ours, carried = mixed.positions(word), mixed.positions(attribute)
    if set(ours) & set(carried):
        raise PromptError(
            f"“{word}” can't be both the object and the attribute.",
            code="unaligned_object",
            hint="Name the attribute with a word of its own, such as “makeup”.",
        )
    before = tokenizer.with_identity(plain, [plain.positions(word)[0]])
    after = tokenizer.with_identity(mixed, [ours[0], carried[0]])
    # [A] is a word that only the mixed prompt has, so both are the same length only by accident.
    mode = settled_mode(mode, before, after)
    alignment = align(before, after, tokenizer.length, mode=mode, emphasize=emphasize)
    if alignment.mapper[before.identity[0], after.identity[0]] != 1:
        raise PromptError(
            f"The object “{word}” has no counterpart in the mixed prompt “{mixed.text}”.",
            code="unaligned_object",
            hint="Begin the mixed prompt as the source prompt begins.",
        )
    return CompositionPlan(
        PromptPlan(plain, before, mixed, after, alignment),
        tokenizer.with_identity(plain_reference, [plain_reference.positions(attribute)[0]], first=1),
        plain_reference,
    )
