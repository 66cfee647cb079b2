"""Runs the edit of the lowest layer once more with its last values, as Filters → Repeat does."""

from common import Gimp, call, report


def body() -> dict[str, str]:
    image = Gimp.get_images()[0]
    lowest = image.get_layers()[-1]
    status, message, _new = call("plug-in-s2edit", image, [lowest], run_mode=Gimp.RunMode.WITH_LAST_VALS)
    return {"status": status, "message": message}


report(body)
