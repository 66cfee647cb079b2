"""What a composition can take from: neither what is edited nor what shows nothing."""

from __future__ import annotations

from s2edit_editor.pixels import Box
from s2edit_editor.taking import references

from tests.fakes.editor import FakeHost

BOX = Box(0, 0, 8, 8)


def test_layers_of_the_picture_in_front_then_the_others_whole_and_by_layer() -> None:
    front, other = FakeHost(), FakeHost()
    for host in (front, other):
        host.with_layer("photo", BOX, name="Photo").with_layer("hat", BOX, name="A hat")
        host.with_layer("mask", BOX, made_for="photo").with_layer("filter", BOX, shows=False)
    found = [(one.mark, one.label) for one in references([("a", front), ("b", other)], "photo")]
    title = other.title()
    assert found == [
        ("a:hat", f"A hat ({title})"),
        ("b", f"{title} (the whole picture)"),
        ("b:hat", f"A hat ({title})"),
        ("b:photo", f"Photo ({title})"),
    ]
    assert references([], "") == []
