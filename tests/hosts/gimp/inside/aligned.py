"""How far the newest result is from the fake edit of what lies under it, in 8-bit steps, and where it is."""

from common import Gimp, inverse_errors, report

NEAR = 6
"""8-bit steps."""


def body() -> dict[str, object]:
    layers = Gimp.get_images()[0].get_layers()
    result = next(layer for layer in layers if layer.get_parasite("s2edit-recipe"))
    errors = inverse_errors(layers[-1], result)
    near = sum(error <= NEAR for error in errors) / len(errors)
    return {"error": max(errors), "near": near, "offset": list(result.get_offsets())[1:]}


report(lambda: {"found": body()})
