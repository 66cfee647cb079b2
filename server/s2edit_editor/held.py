"""Pixels that are copied a band at a time while somebody paints on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .pixels import Box
from .turns import BAND, Work


@dataclass
class Held:
    """Pixels as they were at one moment, to be copied in bands while somebody paints on.

    Args:
        take: the wire's bytes of a band; item: how many of them are a pixel.
        end: gives back what holds them.
    """

    take: Callable[[Box], bytes | bytearray]
    item: int
    end: Callable[[], None] = lambda: None

    def copied(self, box: Box) -> Work[bytearray]:
        """All bytes of the box, a band in each turn."""
        data, place = bytearray(box.width * box.height * self.item), 0
        try:
            for band in box.bands(BAND):
                part = self.take(band)
                data[place : place + len(part)] = part
                place += len(part)
                yield
        finally:
            self.end()
        return data
