"""Joint attention of picture and words under control: Eq. 3, its second mask, injection, and maps of words.

In a flow transformer tokens of both kinds attend to all of them in one softmax. Eq. 3's column is the entry of a
picture token's query and [I]'s key; what is done to a U-Net's attention to words is done here to such entries.
Shapes: B rows, h heads, S tokens, of which N are the picture's and L words', d channels a head.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .attention import AttentionControl, TokenMask, attended, masked_attention

_CHUNK = 512
"""Queries whose probabilities are formed at a time, where maps are recorded."""


@dataclass(frozen=True)
class Layout:
    """Where the tokens stand in the sequence.

    Args:
        words: of the first and after the last word's token. picture: of the picture's, without what fills them up.
    """

    words: tuple[int, int]
    picture: tuple[int, int]


def joint_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    control: AttentionControl,
    layout: Layout,
    there: Tensor | None = None,
) -> Tensor:
    """Joint attention under control.

    Args:
        query, key, value: B×h×S×d. there: B×S bool, which tokens are keys; None for all.
    Returns:
        B×h×S×d.
    """
    present = None if there is None else there[:, None, None, :]
    query, key = _injected(query, key, control, layout)
    if not control.masks and control.recorder is None and not _reweighted(control):
        return attended(query, key, value, present)
    first, last = layout.picture
    pictures = query[:, :, first:last]
    if control.recorder is not None:
        _record(pictures, key, control, layout, present)
    masks = [_moved(mask, layout) for mask in control.masks]
    seen = masked_attention(pictures, key, _valued(value, control, layout), control, masks, present)
    before, after = (
        _of_words(query[:, :, part], key, value, control, masks, layout, present, part.start)
        for part in (slice(0, first), slice(last, query.shape[2]))
    )
    return torch.cat((before, seen, after), dim=2)


def _injected(query: Tensor, key: Tensor, control: AttentionControl, layout: Layout) -> tuple[Tensor, Tensor]:
    """While injection lasts, the target's picture tokens have the source's queries and keys (arXiv 2508.07519)."""
    injection = control.injection
    first, last = layout.picture
    if injection is None or last - first > injection.self_queries:
        return query, key
    found = []
    for states in (query, key):
        changed = states.clone()
        changed[injection.target, :, first:last] = states[injection.source, :, first:last]
        found.append(changed)
    return found[0], found[1]


def _reweighted(control: AttentionControl) -> bool:
    return control.injection is not None and control.injection.reweights


def _valued(value: Tensor, control: AttentionControl, layout: Layout) -> Tensor:
    """A word's attention times a factor is attention to its value times the factor."""
    injection = control.injection
    if injection is None or not injection.reweights:
        return value
    first, last = layout.words
    changed = value.clone()
    changed[injection.target, :, first:last] *= injection.equalizer[: last - first, None].to(value)
    return changed


def _moved(mask: TokenMask, layout: Layout) -> TokenMask:
    """Positions in the sequence instead of the prompt."""
    return replace(mask, positions=tuple(position + layout.words[0] for position in mask.positions))


def _record(pictures: Tensor, key: Tensor, control: AttentionControl, layout: Layout, present: Tensor | None) -> None:
    """Add the attention of the picture's tokens to words, a part of the queries at a time."""
    recorder, injection = control.recorder, control.injection
    if recorder is None or recorder.shape != control.shapes[pictures.shape[2]]:
        return
    scale = pictures.shape[-1] ** -0.5
    for row, positions in recorder.columns.items():
        columns = [position + layout.words[0] for position in positions]
        parts = []
        for part in torch.split(pictures[row], _CHUNK, dim=1):
            scores = part @ key[row].transpose(-1, -2) * scale
            if present is not None:
                scores = scores.masked_fill(~present[row], -torch.inf)
            parts.append(scores.softmax(dim=-1)[..., columns])
        found = torch.cat(parts, dim=1)
        if injection is not None and injection.reweights and row == injection.target:
            found = found * injection.equalizer[list(positions)].to(found)
        recorder.add_columns(row, found)


def _of_words(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    control: AttentionControl,
    masks: list[TokenMask],
    layout: Layout,
    present: Tensor | None,
    start: int,
) -> Tensor:
    """What all tokens but the picture's attend to; with the second mask, what [I] could be carried on by is taken out.

    The second mask (ours): other words don't attend to [I], and [I] attends to the picture inside M alone.

    Args:
        query: B×h×R×d of the tokens from `start` on.
    """
    if not control.second_mask or not masks or not query.shape[2]:
        return attended(query, key, value, present)
    scores = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5
    if present is not None:
        scores = scores.masked_fill(~present, -torch.inf)
    probabilities = scores.softmax(dim=-1)
    kept = _second_mask(masks, probabilities, control, layout, start)
    masked = probabilities * kept
    if control.semantics == "renormalise":
        masked = masked / masked.sum(dim=-1, keepdim=True)
    found: Tensor = masked @ value
    return found


def _second_mask(
    masks: list[TokenMask], probabilities: Tensor, control: AttentionControl, layout: Layout, start: int
) -> Tensor:
    """Factors B×1×R×S on probabilities of the queries from `start` on."""
    rows, _, queries, keys = probabilities.shape
    kept = probabilities.new_ones(rows, 1, queries, keys)
    first, last = layout.picture
    for mask in masks:
        inside = mask.pyramid.at(*control.shapes[last - first]).to(kept)
        own = [position - start for position in mask.positions if 0 <= position - start < queries]
        others = [place for place in range(queries) if place not in own]
        for row in mask.rows:
            for position in mask.positions:
                kept[row, 0, others, position] = 0
            kept[row, 0, own, first:last] *= inside
    return kept
