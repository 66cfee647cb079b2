"""What the benchmark edits on robots: the same kinds of edits as on portraits, none of them about a face."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s2edit.research.starter.domain import Edit
from s2edit.research.starter.robots.attributes import seen_well

if TYPE_CHECKING:
    from s2edit.research.starter.robots.attributes import Robot


def _edit(name: str, kind: str, before: dict[str, str], after: dict[str, str]) -> Edit[Robot]:
    """An edit of robots with the values of `before`; none whose answer would be hard to see."""

    def needs(robot: Robot) -> bool:
        target = robot.change(**after)
        possible = all(getattr(robot, field) == value for field, value in before.items())
        return possible and seen_well(target.color, target.eyes, target.background)

    return Edit(name, kind, needs, after, frozenset(after))


EDITS: tuple[Edit[Robot], ...] = (
    _edit("add an antenna", "add", {"top": "none"}, {"top": "antenna"}),
    _edit("add horns", "add", {"top": "none"}, {"top": "horns"}),
    _edit("add cables", "add", {"sides": "none"}, {"sides": "cables"}),
    _edit("remove the antenna", "remove", {"top": "antenna"}, {"top": "none"}),
    _edit("remove the ears", "remove", {"sides": "ears"}, {"sides": "none"}),
    _edit("remove the dirt", "remove", {"texture": "dirty"}, {"texture": "plain"}),
    _edit("smiling to serious robot", "replace", {"mouth": "smiling"}, {"mouth": "serious"}),
    _edit("big eyes to heart eyes", "replace", {"eyes": "big"}, {"eyes": "heart"}),
    _edit("small eyes to sunglasses", "replace", {"eyes": "small"}, {"eyes": "sunglasses"}),
    _edit("antenna to horns", "replace", {"top": "antenna"}, {"top": "horns"}),
    _edit("red robot to blue", "recolour", {"color": "red"}, {"color": "blue"}),
    _edit("gray robot to orange", "recolour", {"color": "gray"}, {"color": "orange"}),
    _edit("green background to purple", "recolour", {"background": "green"}, {"background": "purple"}),
    _edit("horns and a visor", "double", {"top": "none", "eyes": "small"}, {"top": "horns", "eyes": "visor"}),
    _edit("blue and heart eyes", "double", {"color": "gray", "eyes": "big"}, {"color": "blue", "eyes": "heart"}),
)
