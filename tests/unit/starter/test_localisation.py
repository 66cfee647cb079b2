"""The parts' regions against the renderer, the words' parts, and the loss that ties attention to them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from s2edit.research.starter.attributes import TRAINING_SEED_LIMIT, Portrait, sample_attributes
from s2edit.research.starter.portraits import PORTRAITS
from s2edit.research.starter.regions import PARTS, part_regions
from s2edit.research.starter.renderer import render
from s2edit.research.starter.robots import ROBOTS
from s2edit.research.training.localisation import CrossAttentionWatch, localisation_loss, named_parts, token_parts
from s2edit.research.training.models import new_unet
from s2edit.research.training.tokenizer import MAX_TOKENS, new_tokenizer

_REMOVED = {
    "accessory": ("glasses", {"accessory": "none"}),
    "facial_hair": ("beard", {"facial_hair": "none"}),
    "hat": ("hat", {"hat": "none"}),
    "hair": ("curly", {"hair": "bald"}),
}


@pytest.mark.parametrize("part", _REMOVED)
@pytest.mark.parametrize("seed", range(TRAINING_SEED_LIMIT + 70, TRAINING_SEED_LIMIT + 73))
def test_a_region_is_where_the_picture_changes(part: str, seed: int) -> None:
    value, without = _REMOVED[part]
    seen_well = {"background": "white", "skin": "pale", "hair_color": "red", "hat_color": "red"}
    shown = sample_attributes(seed).change(**seen_well | {"hat": "none", "hair": "bald", part: value})
    region = part_regions(shown)[PARTS.index(part)]
    changed = np.abs(render(shown).astype(int) - render(shown.change(**without))).max(axis=2) > 24
    cells = changed.reshape(16, 8, 16, 8).mean(axis=(1, 3))
    # python-avatars moves glasses a little when the hair changes, so some cells change beside the part.
    assert np.minimum(region, cells).sum() > 0.75 * np.maximum(region, cells).sum()


def test_figure_and_wall_make_the_picture() -> None:
    portrait = sample_attributes(TRAINING_SEED_LIMIT + 80)
    figure, wall = part_regions(portrait)[[PARTS.index("figure"), PARTS.index("background")]]
    assert np.allclose(figure + wall, 1)
    other = portrait.change(background="white" if portrait.background != "white" else "purple")
    repainted = np.abs(render(portrait).astype(int) - render(other)).max(axis=2) > 4
    assert np.abs(wall - repainted.reshape(16, 8, 16, 8).mean(axis=(1, 3))).mean() < 0.03


def test_what_is_missing_has_no_region() -> None:
    regions = part_regions(Portrait(hair="bald"))
    for part in ("hair", "hat", "facial_hair", "accessory"):
        assert regions[PARTS.index(part)].max() == 0


def test_words_name_parts() -> None:
    sentence = "a smiling winking bald man with a red beard, brown skin and glasses, wearing a blue t-shirt"
    assert [part for _, part in named_parts(sentence, PORTRAITS.parts) if part] == [
        "mood", "eyes", "figure", "facial_hair", "facial_hair", "skin", "skin", "accessory", "clothes", "clothes"
    ]  # fmt: skip
    assert named_parts("a sks woman on a pink background", PORTRAITS.parts)[1:] == [
        ("sks", "figure"), ("woman", "figure"), ("on", None), ("a", None), ("pink", "background"),
        ("background", "background"),
    ]  # fmt: skip


def test_words_name_a_robots_parts() -> None:
    sentence = "a grinning dirty blue robot with heart eyes, a grille, an antenna, cables and circuits"
    assert [(word, part) for word, part in named_parts(sentence, ROBOTS.parts) if part] == [
        ("grinning", "mouth"), ("dirty", "figure"), ("blue", "figure"), ("robot", "figure"), ("heart", "eyes"),
        ("eyes", "eyes"), ("grille", "mouth"), ("antenna", "top"), ("cables", "sides"), ("circuits", "figure"),
    ]  # fmt: skip


def test_positions_are_the_tokenizers(tmp_path_factory: pytest.TempPathFactory) -> None:
    tokenizer = new_tokenizer(tmp_path_factory.mktemp("tokenizer"))
    text = "a sad man with red curly hair, wearing a blue t-shirt on a pink background"
    tokens = tokenizer.convert_ids_to_tokens(tokenizer(text).input_ids)
    words: dict[str, list[str]] = {}
    for position, part in token_parts(tokenizer, text, PORTRAITS.parts):
        words.setdefault(PARTS[part], []).append(tokens[position].removesuffix("</w>"))
    assert words == {
        "mood": ["sad"],
        "figure": ["man"],
        "hair": ["red", "curly", "hair"],
        "clothes": ["blue", "t", "-", "shirt"],
        "background": ["pink", "background"],
    }


def test_the_loss_is_zero_for_attention_spread_over_the_part_and_only_then() -> None:
    regions = torch.zeros(1, len(PARTS), 16, 16)
    regions[0, 0, :8] = 1
    attention = torch.full((1, 256, 6), 1e-9)
    attention[0, :128, 1] = 0.5  # inside
    attention[0, 128:, 2] = 0.5  # outside
    attention[0, :, 3] = 0.5  # half and half
    attention[0, 0, 4] = 0.5  # one cell of it
    losses = [localisation_loss(iter([attention]), [(0, at, 0)], regions).item() for at in (1, 3, 4, 2)]
    assert losses == sorted(losses)
    assert losses[0] == pytest.approx(0, abs=1e-5)
    assert losses[1] == pytest.approx(np.log(2), rel=1e-4)
    for nothing in ([], [(0, 2, 1)]):
        assert localisation_loss(iter([attention]), nothing, regions).item() == 0
    # A part that the picture does not show teaches nothing.
    both = localisation_loss(iter([attention]), [(0, 1, 0), (0, 2, 1)], regions)
    assert both.item() == pytest.approx(0, abs=1e-5)


def test_the_watched_maps_are_the_layers_own() -> None:
    torch.manual_seed(0)
    unet = new_unet()
    watch = CrossAttentionWatch(unet)
    seen: list[torch.Tensor] = []
    layers = [
        module
        for name, module in unet.named_modules()
        if name.endswith("attn2") and module.to_q.in_features in (64, 96)  # the levels of 16 x 16 and 8 x 8
    ]
    for layer in layers:
        layer.to_v.register_forward_hook(lambda _layer, _inputs, output: seen.append(output))
    context = torch.randn(2, MAX_TOKENS, 128)
    unet(torch.randn(2, 4, 16, 16), 500, encoder_hidden_states=context)
    maps = list(watch.maps())
    assert [tuple(one.shape) for one in maps] == [
        (2, 64 if m in (1, 2, 3) else 256, MAX_TOKENS) for m in range(len(maps))
    ]
    assert all(torch.allclose(one.sum(dim=-1), torch.ones(()), atol=1e-5) for one in maps)
    (maps[0][:, :, 3].mean() * 1e3).backward()
    assert unet.down_blocks[0].attentions[0].transformer_blocks[0].attn2.to_k.weight.grad.abs().max() > 0
    assert list(watch.maps()) == []
    assert len(seen) == len(maps)
