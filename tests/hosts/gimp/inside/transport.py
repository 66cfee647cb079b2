"""How long a large layer takes out of GIMP and a result into it, and how much of that passes inside GIMP itself."""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common import GIVEN, Gegl, Gimp, report

sys.path.insert(0, str(Path(GIVEN["plugin"])))

from s2edit_editor.host import Insertion
from s2edit_editor.pixels import Box, Picture
from s2edit_editor.turns import at_once
from s2edit_gimp.host import GimpHost  # type: ignore[import-not-found]

OWN = (
    (Gegl.Buffer, "get"),
    (Gegl.Buffer, "set"),
    (Gegl.Buffer, "flush"),
    (Gimp.Drawable, "update"),
    (Gimp.Layer, "create_mask"),
    (Gimp.Layer, "add_mask"),
    (Gimp.Image, "insert_layer"),
)
"""What of GIMP the plug-in calls on the way that takes time; none of these calls another."""
ROUNDS = 3


class Clock:
    """Adds up the seconds that pass inside OWN, within the very runs that are timed, so that it is a share of them."""

    def __init__(self) -> None:
        self.own = 0.0
        for owner, name in OWN:
            setattr(owner, name, self._timed(getattr(owner, name)))

    def _timed(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: object) -> Any:
            start = time.perf_counter()
            try:
                return method(*arguments)
            finally:
                self.own += time.perf_counter() - start

        return timed

    def run(self, work: Callable[[], Any]) -> tuple[float, float, Any]:
        """(seconds, of those GIMP's own, value) of one run."""
        self.own, start = 0.0, time.perf_counter()
        value = work()
        return time.perf_counter() - start, self.own, value


def body() -> dict[str, Any]:
    side = GIVEN["side"]
    image = Gimp.Image.new(side, side, Gimp.ImageBaseType.RGB)
    layer = Gimp.Layer.new(image, "big", side, side, Gimp.ImageType.RGBA_IMAGE, 100.0, Gimp.LayerMode.NORMAL)
    image.insert_layer(layer, None, 0)
    noise = bytes((7, 130, 61, 255)) * (side * side)  # opaque, as nearly all layers are
    layer.get_buffer().set(Gegl.Rectangle.new(0, 0, side, side), "R'G'B'A u8", noise)
    patch = Picture(side, side, 3, "u1", bytes(side * side * 3))
    alpha = Picture(side, side, 1, "u1", b"\xff" * (side * side))
    host, whole, mark = GimpHost(image), Box(0, 0, side, side), str(layer.get_tattoo())

    def take_out() -> Any:
        return host.read(mark, whole)

    def put_in() -> Any:
        result = Insertion("result", whole, patch, alpha, "", mark, mark)
        return host.attach(at_once(host.making(result)), result)

    clock, out, came_in = Clock(), [], []
    picture = take_out()  # the first touch of so much memory is not what is measured
    for _round in range(ROUNDS):
        out.append(clock.run(take_out)[:2])
        came_in.append(clock.run(put_in)[:2])
    told = {"bytes": len(picture.data), "layers": len(image.get_layers())}
    for name, rounds in (("out", out), ("in", came_in)):
        told[name], told[f"{name}_own"] = (statistics.median(times) for times in zip(*rounds, strict=True))
    return told


report(body)
