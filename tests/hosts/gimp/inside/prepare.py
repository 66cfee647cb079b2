"""Makes the open picture what a test begins with: its lowest layer alone, then copies, noise or indexed colours."""

import random
from typing import Any

from common import GIVEN, Gegl, Gimp, describe, report


def body() -> dict[str, Any]:
    image = Gimp.get_images()[0]
    *others, lowest = image.get_layers()
    for layer in others:
        image.remove_layer(layer)
    for name in GIVEN.get("copies", []):
        copy = Gimp.Layer.new_from_drawable(lowest, image)
        copy.set_name(name)
        image.insert_layer(copy, None, 0)
    if GIVEN.get("noise"):
        width, height = lowest.get_width(), lowest.get_height()
        data = random.Random(5).randbytes(3 * width * height)
        lowest.get_buffer().set(Gegl.Rectangle.new(0, 0, width, height), "R'G'B' u8", data)
        lowest.update(0, 0, width, height)
    if GIVEN.get("indexed"):
        image.convert_indexed(Gimp.ConvertDitherType.NONE, Gimp.ConvertPaletteType.GENERATE, 16, False, False, "")
    image.set_selected_layers([lowest])
    Gimp.displays_flush()
    return describe(image)


report(body)
