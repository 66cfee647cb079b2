"""A digest of one layer's pixels; the layer is counted from the top, -1 is the lowest."""

import hashlib

from common import GIVEN, Gimp, pixels, report


def body() -> dict[str, str]:
    layer = Gimp.get_images()[0].get_layers()[GIVEN["layer"]]
    return {"digest": hashlib.sha256(pixels(layer, "RGBA float")).hexdigest()}


report(body)
