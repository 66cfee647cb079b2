"""Edits without windows that need more than one layer and a mask: several objects, references, a huge picture."""

import hashlib
import time
from typing import Any

from common import GIVEN, Gegl, Gimp, Gio, call, note, pixels, report

EDIT, PAINT = "plug-in-s2edit", "plug-in-s2edit-paint-mask"
AGAIN, JOBS = "plug-in-s2edit-again", "plug-in-s2edit-jobs"


def picture(side: int) -> tuple[Any, Any]:
    """A gray image with one layer that is a little darker in the middle; returns both."""
    image = Gimp.Image.new(side, side, Gimp.ImageBaseType.RGB)
    layer = Gimp.Layer.new(image, "source", side, side, Gimp.ImageType.RGB_IMAGE, 100.0, Gimp.LayerMode.NORMAL)
    image.insert_layer(layer, None, 0)
    for colour, box in (("#b0c0d0", (0, 0, side, side)), ("#604030", (side // 4, side // 4, side // 2, side // 2))):
        layer.get_buffer().set_color(Gegl.Rectangle.new(*box), Gegl.Color.new(colour))
    layer.update(0, 0, side, side)
    return image, layer


def edit(image: Any, layer: Any, **arguments: object) -> dict[str, Any]:
    """One edit; what the test wants to know of it, and the new layer."""
    start, count = time.monotonic(), len(image.get_layers())
    values = {"source": GIVEN["source"], "target": GIVEN["target"], "object": GIVEN["word"], **arguments}
    status, message, new = call(EDIT, image, [layer], **values)
    told = {"status": status, "message": message, "seconds": time.monotonic() - start}
    told["layers_added"] = len(image.get_layers()) - count
    return told | (result(new) if status == "success" else {})


def again(image: Any, layer: Any) -> dict[str, Any]:
    """Make a result once more."""
    status, message, new = call(AGAIN, image, [layer])
    return {"status": status, "message": message} | (result(new) if status == "success" else {})


def result(new: Any) -> dict[str, Any]:
    """What the test wants to know of a result."""
    return {
        "recipe": note(new, "s2edit-recipe"),
        "size": [new.get_width(), new.get_height()],
        "offset": list(new.get_offsets())[1:],
        "tattoo": new.get_tattoo(),
    }


def paint(image: Any, layer: Any, box: list[int]) -> Any:
    """A mask layer with a filled box on it."""
    mask = call(PAINT, image, [layer])[2]
    image.select_rectangle(Gimp.ChannelOps.REPLACE, *box)
    mask.edit_fill(Gimp.FillType.FOREGROUND)
    Gimp.Selection.none(image)
    return mask


def two_objects(words: str) -> dict[str, Any]:
    image, layer = picture(96)
    masks = [paint(image, layer, box) for box in GIVEN["objects"]]
    told = edit(image, layer, mask="mask-layers", object=words)
    told["masks_shown"] = [mask.get_visible() for mask in masks]
    image.delete()
    return told


def composition(kind: str) -> dict[str, Any]:
    image, layer = picture(96)
    other = Gimp.Layer.new_from_drawable(layer, image)
    image.insert_layer(other, None, 1)
    other.get_buffer().set_color(Gegl.Rectangle.new(0, 0, 96, 40), Gegl.Color.new("#ff8000"))
    wanted, given = pixels(other, "R'G'B'A u8"), {"reference": other}
    if kind == "file":
        loaded = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path(GIVEN["file"]))
        wanted = pixels(loaded.get_layers()[0], "R'G'B'A u8")
        loaded.delete()
        given = {"reference_file": Gio.File.new_for_path(GIVEN["file"])}
    if kind == "name":
        given = {"reference_name": other.get_name()}
    if kind == "none":
        given = {}
    if kind == "bad file":
        given = {"reference_file": Gio.File.new_for_path(GIVEN["no_picture"])}
    told = edit(image, layer, target=GIVEN["mixed"], reference_prompt=GIVEN["reference"], **given)
    if "tattoo" in told:
        told["again"] = again(image, image.get_layer_by_tattoo(told["tattoo"]))
    image.delete()
    return told | {"reference_sha256": hashlib.sha256(wanted).hexdigest()}


def one_after_the_other() -> dict[str, Any]:
    """Two results, each with a mask layer of its own; the older once more, then one over the newer."""
    image, layer = picture(96)
    told = {}
    for name, box in zip(("first", "second"), GIVEN["objects"], strict=True):
        paint(image, layer, box)
        told[name] = edit(image, layer, mask="mask-layers")
    first, second = (image.get_layer_by_tattoo(told[name]["tattoo"]) for name in ("first", "second"))
    told["first again"] = again(image, first)
    told["over the second"] = edit(image, second, mask="mask-layers")
    told["a picture that was never edited"] = again(image, layer)
    told["jobs"] = dict(zip(("status", "message"), call(JOBS, image, [layer])[:2], strict=True))
    image.delete()
    return told


def huge() -> dict[str, Any]:
    image, layer = picture(GIVEN["side"])
    image.select_rectangle(Gimp.ChannelOps.REPLACE, *GIVEN["box"])
    told = edit(image, layer, mask="selection")
    image.delete()
    return told


def body() -> dict[str, Any]:
    told = {f"composition with {kind}": composition(kind) for kind in ("layer", "name", "file", "none", "bad file")}
    told |= {"two objects": two_objects(GIVEN["two_words"]), "one word for two": two_objects(GIVEN["word"])}
    return told | one_after_the_other() | {"huge": huge()}


report(body)
