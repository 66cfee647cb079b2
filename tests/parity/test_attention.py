"""Eq. 3 in one fused call equals the formula on explicit probabilities, in its values and in its gradients."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from s2edit.method.attention import AttentionControl, TokenMask, cross_attention
from s2edit.method.masks import MaskPyramid

LENGTH = 77
SHAPE = (6, 10)


def inputs() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(4)
    sizes = ((3, 2, SHAPE[0] * SHAPE[1], 8), (3, 2, LENGTH, 8), (3, 2, LENGTH, 8))
    query, key, value = (torch.randn(size, generator=generator).requires_grad_() for size in sizes)
    return query, key, value


def pyramid(seed: int) -> MaskPyramid:
    """Cells wholly inside, wholly outside, and in between."""
    mask = torch.rand(SHAPE, generator=torch.Generator().manual_seed(seed))
    mask[:2], mask[2:4] = 1, 0
    # What area pooling's rounding may give.
    mask[0, 0] = 1 + 1e-6
    return MaskPyramid(mask)


MASKS = {
    "one row": [TokenMask((1,), (2,), pyramid(1))],
    "all rows": [TokenMask((0, 1, 2), (5,), pyramid(1))],
    "unlike rows": [TokenMask((0,), (3, 4), pyramid(1)), TokenMask((2,), (7,), pyramid(2))],
    "two masks on one token": [TokenMask((0, 1), (3,), pyramid(1)), TokenMask((1,), (3, 9), pyramid(2))],
}


def written_out(query: Tensor, key: Tensor, value: Tensor, masks: list[TokenMask], *, renormalise: bool) -> Tensor:
    """Row by row and column by column."""
    outputs = []
    for row in range(query.shape[0]):
        attention = (query[row] @ key[row].transpose(-1, -2) / query.shape[-1] ** 0.5).softmax(dim=-1)
        factor = torch.ones(attention.shape[1:])
        for mask in masks:
            for position in mask.positions if row in mask.rows else ():
                factor[:, position] *= mask.pyramid.mask.flatten()
        masked = attention * factor
        outputs.append((masked / masked.sum(dim=-1, keepdim=True) if renormalise else masked) @ value[row])
    return torch.stack(outputs)


@pytest.mark.parametrize("renormalise", [False, True], ids=["post_softmax", "renormalise"])
@pytest.mark.parametrize("name", MASKS)
def test_values_and_gradients(name: str, renormalise: bool) -> None:
    control = AttentionControl(masks=MASKS[name], semantics="renormalise" if renormalise else "post_softmax")
    control.set_latent_size(*SHAPE)
    found, wanted = inputs(), inputs()
    ours = cross_attention(*found, control)
    literal = written_out(*wanted, MASKS[name], renormalise=renormalise)
    torch.testing.assert_close(ours, literal, rtol=0, atol=2e-6)
    weights = torch.randn(ours.shape, generator=torch.Generator().manual_seed(5))
    (ours * weights).sum().backward()
    (literal * weights).sum().backward()
    for one, other in zip(found, wanted, strict=True):
        assert one.grad is not None
        torch.testing.assert_close(one.grad, other.grad, rtol=0, atol=1e-5)


def test_other_masks_on_the_same_layer_are_not_mixed_up() -> None:
    """What is kept from one pass serves the next only when rows, positions, M and semantics are the same."""
    control = AttentionControl()
    control.set_latent_size(*SHAPE)
    query, key, value = (tensor.detach() for tensor in inputs())
    for masks in (*MASKS.values(), [], MASKS["one row"]):
        for renormalise in (False, True):
            control.masks, control.semantics = masks, "renormalise" if renormalise else "post_softmax"
            wanted = written_out(query, key, value, masks, renormalise=renormalise)
            torch.testing.assert_close(cross_attention(query, key, value, control), wanted, rtol=0, atol=2e-6)


def test_nothing_is_masked_where_the_mask_is_full() -> None:
    control = AttentionControl(masks=[TokenMask((0, 1, 2), (2,), MaskPyramid(torch.ones(SHAPE)))])
    control.set_latent_size(*SHAPE)
    query, key, value = (tensor.detach() for tensor in inputs())
    plain = torch.nn.functional.scaled_dot_product_attention(query, key, value)
    torch.testing.assert_close(cross_attention(query, key, value, control), plain, rtol=0, atol=2e-6)
