"""Builds the documents of `tests/hosts/documents.py`, edits each by the plug-in, and leaves what is seen."""

import time
from pathlib import Path
from typing import Any

from common import GIVEN, Gegl, Gimp, call, note, pixels, report


def put(drawable: Any, path: str, box: list[int], encoding: str) -> None:
    """Fill a drawable with raw pixels."""
    width, height = box[2:]
    drawable.get_buffer().set(Gegl.Rectangle.new(0, 0, width, height), encoding, Path(path).read_bytes())
    drawable.get_buffer().flush()
    drawable.update(0, 0, width, height)


def as_stored(layer: Any) -> None:
    """Blend the encoded values, as Krita does and the truth is computed."""
    layer.set_blend_space(Gimp.LayerColorSpace.RGB_NON_LINEAR)
    layer.set_composite_space(Gimp.LayerColorSpace.RGB_NON_LINEAR)


def build(record: dict[str, Any]) -> Any:
    image = Gimp.Image.new(*record["canvas"], Gimp.ImageBaseType.RGB)
    groups: dict[str, Any] = {}
    for entry in record["layers"]:
        parent = None
        if entry["group"]:
            if entry["group"] not in groups:
                groups[entry["group"]] = Gimp.GroupLayer.new(image, entry["group"])
                image.insert_layer(groups[entry["group"]], None, 0)
                as_stored(groups[entry["group"]])
            parent = groups[entry["group"]]
        mode = {"normal": Gimp.LayerMode.NORMAL, "multiply": Gimp.LayerMode.MULTIPLY}[entry["mode"]]
        x, y, width, height = entry["box"]
        kind = Gimp.ImageType.RGBA_IMAGE
        layer = Gimp.Layer.new(image, entry["name"], width, height, kind, 100 * entry["opacity"], mode)
        image.insert_layer(layer, parent, 0)
        as_stored(layer)
        layer.set_offsets(x, y)
        put(layer, entry["pixels"], entry["box"], "R'G'B'A u8")
        if "mask" in entry:
            mask = layer.create_mask(Gimp.AddMaskType.WHITE)
            layer.add_mask(mask)
            put(mask, entry["mask"], entry["box"], "Y u8")
    return image


def edited(record: dict[str, Any]) -> dict[str, Any]:
    image = build(record)
    layer = image.get_layer_by_name(record["edited"])
    made = []
    started = time.monotonic()
    for target in GIVEN["targets"][: 2 if record["name"] == GIVEN["twice"] else 1]:
        image.select_rectangle(Gimp.ChannelOps.REPLACE, *record["marked"])
        values = {"source": GIVEN["source"], "target": target, "object": GIVEN["word"], "mask": "selection"}
        status, message, new = call("plug-in-s2edit", image, [layer], **values)
        if status != "success":
            return {"error": message}
        made.append(note(new, "s2edit-recipe"))
        if len(made) == 1:
            Gimp.Selection.none(image)
            seen = Gimp.Layer.new_from_visible(image, image, "seen")
            Path(record["shown"]).write_bytes(pixels(seen, "R'G'B'A u8", tuple(record["seen"])))
            seen.delete()
    parent = layer.get_parent()
    stack = [one.get_name() for one in (image.get_layers() if parent is None else parent.get_children())]
    image.delete()
    return {"recipe": made[0], "stack": stack, "seconds": round(time.monotonic() - started, 2)}


def body() -> dict[str, Any]:
    return {record["name"]: edited(record) for record in GIVEN["documents"]}


report(body)
