"""What a painter may do while a job runs: crop the image and move its lowest layer, delete that, or scale all."""

from common import GIVEN, Gimp, report


def body() -> dict[str, list[int]]:
    image = Gimp.get_images()[0]
    lowest = image.get_layers()[-1]
    if GIVEN.get("delete"):
        image.remove_layer(lowest)
    elif "scale" in GIVEN:
        image.scale(*GIVEN["scale"])
    else:
        image.crop(*GIVEN["crop"])
        _ok, x, y = lowest.get_offsets()
        lowest.set_offsets(x + GIVEN["move"][0], y + GIVEN["move"][1])
    Gimp.displays_flush()
    return {"size": [image.get_width(), image.get_height()]}


report(body)
