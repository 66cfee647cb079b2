"""The second domain: deterministic robots, one change at a time, truthful captions, edits with answers one can see."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import numpy as np
import pytest
from scipy.ndimage import binary_dilation

from s2edit.research.evaluation.cases import cases
from s2edit.research.starter.attributes import TRAINING_SEED_LIMIT
from s2edit.research.starter.domain import NAMES, Edit, domain
from s2edit.research.starter.robots import ROBOTS, Robot
from s2edit.research.starter.robots.extract import drawings
from s2edit.research.starter.robots.regions import PARTS, part_regions
from s2edit.research.training.tokenizer import MAX_TOKENS

FRESH = range(TRAINING_SEED_LIMIT, TRAINING_SEED_LIMIT + 300)


def _changed(before: Robot, after: Robot) -> np.ndarray:
    difference = np.abs(ROBOTS.render(before, 128).astype(int) - ROBOTS.render(after, 128))
    return np.asarray(difference.max(axis=2) > 8)


def test_same_seed_same_robot_and_other_seed_another() -> None:
    first, robot = ROBOTS.picture(FRESH[0])
    again, same = ROBOTS.picture(FRESH[0])
    assert robot == same
    assert np.array_equal(first, again)
    assert not np.array_equal(first, ROBOTS.picture(FRESH[1])[0])


def test_vectors_render_at_any_size() -> None:
    robot = ROBOTS.sample(FRESH[3])
    shrunk = ROBOTS.render(robot, 512).reshape(128, 4, 128, 4, 3).mean(axis=(1, 3))
    assert np.abs(shrunk - ROBOTS.render(robot, 128)).mean() < 4
    with pytest.raises(ValueError, match="16 to 8192"):
        ROBOTS.render(robot, 8)


@pytest.mark.parametrize(
    ("field", "value", "part"),
    [
        ("eyes", "visor", "eyes"),
        ("mouth", "grinning", "mouth"),
        ("top", "antenna", "top"),
        ("top", "horns", "top"),
        ("sides", "cables", "sides"),
        ("color", "red", "figure"),
        ("texture", "dirty", "figure"),
        ("background", "yellow", "background"),
    ],
)
def test_one_change_stays_in_the_region_of_its_part(field: str, value: str, part: str) -> None:
    before = Robot(scene=7, top="bulb" if field == "color" else "none")
    after = before.change(**{field: value})
    changed = _changed(before, after)
    assert changed.sum() > 20, "the change must be seen"
    region = np.maximum(*(part_regions(robot)[PARTS.index(part)] for robot in (before, after)))
    near = binary_dilation(np.kron(region > 0, np.ones((8, 8))))
    assert (changed & ~near).sum() <= 0.02 * changed.sum()


def test_unknown_value_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="top cannot be 'hat'; choose one of: none, antenna"):
        Robot(top="hat")


def test_full_caption_names_every_part_that_is_there() -> None:
    robot = Robot(color="orange", mouth="grille", eyes="visor", top="antenna", sides="ears", background="green")
    assert (
        ROBOTS.caption(robot)
        == "a square orange robot with a visor, a grille, an antenna and ears on a green background"
    )
    assert ROBOTS.caption(robot, mention={"color", "mouth"}) == "an orange robot with a grille"
    dirty = Robot(texture="dirty", head="round")
    assert ROBOTS.caption(dirty) == "a smiling dirty round blue robot with small eyes on a white background"


def test_captions_claim_only_what_is_seen() -> None:
    for seed in FRESH:
        robot = ROBOTS.sample(seed)
        text = ROBOTS.caption(robot, np.random.default_rng(seed))
        words = text.replace(",", "").split()
        for field, values in robot.VALUES.items():
            if field in {"color", "background"}:
                continue
            for value in values:
                assert value not in words or value == getattr(robot, field), text
        assert {word for word in words if word in robot.VALUES["color"]} <= {robot.color, robot.background}, text


@pytest.mark.parametrize("name", NAMES)
def test_a_domain_keeps_its_word(name: str) -> None:
    """What trainer, classifier and benchmark rely on, whatever is drawn."""
    world = domain(name)
    words = set(world.words())
    for seed in FRESH[:150]:
        thing = world.sample(seed)
        assert world.thing(**thing.named()).named() == thing.named()
        assert world.visible(thing) <= world.values.keys()
        assert world.asked(thing).items() <= thing.named().items()
        text = world.caption(thing, np.random.default_rng(seed))
        assert set(text.replace(",", "").split()) <= words | {"a", "an", "with", "and", "on", "of", "wearing"} | {
            "portrait",
            "cartoon",
            "photo",
        }
        assert any(noun in text.split() or f"{noun}," in text for noun in world.nouns), text


def test_every_value_is_drawn_often_enough() -> None:
    drawn = [ROBOTS.sample(seed) for seed in range(1000)]
    for field, values in ROBOTS.values.items():
        counts = Counter(getattr(robot, field) for robot in drawn)
        assert all(counts[value] >= 50 for value in values), (field, counts)


def test_other_domains_are_refused_in_words() -> None:
    with pytest.raises(ValueError, match="no domain “cats”; choose one of: portraits, robots"):
        domain("cats")


@pytest.mark.parametrize("edit", ROBOTS.edits, ids=lambda edit: edit.name)
def test_an_edit_has_an_answer_that_is_seen_and_said(edit: Edit[Robot]) -> None:
    sources = list(islice((robot for robot in map(ROBOTS.sample, range(5000)) if edit.needs(robot)), 2))
    assert len(sources) == 2
    for source in sources:
        target = source.change(**edit.changes)
        share = _changed(source, target).mean()
        assert 0.003 < share < 0.95, share
        mention = {*ROBOTS.usual, *edit.mention}
        assert ROBOTS.caption(source, mention=mention) != ROBOTS.caption(target, mention=mention)


def test_the_edits_are_of_all_kinds() -> None:
    assert {edit.kind for edit in ROBOTS.edits} == {"add", "remove", "replace", "recolour", "double"}
    names = [edit.name for name in NAMES for edit in domain(name).edits]
    assert len(set(names)) == len(names), "a case is known by its edit's name"


def test_the_benchmark_asks_for_edits_of_robots() -> None:
    asked = list(cases(6, 2, domain=ROBOTS))
    assert len(asked) == 12
    for case in asked:
        assert case.noun in case.prompts[0].split()
        assert case.prompts[0] != case.prompts[1]
        assert len(case.prompts[0].replace(",", " ,").split()) + 2 + 1 <= MAX_TOKENS, "start, end and [I] fit too"
        assert np.array_equal(case.image[~case.changed], case.truth[~case.changed])
        assert 0.003 < case.changed.mean() < 0.99


def test_drawings_are_read_out_of_the_package() -> None:
    hole = "${(_b = (_a = components.texture) === null ? void 0 : _a.value(components, colors)) !== null ? _b : ''}"
    source = (
        "    plain: (components, colors) => `<rect/>`,\n"
        "    round: (components, colors) => { var _a, _b; return "
        '`<path fill="${escape.xml(`${colors.base}`)}"/>' + hole + "<g></g>`; },\n"
    )
    assert drawings(source) == {"plain": "<rect/>", "round": '<path fill="$color"/>$texture<g></g>'}
    with pytest.raises(ValueError, match="not the drawings that were expected"):
        drawings('    odd: (components, colors) => `<path d="${size}"/>`,\n')
    with pytest.raises(ValueError, match="there are none"):
        drawings("export {}")
