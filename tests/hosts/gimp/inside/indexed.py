"""Gives the picture indexed colours."""

from common import Gimp, describe, report


def body() -> dict[str, object]:
    image = Gimp.get_images()[0]
    image.convert_indexed(Gimp.ConvertDitherType.NONE, Gimp.ConvertPaletteType.GENERATE, 16, False, False, "")
    Gimp.displays_flush()
    return describe(image)


report(body)
