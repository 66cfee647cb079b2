"""What a painter may do to the newest image: crop it and move its lowest layer, delete that, or scale all.

Or, with a result: delete the top layer, or merge it down.
"""

from common import GIVEN, Gimp, report


def body() -> dict[str, list[int]]:
    image = Gimp.get_images()[0]
    lowest = image.get_layers()[-1]
    if GIVEN.get("delete"):
        image.remove_layer(lowest)
    elif GIVEN.get("delete_top"):
        image.remove_layer(image.get_layers()[0])
    elif GIVEN.get("merge"):
        image.merge_down(image.get_layers()[0], Gimp.MergeType.EXPAND_AS_NECESSARY)
    elif "scale" in GIVEN:
        image.scale(*GIVEN["scale"])
    else:
        image.crop(*GIVEN["crop"])
        _ok, x, y = lowest.get_offsets()
        lowest.set_offsets(x + GIVEN["move"][0], y + GIVEN["move"][1])
    Gimp.displays_flush()
    return {"size": [image.get_width(), image.get_height()]}


report(body)
