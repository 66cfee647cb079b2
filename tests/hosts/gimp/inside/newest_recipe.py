"""The recipe of the topmost layer, and the layer that it was made from."""

from typing import Any

from common import Gimp, report


def body() -> dict[str, Any]:
    image = Gimp.get_images()[0]
    layer = image.get_layers()[0]
    recipe, source = (bytes(layer.get_parasite(f"s2edit-{name}").get_data()).decode() for name in ("recipe", "source"))
    return {"recipe": recipe, "source": image.get_layer_by_tattoo(int(source)).get_name()}


report(body)
