"""One edit of the open picture without windows, which is refused: how it ended, and what GIMP was told."""

from typing import Any

from common import GIVEN, Gimp, call, report


def body() -> dict[str, Any]:
    image = Gimp.get_images()[0]
    words = {name: GIVEN[name] for name in ("source", "target", "object")}
    status, message, _ = call("plug-in-s2edit", image, image.get_selected_layers(), **words)
    return {"status": status, "message": message}


report(body)
