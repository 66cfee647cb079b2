"""The recipe of the topmost layer, and the layer that it was made from."""

from typing import Any

from common import Gimp, note, report


def body() -> dict[str, Any]:
    image = Gimp.get_images()[0]
    layer = image.get_layers()[0]
    recipe, source = (note(layer, f"s2edit-{name}") for name in ("recipe", "source"))
    return {"recipe": recipe, "source": image.get_layer_by_tattoo(int(source)).get_name()}


report(body)
