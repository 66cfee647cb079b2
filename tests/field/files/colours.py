"""Colour profiles that cannot be used, and colours that are said without a profile."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
from s2edit_cli import icc, source_colour

from tests.field.case import Case
from tests.field.files.samples import drawing, png, scanner_profile, with_profile
from tests.field.files.throwing import HERE, edit

ADOBE_POINTS = struct.pack(">8I", 31_270, 32_900, 64_000, 33_000, 21_000, 71_000, 15_000, 6_000)
SRGB_POINTS = struct.pack(">8I", 31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000)
TAKEN = "^taken$"


def gamma(value: int) -> bytes:
    """A gAMA chunk's body: 100,000 times the encoding exponent."""
    return struct.pack(">I", value)


def cases() -> list[Case]:
    """All of them."""
    return [
        *_profiles(),
        *_png(),
        Case("colour", "Adobe RGB by EXIF alone", _stored("adobe-by-exif-r03.jpg"), "^told: .*Adobe RGB"),
    ]


def _profiles() -> list[Case]:
    p3 = icc.make(icc.Space(source_colour.ADOBE.white, (0.68, 0.32), (0.265, 0.69), (0.15, 0.06), icc.Curve(2.2)), 3)
    gray = icc.make(source_colour.ADOBE, 1)
    damaged, other = "^told: .*profile in .*damaged; .*sRGB", "^told: .*is for .* colours; this picture is .*sRGB"
    found = [
        Case("profile", "no tags", _stored("notags-icc.jpg"), damaged),
        Case("profile", "noise after its header", _stored("random-icc.jpg"), damaged),
        Case("profile", "cut", _profile(p3[:200]), damaged),
        Case("profile", "a few bytes", _profile(b"none"), damaged),
        Case("profile", "noise", _profile(np.random.default_rng(3).bytes(600)), damaged),
        Case("profile", "a scanner's, for reading only", _profile(scanner_profile()), "^refused: .*for reading only"),
        Case("profile", "for CMYK, in RGB", _profile(p3[:16] + b"CMYK" + p3[20:]), other),
        Case("profile", "for gray, in RGB", _profile(gray), other),
        Case("profile", "for RGB, in gray", _profile(p3, colours=1), other),
        Case("profile", "for gray, in gray", _profile(gray, colours=1), TAKEN),
    ]
    for suffix in (".jpg", ".png", ".tif", ".webp"):
        found.append(Case("profile", f"as it should be, {suffix}", _profile(p3, suffix), TAKEN))
        found.append(Case("profile", f"no tags, {suffix}", _profile(p3[:128] + bytes(4), suffix), damaged))
    return found


def _png() -> list[Case]:
    hdr, strange = "^refused: .*HDR picture", "^refused: .*cICP"
    table: list[tuple[str, dict[bytes, bytes], str]] = [
        ("gAMA, cHRM of Adobe RGB", {b"gAMA": gamma(45_470), b"cHRM": ADOBE_POINTS}, TAKEN),
        ("gAMA 1.0", {b"gAMA": gamma(100_000)}, TAKEN),
        ("gAMA 0", {b"gAMA": gamma(0)}, "^told: .*no sensible number"),
        ("gAMA, cHRM of sRGB", {b"gAMA": gamma(45_455), b"cHRM": SRGB_POINTS}, TAKEN),
        ("cHRM of zeros", {b"cHRM": bytes(32)}, "^told: .*span no space"),
        ("cHRM too short", {b"cHRM": bytes(8)}, TAKEN),
        ("sRGB over gAMA", {b"sRGB": b"\0", b"gAMA": gamma(100_000)}, TAKEN),
        ("cICP of Display P3", {b"cICP": bytes((12, 13, 0, 1))}, TAKEN),
        ("cICP of BT.2020, SDR", {b"cICP": bytes((9, 14, 0, 1))}, TAKEN),
        ("cICP of sRGB", {b"cICP": bytes((1, 13, 0, 1))}, TAKEN),
        ("cICP with PQ", {b"cICP": bytes((9, 16, 0, 1))}, hdr),
        ("cICP with HLG", {b"cICP": bytes((9, 18, 0, 1))}, hdr),
        ("cICP, narrow range", {b"cICP": bytes((1, 1, 0, 0))}, strange),
        ("cICP, unknown code", {b"cICP": bytes((99, 13, 0, 1))}, strange),
        ("cICP too short", {b"cICP": b"\x01"}, strange),
    ]
    return [Case("colour", f"PNG, {name}", _chunks(chunks), expected) for name, chunks, expected in table]


def _stored(name: str) -> Callable[[Path], str]:
    return lambda folder: edit(Path(shutil.copy(HERE / name, folder)))


def _profile(profile: bytes, suffix: str = ".jpg", colours: int = 3) -> Callable[[Path], str]:
    return lambda folder: edit(with_profile(folder, profile, drawing(colours), suffix))


def _chunks(chunks: dict[bytes, bytes]) -> Callable[[Path], str]:
    return lambda folder: edit(png(folder, drawing(), chunks))
