"""Which token of the source prompt each token of the target prompt takes its attention from. Torch-free.

Replace and refine are Prompt-to-Prompt's (Hertz et al., 2022). Tokens after words of unequal piece counts and the
padding keep their neighbours, where the published code keeps their absolute position.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import PromptError
from .prompts import FUNCTION_WORDS, MAX_IDENTITIES, Prompt, PromptTokenizer, object_words


@dataclass(frozen=True, eq=False)
class Alignment:
    """Attention of the target = (source attention @ mapper) * alphas + own attention * (1 - alphas), then * equalizer.

    Args:
        mapper: L×L float32, source position by target position.
        alphas: L float32, 1 where a target token has a counterpart in the source, else 0.
        equalizer: L float32, the reweighting of target tokens.
        changed_source, changed_target: positions of the words that differ or are reweighted, function words left out
            unless there is nothing else; these steer LocalBlend.
    """

    mapper: NDArray[np.float32]
    alphas: NDArray[np.float32]
    equalizer: NDArray[np.float32]
    changed_source: tuple[int, ...]
    changed_target: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class PromptPlan:
    """The prompts of an edit: P, P~, P*, P~*, and how P~* hangs together with P~."""

    plain: Prompt
    source: Prompt
    plain_target: Prompt
    target: Prompt
    alignment: Alignment

    def target_words(self, words: Sequence[tuple[int, ...]]) -> tuple[tuple[int, ...], ...]:
        """Positions in P~* of what corresponds to words of P~."""
        mapper = self.alignment.mapper
        return tuple(tuple(int(j) for j in np.flatnonzero(mapper[list(word)].sum(axis=0))) for word in words)


def plan_prompts(
    tokenizer: PromptTokenizer,
    source: str,
    target: str,
    objects: Sequence[str],
    *,
    emphasize: Mapping[str, float] | None = None,
    mode: str = "auto",
    identity: bool = True,
) -> PromptPlan:
    """Tokenise and align both prompts, with an identity token in front of every object's word.

    Args:
        objects: the objects' words in `source`. emphasize: factor by word of `target`.
        mode: "replace", "refine" or "auto". identity: False leaves the identity tokens out.
    Raises:
        PromptError: `empty_prompt`, `prompt_too_long`, `word_not_in_prompt`, `unaligned_object`, `unaligned_prompts`,
            `objects_overlap`, `too_many_objects`, `nothing_to_change`.
    """
    room = len(objects) if identity else 0
    plain = tokenizer.encode(source, room=room, name="source prompt")
    changed = tokenizer.encode(target, room=room, name="target prompt")
    emphasize = dict(emphasize or {})
    if plain.ids == changed.ids and all(factor == 1 for factor in emphasize.values()):
        raise PromptError(
            "The target prompt says the same as the source prompt.",
            code="nothing_to_change",
            hint="Write what should be different into the target prompt.",
        )
    _check_objects(plain, objects)
    mode = settled_mode(mode, plain, changed)
    before, after = plain, changed
    if identity:
        pairs = [_places(plain, changed, word, mode) for word in objects]
        before = tokenizer.with_identity(plain, [pair[0] for pair in pairs])
        after = tokenizer.with_identity(changed, [pair[1] for pair in pairs])
    alignment = align(before, after, tokenizer.length, mode=mode, emphasize=emphasize)
    for k, position in enumerate(after.identity):
        if alignment.mapper[before.identity[k], position] != 1 or alignment.alphas[position] != 1:
            raise _unaligned(objects[k], plain, changed)
    return PromptPlan(plain, before, changed, after, alignment)


def takes_away(source: Prompt, target: Prompt) -> bool:
    """Whether the target only leaves out what the source names: no content word of its own, and fewer of them."""
    before, after = _content(source), _content(target)
    return after < before


def _content(prompt: Prompt) -> Counter[str]:
    return Counter(unit.text for unit in prompt.units if unit.text not in FUNCTION_WORDS and unit.text[0].isalnum())


def settled_mode(mode: str, source: Prompt, target: Prompt) -> str:
    """ "replace" or "refine", also for "auto"; raises PromptError where replacing is asked for and can't be done."""
    if mode == "auto":
        return "replace" if is_replacement(source, target) else "refine"
    if mode == "replace" and len(source.units) != len(target.units):
        raise PromptError(
            f"Replacing needs as many words in both prompts; there are {len(source.units)} and {len(target.units)}.",
            code="unaligned_prompts",
            hint="Use the mode “refine”, or word the target prompt like the source prompt.",
        )
    return mode


def is_replacement(source: Prompt, target: Prompt) -> bool:
    """Whether the target is the source with words swapped in place: as many words, and no word moved."""
    old, new = [unit.text for unit in source.units], [unit.text for unit in target.units]
    return len(old) == len(new) and sum(a == b for a, b in zip(old, new, strict=True)) == len(_common(old, new))


def align(
    source: Prompt, target: Prompt, length: int, *, mode: str, emphasize: Mapping[str, float] | None = None
) -> Alignment:
    """The alignment of two prompts, padded to `length`.

    Args:
        mode: "replace" maps word by word; "refine" by Needleman-Wunsch on token ids (gap 0, match 1, mismatch -1).
    Raises:
        PromptError: an emphasised word is not in the target prompt.
    """
    mapper = np.zeros((length, length), np.float32)
    pairs = _replaced_pairs(source, target) if mode == "replace" else _refined_pairs(source, target)
    for old, new in pairs:
        # Several pieces share the attention of the word they stand for, so that its sum is kept.
        mapper[np.ix_(old, new)] = 1 / len(new) if len(old) != len(new) else np.eye(len(old))
    shift = len(target.ids) - len(source.ids)
    for position in range(len(target.ids), length):
        if position - shift < length:
            mapper[position - shift, position] = 1
    alphas = (mapper.sum(axis=0) > 0).astype(np.float32)
    equalizer = np.ones(length, np.float32)
    for word, factor in (emphasize or {}).items():
        equalizer[list(target.positions(word))] = factor
    same = [
        (i, j)
        for old, new in pairs
        for i, j in zip(old, new, strict=False)
        if source.ids[i] == target.ids[j] and equalizer[j] == 1
    ]
    return Alignment(
        mapper,
        alphas,
        equalizer,
        _changed(source, {i for i, _ in same}),
        _changed(target, {j for _, j in same}),
    )


def _changed(prompt: Prompt, same: set[int]) -> tuple[int, ...]:
    """Positions of all pieces of the words that have a piece without a counterpart."""
    units = [unit for unit in prompt.units if not set(unit.positions) <= same]
    named = [unit for unit in units if unit.text not in FUNCTION_WORDS and unit.text[0].isalnum()] or units
    return tuple(sorted(position for unit in named for position in unit.positions))


def _replaced_pairs(source: Prompt, target: Prompt) -> list[tuple[list[int], list[int]]]:
    pairs = [([place], [place]) for place in range(source.head)]
    pairs += [(list(old.positions), list(new.positions)) for old, new in zip(source.units, target.units, strict=True)]
    return [*pairs, *(([source.end + place], [target.end + place]) for place in range(source.tail))]


def _refined_pairs(source: Prompt, target: Prompt) -> list[tuple[list[int], list[int]]]:
    return [([i], [j]) for i, j in _common(source.ids, target.ids)]


def _common(old: Sequence[object], new: Sequence[object]) -> list[tuple[int, int]]:
    """Needleman-Wunsch with gap 0, match 1, mismatch -1: the pairs of equal elements of the best alignment.

    A mismatch is never better than two gaps, so only matches are paired. Ties prefer a gap in `old`, then one in `new`.
    """
    score = np.zeros((len(old) + 1, len(new) + 1), np.int64)
    for i in range(1, len(old) + 1):
        for j in range(1, len(new) + 1):
            diagonal = score[i - 1, j - 1] + (1 if old[i - 1] == new[j - 1] else -1)
            score[i, j] = max(score[i, j - 1], score[i - 1, j], diagonal)
    pairs, i, j = [], len(old), len(new)
    while i and j:
        if score[i, j] == score[i, j - 1]:
            j -= 1
        elif score[i, j] == score[i - 1, j]:
            i -= 1
        else:
            i, j = i - 1, j - 1
            pairs.append((i, j))
    return pairs[::-1]


def _check_objects(prompt: Prompt, objects: Sequence[str]) -> None:
    """Raise PromptError unless there are objects, each with words of its own: one word has one place and one mask."""
    if not objects:
        raise PromptError("No object is named.", code="word_not_in_prompt", hint="Name the main object's word.")
    if len(objects) > MAX_IDENTITIES:
        raise PromptError(
            f"One edit can keep {MAX_IDENTITIES} objects, not {len(objects)}.",
            code="too_many_objects",
            hint="Name fewer objects, and edit the others afterwards.",
        )
    owners: dict[int, str] = {}
    for word in objects:
        for position in prompt.positions(word):
            if position in owners:
                raise PromptError(
                    f"The objects “{owners[position]}” and “{word}” are the same word of the prompt “{prompt.text}”.",
                    code="objects_overlap",
                    hint="Name each object with a word of its own, such as “woman” and “girl”.",
                )
            owners[position] = word


def _places(source: Prompt, target: Prompt, word: str, mode: str) -> tuple[int, int]:
    """First piece of the object's word in the source, and of what corresponds to it in the target."""
    place = source.positions(word)[0]
    try:
        return place, target.positions(word)[0]
    except PromptError:
        if mode != "replace":
            raise _unaligned(word, source, target) from None
    return place, target.units[source.unit_of(place)].positions[0]


def _unaligned(word: str, source: Prompt, target: Prompt) -> PromptError:
    kept = {unit.text for unit in source.units}
    stays = next((one for one in object_words(target.text) if one in kept), "")
    if stays and takes_away(source, target):
        # What goes has no place in the target that an identity could be put in front of; what stays has.
        return PromptError(
            f"The object “{word}” is what the target prompt leaves out.",
            code="unaligned_object",
            hint=f"To remove it, name what stays as the object, such as “{stays}”, and paint over what should go. "
            "If some of it is left, double the guidance.",
        )
    return PromptError(
        f"The object “{word}” has no counterpart in the target prompt “{target.text}”.",
        code="unaligned_object",
        hint="Keep the object's word in the target prompt, in the same place.",
    )
