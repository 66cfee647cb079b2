"""Between a picture's own colours and the wire's sRGB: through the embedded ICC profile, at 16 bits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .icc import INTENT, as_file

if TYPE_CHECKING:
    import pyvips

    from .pictures import PictureFile


def to_srgb(picture: PictureFile, native: NDArray[Any]) -> NDArray[Any]:
    """A crop as it travels.

    Args:
        native: H x W x bands in the picture's own colours and depth.
    Returns:
        H x W x {1, 2, 3, 4}, sRGB-encoded. With a profile: uint16, RGB, and alpha where the picture has it; without:
        as it is, since pictures without a profile are taken for sRGB.
    """
    if picture.profile is None:
        return np.ascontiguousarray(native[:, :, : picture.colours + picture.has_alpha])
    colours = _image(native[:, :, : picture.colours], picture.colours)
    with as_file(picture.profile) as profile:
        moved = colours.icc_transform("srgb", input_profile=profile, intent=INTENT, depth=16).numpy()
    if not picture.has_alpha:
        return np.ascontiguousarray(moved)
    alpha = native[:, :, -1:].astype(np.uint16)
    return np.concatenate([moved, alpha * 257 if picture.bits == 8 else alpha], axis=2)


def from_srgb(picture: PictureFile, patch: NDArray[Any]) -> NDArray[Any]:
    """A result's colours in the picture's own colours and depth.

    Args:
        patch: H x W x {1, 3}, uint8 or uint16, sRGB-encoded.
    Returns:
        H x W x picture.colours, uint8 or uint16.
    """
    if picture.profile is not None:
        source = _image(_to_16(_as_rgb(patch)), 3)
        with as_file(picture.profile) as profile:
            moved: NDArray[Any] = source.icc_transform(
                profile, input_profile="srgb", intent=INTENT, depth=picture.bits
            ).numpy()
        return moved if moved.ndim == 3 else moved[:, :, None]
    if patch.shape[2] != picture.colours:
        patch = _as_rgb(patch) if picture.colours == 3 else _luma(patch)
    if picture.bits == 16:
        return _to_16(patch)
    return patch if patch.dtype == np.uint8 else ((patch.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _to_16(samples: NDArray[Any]) -> NDArray[np.uint16]:
    return samples.astype(np.uint16) * np.uint16(257) if samples.dtype == np.uint8 else samples.astype(np.uint16)


def _as_rgb(samples: NDArray[Any]) -> NDArray[Any]:
    rgb: NDArray[Any] = samples if samples.shape[2] == 3 else np.repeat(samples[:, :, :1], 3, axis=2)
    return rgb


def _luma(samples: NDArray[Any]) -> NDArray[Any]:
    """Gray of encoded RGB by the weights of ITU-R BT.709."""
    gray: NDArray[Any] = np.rint(samples.astype(np.float64) @ np.array([0.2126, 0.7152, 0.0722]))
    return gray.astype(samples.dtype)[:, :, None]


def _image(samples: NDArray[Any], colours: int) -> pyvips.Image:
    import pyvips

    deep = samples.dtype == np.uint16
    names = {(1, False): "b-w", (1, True): "grey16", (3, False): "srgb", (3, True): "rgb16"}
    image = pyvips.Image.new_from_array(np.ascontiguousarray(samples))
    return image.copy(interpretation=names[colours, deep])
