"""Gives the lowest layer a colour tag, by which its row in the Layers dialog can be seen."""

from common import Gimp, describe, report


def body() -> dict[str, object]:
    image = Gimp.get_images()[0]
    image.get_layers()[-1].set_color_tag(Gimp.ColorTag.VIOLET)
    Gimp.displays_flush()
    return describe(image)


report(body)
