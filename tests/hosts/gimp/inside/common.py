"""For the scripts beside this one, which run inside GIMP's own Python: the test's parameters, the report, calls."""

import json
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")

from gi.repository import Gegl, Gimp, Gio  # noqa: E402 - versions first

__all__ = [
    "GIVEN",
    "Gegl",
    "Gimp",
    "Gio",
    "call",
    "describe",
    "inverse_error",
    "inverse_errors",
    "load",
    "note",
    "pixels",
    "report",
]

GIVEN: dict[str, Any] = {}
"""What the test handed over, by name."""


def report(body: Callable[[], object]) -> None:
    """Run `body` and write what it returns, or its traceback, where the test looks for it."""
    try:
        value = body()
    except Exception:  # noqa: BLE001 - the test has to hear of everything
        value = {"error": traceback.format_exc()}
    path = Path(GIVEN["report"])
    new = path.with_suffix(".new")
    new.write_text(json.dumps(value), encoding="utf-8")
    new.replace(path)


def call(name: str, image: Any, drawables: list[Any], **values: object) -> tuple[str, str, Any]:
    """Run a procedure without windows; returns (status, message, value)."""
    procedure = Gimp.get_pdb().lookup_procedure(name)
    config = procedure.create_config()
    config.set_property("run-mode", Gimp.RunMode.NONINTERACTIVE)
    config.set_property("image", image)
    config.set_core_object_array("drawables", drawables)
    for key, value in values.items():
        config.set_property(key.replace("_", "-"), value)
    answer = procedure.run(config)
    status = answer.index(0).value_nick
    value = answer.index(1) if answer.length() > 1 else None
    return status, value if isinstance(value, str) else "", value


def pixels(drawable: Any, encoding: str, box: tuple[int, int, int, int] | None = None) -> bytes:
    """Bytes of a drawable, or of a box of it."""
    box = box or (0, 0, drawable.get_width(), drawable.get_height())
    return bytes(drawable.get_buffer().get(Gegl.Rectangle.new(*box), 1.0, encoding, Gegl.AbyssPolicy.NONE))


def note(owner: Any, name: str) -> str:
    """A parasite's text; GIMP gives its bytes as signed numbers."""
    return bytes(byte & 255 for byte in owner.get_parasite(name).get_data()).decode()


def load(path: str) -> Any:
    """The image in a file."""
    return Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path(path))


def describe(image: Any) -> dict[str, Any]:
    """What an image is made of, from the top down."""
    return {
        "images": len(Gimp.get_images()),
        "name": image.get_name(),
        "dirty": image.is_dirty(),
        "base": image.get_base_type().value_nick,
        "size": [image.get_width(), image.get_height()],
        "layers": [
            {
                "name": layer.get_name(),
                "offset": list(layer.get_offsets())[1:],
                "size": [layer.get_width(), layer.get_height()],
                "visible": layer.get_visible(),
                "mask": layer.get_mask() is not None,
                "parasites": sorted(layer.get_parasite_list()),
            }
            for layer in image.get_layers()
        ],
        "notes": {name: note(image, name) for name in image.get_parasite_list() if name.startswith("s2edit-before")},
        "says_model": (metadata := image.get_metadata()) is not None and "AISystemUsed" in metadata.serialize(),
        "selected": [layer.get_name() for layer in image.get_selected_layers()],
    }


def inverse_error(source: Any, result: Any) -> int:
    """The largest of `inverse_errors`."""
    return max(inverse_errors(source, result))


def inverse_errors(source: Any, result: Any) -> list[int]:
    """Differences, in 8-bit steps, between a result where its mask is full and the source's inverse there.

    The fake worker inverts colours, so these are small exactly when the result lies where it was taken from.
    """
    _ok, sx, sy = source.get_offsets()
    _ok, rx, ry = result.get_offsets()
    left, top = max(sx, rx), max(sy, ry)
    width = min(sx + source.get_width(), rx + result.get_width()) - left
    height = min(sy + source.get_height(), ry + result.get_height()) - top
    old = pixels(source, "R'G'B' u8", (left - sx, top - sy, width, height))
    new = pixels(result, "R'G'B' u8", (left - rx, top - ry, width, height))
    mask = pixels(result.get_mask(), "Y u8", (left - rx, top - ry, width, height))
    full = [index for index, value in enumerate(mask) if value == 255]
    return [abs(255 - old[3 * index + channel] - new[3 * index + channel]) for index in full for channel in range(3)]
