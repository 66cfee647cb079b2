"""Every mark that a file carries, this program's and others', for people and for machines."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import carriers, manifests, xmp
from .terms import says_model

_MEDIA = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp", "tiff": "image/tiff"}
_BRANDS = {
    b"avif": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heif",
    b"isom": "video/mp4",
    b"mp42": "video/mp4",
}
"""ISO base media files by their major brand."""
_NOTES = (
    ("parameters", "Steps: ", "Stable Diffusion web UI"),
    ("prompt", '"class_type"', "ComfyUI"),
    ("workflow", '"nodes"', "ComfyUI"),
    ("invokeai_metadata", "{", "InvokeAI"),
    ("sd-metadata", "{", "InvokeAI"),
    ("Software", "NovelAI", "NovelAI"),
)
"""PNG texts that generators leave: keyword, what has to be in it, whose it is."""

MAX_PIXELS = 100_000_000
"""Of a picture in which a watermark is looked for."""
MANY_PIXELS = 30_000_000
"""From so many on, only a thorough search tries sizes besides the picture's own: each takes about a minute."""
Watch = Callable[[Path, int], None]
"""Called with the file and how much of the search for its watermark is done, in per cent."""
NOTHING = "No mark says that it was made with AI. That proves nothing: marks can be taken out."


@dataclass(frozen=True)
class Mark:
    """One mark.

    Args:
        layer: `xmp`, `c2pa`, `watermark` or `text`. says_model: whether it says that a model had a hand in the picture.
        sentence: for people. details: for machines.
    """

    layer: str
    says_model: bool
    sentence: str
    details: dict[str, Any] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """For machines."""
        return {"layer": self.layer, "says_model": self.says_model, **self.details}


@dataclass(frozen=True)
class Finding:
    """What was found in a file.

    Args:
        file: its path. marks: all marks, in the order xmp, c2pa, watermark, text. unread: what could not be read, as
            sentences.
    """

    file: Path
    marks: tuple[Mark, ...]
    unread: tuple[str, ...] = ()

    @property
    def says_model(self) -> bool:
        """Whether any mark says that a model had a hand in it."""
        return any(mark.says_model for mark in self.marks)

    @property
    def sentences(self) -> list[str]:
        """For people: the upshot first."""
        upshot = "Made or changed with the help of a model." if self.says_model else NOTHING
        return [upshot, *(mark.sentence for mark in self.marks), *self.unread]

    def record(self) -> dict[str, Any]:
        """For machines."""
        return {
            "file": str(self.file),
            "says_model": self.says_model,
            "marks": [mark.record() for mark in self.marks],
            "unread": list(self.unread),
            "sentences": self.sentences,
        }


def detect(file: Path, *, thorough: bool = False, watch: Watch = lambda _file, _percent: None) -> Finding:
    """All marks of a file of any kind.

    Args:
        thorough: whether the watermark is looked for at every scale. watch: hears how far that search has got; what it
            raises ends it.
    Raises:
        OSError: it can't be read, or is a folder, a pipe or a device, of which nothing is read.
    """
    if not stat.S_ISREG(file.stat().st_mode):
        raise OSError(errno.EINVAL, "it is no file", str(file))
    carried = carriers.read(file)
    marks: list[Mark] = []
    unread: list[str] = []
    _xmp(carried, marks, unread)
    _c2pa(file, carried, marks, unread)
    _watermark(file, carried.kind, marks, unread, lambda done: watch(file, round(100 * done)), thorough=thorough)
    for keyword, needle, program in _NOTES:
        if needle in carried.texts.get(keyword, ""):
            sentence = f"A text in the file, “{keyword}”, is of the kind that {program} leaves in what it generates."
            marks.append(Mark("text", True, sentence, {"keyword": keyword, "program": program}))
    return Finding(file, tuple(marks), tuple(unread))


def _xmp(carried: carriers.Carried, marks: list[Mark], unread: list[str]) -> None:
    found = [xmp.Mark(*(carried.tags.get(f"Xmp.iptcExt.{name}", "") for name in xmp.PROPERTIES))]
    for packet in carried.xmp:
        try:
            found.append(xmp.read(packet))
        except xmp.Unreadable as error:
            unread.append(f"The metadata (XMP) can't be read: {error}.")
    for mark in dict.fromkeys(found):
        if not mark.source_type and not mark.system:
            continue
        term = mark.source_type.rstrip("/").rpartition("/")[2] or "not given"
        sentence = f"Metadata (XMP, IPTC's digital source type): {term}."
        if mark.system:
            program = f"{mark.system} {mark.version}".rstrip()
            sentence = f"Metadata (XMP, IPTC's digital source type) of {program}: {term}."
        details = {"source_type": mark.source_type, "system": mark.system, "version": mark.version}
        marks.append(Mark("xmp", says_model(mark.source_type) or bool(mark.system), sentence, details))


def _c2pa(file: Path, carried: carriers.Carried, marks: list[Mark], unread: list[str]) -> None:
    kind = _MEDIA.get(carried.kind) or _media(file)
    if kind is None:
        return
    try:
        told = manifests.read(file, kind)
    except manifests.CannotRead as error:
        if carried.store is not None:
            unread.append(f"There are Content Credentials (C2PA) that can't be read: {error}.")
        return
    if told is None:
        return
    states = {
        "Trusted": "whole, and signed by somebody on a list of trusted signers",
        "Valid": "whole; who signed is on no list of trusted signers",
        "Invalid": "not to be relied on: they are damaged, or the file was changed behind them",
    }
    terms = [term.rpartition("/")[2] for term in told.source_types]
    who = "an S²Edit with a self-made credential" if told.self_made else told.signer or "nobody named"
    sentence = (
        f"Content Credentials (C2PA) of {told.program or 'an unnamed program'}, signed by {who}: "
        f"{states.get(told.state, told.state)}. They say: {', '.join(terms) or 'nothing of models'}."
    )
    details = {
        "state": told.state,
        "signer": told.signer,
        "program": told.program,
        "self_made": told.self_made,
        "source_types": list(told.source_types),
        "manifests": told.chain,
        "failures": list(told.failures),
    }
    marks.append(Mark("c2pa", any(map(says_model, told.source_types)), sentence, details))


def _watermark(
    file: Path,
    kind: str,
    marks: list[Mark],
    unread: list[str],
    watch: Callable[[float], None],
    *,
    thorough: bool,
) -> None:
    if kind not in _MEDIA:
        return
    import pyvips

    from . import watermark

    try:
        image = getattr(pyvips.Image, f"{kind}load")(os.fsencode(file))
        pixels = image.width * image.height
        if pixels > MAX_PIXELS:
            unread.append(f"No watermark was looked for: the picture has over {MAX_PIXELS // 10**6} million pixels.")
            return
        if image.format not in ("uchar", "ushort"):
            image = image.colourspace("srgb")
        # No more of it than is looked at comes into memory: a TIFF may have a hundred bands.
        samples = image[: 1 if image.bands < 3 else 3].numpy()
    except pyvips.Error:
        unread.append("No watermark was looked for: the picture can't be decoded.")
        return
    scales = watermark.SCALES if thorough else watermark.USUAL if pixels < MANY_PIXELS else ()
    found = watermark.detect(samples if samples.ndim == 3 else samples[:, :, None], scales, watch)
    if found.sure:
        x, y, width, height = found.box
        box = f"{width} × {height}"
        sentence = f"S²Edit's watermark: {found.score:.1f} times the noise, within {box} pixels at {x}, {y}."
        if found.scale != 1:
            since = f"The picture was scaled to {found.scale:.0%} since then."
            sentence = f"{sentence} {since}"
        details = {"score": round(found.score, 1), "scale": round(found.scale, 3), "box": list(found.box)}
        marks.append(Mark("watermark", True, sentence, {**details, "threshold": watermark.THRESHOLD}))
    elif not scales:
        unread.append(
            "The watermark was looked for at the picture's own size alone, since it is large; "
            "“s2edit detect --thorough” tries others."
        )


def _media(file: Path) -> str | None:
    with file.open("rb") as opened:
        head = opened.read(12)
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12])
    return "image/gif" if head.startswith(b"GIF8") else None
