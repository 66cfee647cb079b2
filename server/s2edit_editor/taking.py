"""What a composition can take something from, once for both editors."""

from __future__ import annotations

from collections.abc import Sequence

from .host import Host, Layer, Reference
from .text import _


def layers_to_take_from(host: Host, edited: str) -> list[Layer]:
    """The layers that have something to show, without the edited one and masks that were painted for others."""
    return [one for one in host.layers() if one.mark != edited and one.shows and not one.made_for]


def references(opened: Sequence[tuple[str, Host]], edited: str) -> list[Reference]:
    """The layers of the document in front without the edited one, then the other documents, each with its layers.

    Args:
        opened: all open documents by the editor's own text for them, the one in front first.
        edited: mark of the layer that is edited.
    """
    found = []
    for place, (document, host) in enumerate(opened):
        name = host.title()
        if place:
            found.append(Reference(document, _("{name} (the whole picture)", name=name)))
        layers = layers_to_take_from(host, "" if place else edited)
        found += [Reference(f"{document}:{layer.mark}", f"{layer.name} ({name})") for layer in layers]
    return found
