"""Laying a result over the picture in the picture's own colours: where its alpha is 0, every bit stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from s2edit_wire.errors import WireError

from .colour import from_srgb
from .masks import to_8_bits_up
from .pictures import Box, PictureFile


@dataclass(frozen=True)
class Layer:
    """A result in the picture's own colours.

    Args:
        pixels: H x W x colours, uint8 or uint16. alpha: H x W, same dtype; 0 where nothing may change.
        x, y: where its top left corner lies in the picture, px.
    """

    pixels: NDArray[Any]
    alpha: NDArray[Any]
    x: int
    y: int

    def trimmed(self) -> Layer:
        """Only the box where alpha is above 0; the layer itself when there is none."""
        rows, columns = np.flatnonzero(self.alpha.any(axis=1)), np.flatnonzero(self.alpha.any(axis=0))
        if not rows.size:
            return self
        part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        return Layer(self.pixels[part], self.alpha[part], self.x + int(columns[0]), self.y + int(rows[0]))

    @property
    def box(self) -> Box:
        """x, y, width, height in the picture, px."""
        return self.x, self.y, self.alpha.shape[1], self.alpha.shape[0]


def native_layer(picture: PictureFile, patch: NDArray[Any], alpha: NDArray[Any], crop: Box) -> Layer:
    """The result of a job as a layer of this picture.

    Args:
        patch: H x W x {1, 3} and alpha: H x W x 1, uint8 or uint16, as the daemon sent them for `crop`.
    Raises:
        WireError: bad_image, when they do not fit the picture.
    """
    x, y, width, height = crop
    fits = x + width <= picture.size[0] and y + height <= picture.size[1]
    if not fits or patch.shape[:2] != (height, width) or alpha.shape[:2] != (height, width):
        raise WireError(
            "bad_image", "The result does not fit this picture.", "Give the picture that the job came from."
        )
    plane = alpha.reshape(height, width)
    if picture.bits == 8 and plane.dtype == np.uint16:
        plane = to_8_bits_up(plane)
    elif picture.bits == 16 and plane.dtype == np.uint8:
        plane = plane.astype(np.uint16) * np.uint16(257)
    return Layer(from_srgb(picture, patch), plane, x, y)


def composite(picture: PictureFile, layer: Layer) -> Any:
    """The picture with the layer over it, as a `pyvips.Image` with the picture's size, depth, profile and metadata.

    Its own alpha channel stays as it is.
    """
    import pyvips

    native = picture.crop(layer.box)
    under = native[:, :, : picture.colours]
    # float64: a 16-bit sample times a 16-bit alpha does not fit float32's 24 bits.
    weight = layer.alpha[:, :, None].astype(np.float64) / picture.full
    mixed = np.rint(under + (layer.pixels.astype(np.float64) - under) * weight).astype(native.dtype)
    result = native.copy()
    result[:, :, : picture.colours] = np.where(layer.alpha[:, :, None] > 0, mixed, under)
    patch = pyvips.Image.new_from_array(result).copy(interpretation=picture.image.interpretation)
    return picture.image.insert(patch, layer.x, layer.y)
