"""OpenRaster: the picture and the edit as two layers that GIMP and Krita both open.

Format: OpenRaster 0.0.6 (freedesktop.org): a zip whose first entry is `mimetype`, stored; `stack.xml` with the topmost
layer first; PNG layers under `data/`; `mergedimage.png`; `Thumbnails/thumbnail.png` of at most 256 px.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import numpy as np
from s2edit_marks.marking import Marking, mark_metadata
from s2edit_marks.pictures import save_png

from .targets import replacing

if TYPE_CHECKING:
    import pyvips

    from .composite import Layer
    from .pictures import PictureFile

THUMBNAIL = 256


def save_layers(
    path: Path, picture: PictureFile, merged: pyvips.Image, layer: Layer, name: str, marking: Marking
) -> None:
    """Write the picture below and the edit, with its alpha, above.

    Args:
        merged: the picture with the edit, as `composite` made it.
        layer: the edit. name: its layer's name. marking: the marks; of them, the merged picture carries XMP.
    Raises:
        WireError: disk_full, internal.
    """
    top, shown = layer.trimmed(), _shown(picture, merged)
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        # PNG is compressed already; stored entries let a program map the picture straight away.
        archive.writestr("mimetype", "image/openraster")
        archive.writestr("stack.xml", _stack(picture, top, name), zipfile.ZIP_DEFLATED)
        archive.writestr("data/edit.png", _layer_png(picture, top))
        archive.writestr("data/source.png", _png(_shown(picture, picture.image)))
        archive.writestr("mergedimage.png", _marked_png(shown, marking))
        archive.writestr("Thumbnails/thumbnail.png", _thumbnail(shown, picture))


def _stack(picture: PictureFile, layer: Layer, name: str) -> bytes:
    width, height = picture.size
    root = ET.Element("image", {"version": "0.0.6", "w": str(width), "h": str(height)})
    stack = ET.SubElement(root, "stack")
    common = {"opacity": "1.0", "visibility": "visible", "composite-op": "svg:src-over"}
    ET.SubElement(
        stack, "layer", {"name": name, "src": "data/edit.png", "x": str(layer.x), "y": str(layer.y), **common}
    )
    title = picture.path.stem
    ET.SubElement(stack, "layer", {"name": title, "src": "data/source.png", "x": "0", "y": "0", **common})
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text


def _layer_png(picture: PictureFile, layer: Layer) -> bytes:
    import pyvips

    pixels = np.concatenate([layer.pixels, layer.alpha[:, :, None]], axis=2)
    image = pyvips.Image.new_from_array(np.ascontiguousarray(pixels))
    image = image.copy(interpretation=picture.image.interpretation)
    if picture.image.get_typeof("icc-profile-data"):
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", picture.image.get("icc-profile-data"))
    return _png(image)


def _png(image: Any) -> bytes:
    return bytes(image.pngsave_buffer(compression=6, keep="icc"))


def _marked_png(image: Any, marking: Marking) -> bytes:
    ready, _ = mark_metadata(image, marking)
    result = io.BytesIO()
    save_png(ready, result, compression=6, keep="icc")
    return result.getvalue()


def _shown(picture: PictureFile, image: Any) -> Any:
    """Without a channel that is no transparency, which a PNG cannot hold."""
    return image.extract_band(0, n=picture.colours) if picture.has_extra else image


def _thumbnail(merged: Any, picture: PictureFile) -> bytes:
    # A profile that cannot be used would end this; the picture is taken for sRGB then.
    to = {"output_profile": "srgb"} if picture.profile is not None else {}
    small = merged.thumbnail_image(THUMBNAIL, height=THUMBNAIL, size="down", **to)
    if small.format == "ushort":
        small = small >> 8
    return bytes(small.cast("uchar").pngsave_buffer(keep="none"))
