"""Makes the open picture what a test begins with: its lowest layer alone, then copies, a photo or indexed colours."""

from typing import Any

from common import GIVEN, Gegl, Gimp, describe, load, report


def body() -> dict[str, Any]:
    image = Gimp.get_images()[0]
    *others, lowest = image.get_layers()
    for layer in others:
        image.remove_layer(layer)
    for name in GIVEN.get("copies", []):
        copy = Gimp.Layer.new_from_drawable(lowest, image)
        copy.set_name(name)
        image.insert_layer(copy, None, 0)
    if GIVEN.get("photograph"):
        width, height = lowest.get_width(), lowest.get_height()
        loaded = load(GIVEN["photograph"])
        loaded.scale(width, height)
        place = Gegl.Rectangle.new(0, 0, width, height)
        data = loaded.get_layers()[0].get_buffer().get(place, 1.0, "R'G'B' u8", Gegl.AbyssPolicy.NONE)
        lowest.get_buffer().set(place, "R'G'B' u8", bytes(data))
        lowest.update(0, 0, width, height)
        loaded.delete()
    if GIVEN.get("indexed"):
        image.convert_indexed(Gimp.ConvertDitherType.NONE, Gimp.ConvertPaletteType.GENERATE, 16, False, False, "")
    image.set_selected_layers([lowest])
    Gimp.displays_flush()
    return describe(image)


report(body)
