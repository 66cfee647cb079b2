"""An edit without windows in every kind of image; for each, what changed and what did not."""

import random
import time
from typing import Any

from common import GIVEN, Gegl, Gimp, call, inverse_error, note, pixels, report

SIZE = 96
BOX = (30, 24, 40, 36)
"""The selection, in the image: x, y, width, height."""


def noise(channels: int, seed: int) -> bytes:
    """Smooth colour with some noise, 8 bit."""
    rng = random.Random(seed)
    out = bytearray()
    for y in range(SIZE):
        for x in range(SIZE):
            base = (2 * x + 20, 2 * y + 20, x + y + 30)
            colour = [min(250, value + rng.randrange(6)) for value in base]
            out += bytes(
                ([sum(colour) // 3] if channels < 3 else colour) + ([200 + x % 50] if channels in (2, 4) else [])
            )
    return bytes(out)


def make(case: dict[str, Any]) -> tuple[Any, Any]:
    """An image with one layer as the case wants it; returns both."""
    gray = case["base"] == "gray"
    base = Gimp.ImageBaseType.GRAY if gray else Gimp.ImageBaseType.RGB
    precision = getattr(Gimp.Precision, case["precision"].upper().replace("-", "_"))
    image = Gimp.Image.new_with_precision(SIZE, SIZE, base, precision)
    if case.get("profile"):
        image.set_color_profile(getattr(Gimp.ColorProfile, case["profile"])())
    kinds = {
        (False, False): Gimp.ImageType.RGB_IMAGE,
        (False, True): Gimp.ImageType.RGBA_IMAGE,
        (True, False): Gimp.ImageType.GRAY_IMAGE,
        (True, True): Gimp.ImageType.GRAYA_IMAGE,
    }
    alpha = case.get("alpha", False)
    layer = Gimp.Layer.new(image, "source", SIZE, SIZE, kinds[gray, alpha], 100.0, Gimp.LayerMode.NORMAL)
    channels = (1 if gray else 3) + alpha
    encoding = ("Y'" if gray else "R'G'B'") + ("A" if alpha else "") + " u8"
    buffer = layer.get_buffer()
    stride = SIZE * channels
    data = noise(channels, 7)
    for y in range(SIZE):
        buffer.set(Gegl.Rectangle.new(0, y, SIZE, 1), encoding, data[y * stride : (y + 1) * stride])
    buffer.flush()
    parent = None
    if case.get("group"):
        parent = Gimp.GroupLayer.new(image, "group")
        image.insert_layer(parent, None, 0)
    image.insert_layer(layer, parent, 0)
    layer.set_offsets(*case.get("offset", (0, 0)))
    return image, layer


def set_mask(case: dict[str, Any], image: Any, layer: Any) -> dict[str, str]:
    """Mark BOX by the case's kind of mask; returns the procedure's arguments for it."""
    x, y, width, height = BOX
    image.select_rectangle(Gimp.ChannelOps.REPLACE, x, y, width, height)
    kind = case.get("mask", "selection")
    extra = {}
    if kind == "channel":
        Gimp.Selection.save(image).set_name("object")
        extra = {"channel": "object"}
    if kind == "layer-mask":
        layer.add_mask(layer.create_mask(Gimp.AddMaskType.SELECTION))
    if kind == "mask-layers":
        call("plug-in-s2edit-paint-mask", image, [layer])
        painted = image.get_selected_layers()[0]
        painted.edit_fill(Gimp.FillType.FOREGROUND)
    if kind != "selection":
        Gimp.Selection.none(image)
    return {"mask": kind, **extra}


def visible(image: Any) -> bytes:
    """The composite as 32-bit float, linear, bytes."""
    layer = Gimp.Layer.new_from_visible(image, image, "visible")
    return pixels(layer, "RGBA float")


def outside_difference(before: bytes, after: bytes) -> float:
    """The largest difference of a sample outside BOX between two composites; 0.0 means the same to the bit."""
    x, y, width, height = BOX
    stride = SIZE * 16
    worst = 0.0
    for row in range(SIZE):
        a, b = before[row * stride : (row + 1) * stride], after[row * stride : (row + 1) * stride]
        beside = ((0, x * 16), ((x + width) * 16, stride)) if y <= row < y + height else ((0, stride),)
        for start, end in beside:
            if a[start:end] != b[start:end]:
                left, right = memoryview(a[start:end]).cast("f"), memoryview(b[start:end]).cast("f")
                worst = max(worst, *(abs(one - other) for one, other in zip(left, right, strict=True)))
    return worst


def native(layer: Any) -> bytes:
    """A layer's pixels in the finest encoding, to be compared to the bit."""
    return pixels(layer, "RGBA double")


def run(case: dict[str, Any]) -> dict[str, Any]:
    """One edit; what the test wants to know of it."""
    image, layer = make(case)
    arguments = set_mask(case, image, layer)
    if case["base"] == "indexed":
        image.convert_indexed(Gimp.ConvertDitherType.NONE, Gimp.ConvertPaletteType.GENERATE, 16, False, False, "")
        layer = image.get_layers()[0]
    for mask in image.get_layers():
        if mask.get_parasite("s2edit-mask"):
            mask.set_visible(False)
    before, kept, count = visible(image), native(layer), len(image.get_layers())
    start = time.monotonic()
    status, message, new = call(
        "plug-in-s2edit",
        image,
        [layer],
        source=GIVEN["source"],
        target=GIVEN["target"],
        object=GIVEN["word"],
        **arguments,
    )
    told = {"status": status, "message": message, "seconds": time.monotonic() - start}
    told["source_untouched"] = native(layer) == kept
    if status == "success":
        x, y, width, height = BOX
        _ok, nx, ny = new.get_offsets()
        mask = pixels(new.get_mask(), "Y u8")
        stride = new.get_width()
        rows = (mask[(row - ny) * stride + x - nx :][:width] for row in range(y, y + height))
        told |= {
            "outside_difference": outside_difference(before, visible(image)),
            "inverse_error": inverse_error(layer, new),
            "name": new.get_name(),
            "mask_inside": min(min(row) for row in rows),
            "mask_total": sum(value > 0 for value in mask),
            "same_parent": new.get_parent() == layer.get_parent(),
            "above": image.get_item_position(new) < image.get_item_position(layer),
            "recipe": note(new, "s2edit-recipe"),
            "precision": image.get_precision().value_nick,
        }
    else:
        told["layers_added"] = len(image.get_layers()) - count
    image.delete()
    return told


report(lambda: {name: run(case) for name, case in GIVEN["cases"].items()})
