"""An edit of the lowest layer by the plug-in's procedure; its result is the selected layer then."""

from typing import Any

from common import GIVEN, Gimp, call, describe, report


def body() -> dict[str, Any]:
    image = Gimp.get_images()[0]
    words = {"source": GIVEN["source"], "target": GIVEN["target"], "object": GIVEN["word"]}
    status, message, new = call("plug-in-s2edit", image, [image.get_layers()[-1]], **words)
    if status != "success":
        raise RuntimeError(message)
    image.set_selected_layers([new])
    Gimp.displays_flush()
    return describe(image)


report(body)
