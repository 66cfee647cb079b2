"""What the host reads of a layer, and of all that is visible: a layer over another one, and a painted mask on top."""

import sys
from pathlib import Path
from typing import Any

from common import GIVEN, Gegl, Gimp, report

sys.path.insert(0, str(Path(GIVEN["plugin"])))

from s2edit_editor.masks import mask_layer
from s2edit_editor.pixels import Box
from s2edit_gimp.host import GimpHost  # type: ignore[import-not-found]

BELOW, ABOVE = (10, 20, 30, 255), (200, 100, 50, 255)


def body() -> dict[str, Any]:
    image = Gimp.Image.new(8, 6, Gimp.ImageBaseType.RGB)
    marks = []
    for name, colour, place, size in (("below", BELOW, (0, 0), (8, 6)), ("above", ABOVE, (4, 3), (4, 3))):
        layer = Gimp.Layer.new(image, name, *size, Gimp.ImageType.RGBA_IMAGE, 100.0, Gimp.LayerMode.NORMAL)
        layer.set_offsets(*place)
        image.insert_layer(layer, None, 0)
        data = bytes(colour) * (size[0] * size[1])
        layer.get_buffer().set(Gegl.Rectangle.new(0, 0, *size), "R'G'B'A u8", data)
        marks.append(str(layer.get_tattoo()))
    host, corner = GimpHost(image), Box(3, 2, 2, 2)
    mask_layer(host, marks[0], "hat", (corner, b"\xff" * 4))
    image.clean_all()
    seen = {name: list(host.read(mark, corner).data) for name, mark in (("below", marks[0]), ("visible", ""))}
    seen["glance"] = list(host.glance("", Box(0, 0, 8, 6), 5).data)
    shown = [layer.get_visible() for layer in image.get_layers()]
    return seen | {"shown": shown, "dirty": image.is_dirty(), "images": len(Gimp.get_images())}


report(body)
