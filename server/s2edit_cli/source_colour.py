"""Which colours a picture's numbers mean: by ICC profile, PNG's chunks or EXIF, as far as they can be used.

PNG (third edition, 4.3) says which of its chunks counts: cICP, then iCCP, then sRGB, then gAMA with cHRM. The codes in
cICP are ITU-T H.273's.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from s2edit_wire.errors import WireError

from . import icc
from .icc import SRGB_CURVE, Curve, Space

if TYPE_CHECKING:
    import pyvips

_D65 = (0.3127, 0.3290)
_REC709 = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
ADOBE = Space(_D65, (0.64, 0.33), (0.21, 0.71), (0.15, 0.06), Curve(563 / 256))
"""Adobe RGB (1998), 4.3."""
_SRGB = Space(_D65, *_REC709, SRGB_CURVE)
_PRIMARIES = {
    1: (_D65, *_REC709),
    5: (_D65, (0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),
    6: (_D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    7: (_D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    9: (_D65, (0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    11: ((0.314, 0.351), (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    12: (_D65, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
_REC709_CURVE = Curve(1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081)
_CURVES = {
    **dict.fromkeys((1, 6, 14, 15), _REC709_CURVE),
    4: Curve(2.2),
    5: Curve(2.8),
    8: Curve(1.0),
    13: SRGB_CURVE,
}
_HDR = {16: "PQ", 18: "HLG"}
_DAMAGED = "The colour profile in “{name}” is damaged; the picture is taken for sRGB."
_SRGB_GAMMA = 45_455
COLOUR_CHUNKS = (b"cICP", b"gAMA", b"cHRM", b"sRGB")


@dataclass(frozen=True)
class Colour:
    """What was found.

    Args:
        profile: an ICC profile that works both ways, or None: the numbers are sRGB's.
        made: whether the profile was made of something else than an embedded profile.
        notes: sentences for people.
    """

    profile: bytes | None = None
    made: bool = False
    notes: list[str] = field(default_factory=list)


def find(image: pyvips.Image, chunks: dict[bytes, bytes], colours: int, name: str) -> Colour:
    """The colours of an opened picture.

    Args:
        chunks: a PNG's chunks by type; empty for other kinds. colours: 1 (gray) or 3 (RGB). name: the file's.
    Raises:
        WireError: bad_image, for colours that cannot be brought back into the picture.
    """
    if b"cICP" in chunks:
        space = _by_codes(chunks[b"cICP"], name)
        return _made(space, colours, name) if space != _SRGB else Colour()
    if image.get_typeof("icc-profile-data"):
        return _embedded(bytes(image.get("icc-profile-data")), colours, name)
    if b"iCCP" in chunks:
        # The decoder has thrown it away.
        return Colour(notes=[_DAMAGED.format(name=name)])
    if b"sRGB" not in chunks and (b"gAMA" in chunks or b"cHRM" in chunks):
        return _by_numbers(chunks, colours, name)
    if _exif_says_adobe(image) and colours == 3:
        said = f"“{name}” is taken for Adobe RGB, as its EXIF data says."
        return Colour(icc.make(ADOBE, colours), made=True, notes=[said])
    return Colour()


def _embedded(profile: bytes, colours: int, name: str) -> Colour:
    # ICC.1:2022, 7.2: bytes 16 to 19 name the data's colour space.
    space = profile[16:20].decode("latin-1").strip()
    if len(profile) >= 128 and profile[36:40] == b"acsp" and space != ("RGB" if colours == 3 else "GRAY"):
        kind = "RGB" if colours == 3 else "gray"
        said = f"The colour profile in “{name}” is for {space if space.isalnum() else 'other'} colours; this picture"
        return Colour(notes=[f"{said} is {kind} and is taken for sRGB."])
    there, back = icc.usable(profile, colours)
    if there and not back:
        raise WireError(
            "bad_image",
            f"The colour profile in “{name}” is for reading only, as a scanner's; a result cannot be put back into it.",
            "Convert the picture to sRGB or Adobe RGB in an image editor first.",
        )
    if not there:
        return Colour(notes=[_DAMAGED.format(name=name)])
    return Colour(profile)


def _by_codes(chunk: bytes, name: str) -> Space:
    if len(chunk) == 4:
        primaries, transfer, matrix, full = chunk
        if transfer in _HDR:
            raise WireError(
                "bad_image",
                f"“{name}” is an HDR picture ({_HDR[transfer]}), which S²Edit cannot edit.",
                "Convert it to sRGB or Display P3 in an image editor first.",
            )
        if primaries in _PRIMARIES and transfer in _CURVES and matrix == 0 and full == 1:
            return Space(*_PRIMARIES[primaries], _CURVES[transfer])
    raise WireError(
        "bad_image",
        f"The colours of “{name}” are given by a cICP chunk that S²Edit does not know ({chunk[:4].hex(' ')}).",
        "Convert it to sRGB in an image editor first.",
    )


def _by_numbers(chunks: dict[bytes, bytes], colours: int, name: str) -> Colour:
    gamma = struct.unpack(">I", chunks[b"gAMA"])[0] if len(chunks.get(b"gAMA", b"")) == 4 else _SRGB_GAMMA
    curve = SRGB_CURVE if abs(gamma - _SRGB_GAMMA) <= 100 else Curve(100_000 / gamma if gamma else 0.0)
    points = (_D65, *_REC709)
    if len(chunks.get(b"cHRM", b"")) == 32:
        values = [value / 100_000 for value in struct.unpack(">8I", chunks[b"cHRM"])]
        points = ((values[0], values[1]), (values[2], values[3]), (values[4], values[5]), (values[6], values[7]))
    ours = (_D65, *_REC709)
    same = all(
        abs(a - b) < 0.002 for one, other in zip(points, ours, strict=True) for a, b in zip(one, other, strict=True)
    )
    if curve == SRGB_CURVE and (same or colours == 1):
        # What many programs write for sRGB.
        return Colour()
    if not 0.1 <= curve.gamma <= 10:
        return Colour(notes=[f"The gamma in “{name}” is no sensible number; the picture is taken for sRGB."])
    return _made(Space(*points, curve), colours, name)


def _near(points: tuple[icc.XY, ...], others: tuple[icc.XY, ...]) -> bool:
    pairs = zip((value for point in points for value in point), (value for xy in others for value in xy), strict=True)
    return all(abs(one - other) < 0.002 for one, other in pairs)


def _made(space: Space, colours: int, name: str) -> Colour:
    try:
        profile = icc.make(space, colours)
    except ValueError:
        profile = b""
    if not profile or icc.usable(profile, colours) != (True, True):
        return Colour(notes=[f"The colours that “{name}” names span no space; the picture is taken for sRGB."])
    return Colour(profile, made=True)


def _exif_says_adobe(image: pyvips.Image) -> bool:
    """DCF 2.0: ColorSpace "uncalibrated" with the interoperability index R03 is Adobe RGB; some cameras write 2."""
    space = _exif(image, "exif-ifd2-ColorSpace")
    return space == "2" or (space == "65535" and _exif(image, "exif-ifd4-InteroperabilityIndex") == "R03")


def _exif(image: pyvips.Image, field_name: str) -> str:
    # libvips writes `value (value in words, type, count, size)`.
    return str(image.get(field_name)).split(" ")[0] if image.get_typeof(field_name) else ""
