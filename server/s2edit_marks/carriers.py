"""Where files keep XMP packets, C2PA manifest stores and texts: found by walking the file, without decoding a pixel.

PNG (ISO/IEC 15948:2004), JPEG (JFIF; XMP part 3, 1.1.3; C2PA 2.2, A.3.1), WebP (RIFF), TIFF and BigTIFF, XCF, and the
zip files of Krita and OpenRaster. In all others, packets are looked for by their first bytes (XMP part 3, 2). Standard
library only. Every length is checked against a bound before that much is read; a damaged file gives what came before.
"""

from __future__ import annotations

import contextlib
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from xml.parsers import expat

MAX_PACKET = 4 * 1024 * 1024
MAX_STORE = 256 * 1024 * 1024
"""Bytes of the largest manifest store that is copied."""
MAX_SCANNED = 256 * 1024 * 1024
"""Bytes of a file of an unknown kind that are searched."""
MAX_TEXT = 64 * 1024
MAX_PARTS = 100_000
"""Chunks, segments or entries that are walked."""
_DAMAGED = (struct.error, zlib.error, zipfile.BadZipFile, EOFError, RuntimeError, ValueError)
"""What the walkers and their libraries raise where a file breaks off, lies about a length, or is encrypted."""
_JPEG_XMP = b"http://ns.adobe.com/xap/1.0/\0"


@dataclass
class Carried:
    """What a file carries.

    Args:
        kind: `png`, `jpeg`, `webp`, `tiff`, `xcf`, `zip` or "" for a kind that is not known.
        xmp: packets, the file's own first. store: the C2PA manifest store, None for none.
        texts: a PNG's texts by keyword. tags: metadata of a GIMP image by exiv2's names.
    """

    kind: str = ""
    xmp: list[bytes] = field(default_factory=list)
    store: bytes | None = None
    texts: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


def read(path: Path) -> Carried:
    """What the file carries. Raises OSError."""
    with path.open("rb") as file:
        return read_from(file)


def read_from(file: BinaryIO) -> Carried:
    """What a stream, which has to be seekable, carries."""
    head = file.read(16)
    file.seek(0)
    for begins, kind, walk in _KINDS:
        if re.match(begins, head, re.DOTALL):
            found = Carried(kind)
            with contextlib.suppress(*_DAMAGED):
                walk(file, found)
            return found
    return Carried(xmp=list(_scan(file)))


def _png(file: BinaryIO, found: Carried) -> None:
    file.seek(8)
    stores = []
    for _ in range(MAX_PARTS):
        size, name = struct.unpack(">I4s", file.read(8))
        limit = MAX_STORE if name == b"caBX" else MAX_PACKET + 1_024
        if name in (b"tEXt", b"zTXt", b"iTXt", b"caBX") and size <= limit:
            data = file.read(size)
            file.seek(4, io.SEEK_CUR)
            if name == b"caBX":
                stores.append(data)
                found.store = b"".join(stores)
            else:
                _png_text(name, data, found)
        elif name == b"IEND":
            return
        else:
            file.seek(size + 4, io.SEEK_CUR)


def _png_text(name: bytes, data: bytes, found: Carried) -> None:
    keyword, _, rest = data.partition(b"\0")
    if name == b"iTXt":
        packed, rest = rest[:1] == b"\1", rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    else:
        packed, rest = name == b"zTXt", rest[name == b"zTXt" :]
    if packed:
        rest = zlib.decompressobj().decompress(rest, MAX_PACKET)
    word = keyword.decode("latin-1")
    if word == "XML:com.adobe.xmp":
        found.xmp.append(rest)
    elif word == "Raw profile type xmp":
        # ImageMagick's: a name, a number, hexadecimal digits.
        found.xmp.append(bytes.fromhex("".join(rest.decode("latin-1").strip("\n").split("\n")[2:])))
    else:
        found.texts[word] = rest[:MAX_TEXT].decode("utf-8" if name == b"iTXt" else "latin-1", "replace")


def _jpeg(file: BinaryIO, found: Carried) -> None:
    file.seek(2)
    boxes: dict[int, list[tuple[int, bytes]]] = {}
    for _ in range(MAX_PARTS):
        mark, code, size = struct.unpack(">BBH", file.read(4))
        if mark != 0xFF or code in (0xD9, 0xDA) or size < 2:
            break
        if code == 0xFF:  # a fill byte
            file.seek(-3, io.SEEK_CUR)
            continue
        data = file.read(size - 2)
        if code == 0xE1 and data.startswith(_JPEG_XMP):
            found.xmp.append(data[len(_JPEG_XMP) :])
        elif code == 0xEB and data[:2] == b"JP":
            instance, number = struct.unpack_from(">HI", data, 2)
            boxes.setdefault(instance, []).append((number, data[8:]))
    for parts in boxes.values():
        whole = b"".join(part if not at else part[8:] for at, (_, part) in enumerate(sorted(parts)))
        # A JUMBF superbox whose description box is of C2PA's type.
        if whole[16:24] == b"c2pa\0\x11\0\x10" and len(whole) <= MAX_STORE:
            found.store = whole


def _webp(file: BinaryIO, found: Carried) -> None:
    file.seek(12)
    for _ in range(MAX_PARTS):
        name, size = struct.unpack("<4sI", file.read(8))
        if name == b"XMP " and size <= MAX_PACKET:
            found.xmp.append(file.read(size))
        elif name == b"C2PA" and size <= MAX_STORE:
            found.store = file.read(size)
        else:
            file.seek(size, io.SEEK_CUR)
        file.seek(size & 1, io.SEEK_CUR)


def _tiff(file: BinaryIO, found: Carried) -> None:
    head = file.read(16)
    order = "<" if head[:2] == b"II" else ">"
    big = struct.unpack_from(order + "H", head, 2)[0] == 43
    # An entry: tag, type, count, value or offset (TIFF 6.0, section 2; BigTIFF).
    count_form, entry_form, at = ("Q", "HHQQ", 8) if big else ("H", "HHII", 4)
    file.seek(struct.unpack_from(order + ("Q" if big else "I"), head, at)[0])
    (count,) = struct.unpack(order + count_form, file.read(struct.calcsize(order + count_form)))
    size = struct.calcsize(order + entry_form)
    entries = [struct.unpack(order + entry_form, file.read(size)) for _ in range(min(count, MAX_PARTS))]
    for tag, _, length, offset in entries:
        if tag == 700 and length <= MAX_PACKET:
            file.seek(offset)
            found.xmp.append(file.read(length))
        elif tag == 0xCD41 and length <= MAX_STORE:  # C2PA 2.2, A.3.2
            file.seek(offset)
            found.store = file.read(length)


def _xcf(file: BinaryIO, found: Carried) -> None:
    # GIMP's devel-docs/xcf.txt: header, then properties; 21 is a list of parasites: name, flags, data.
    version = file.read(14)[9:13]
    file.seek(12 + (4 if version[:1] == b"v" and int(version[1:]) >= 4 else 0), io.SEEK_CUR)
    for _ in range(MAX_PARTS):
        kind, size = struct.unpack(">II", file.read(8))
        if kind == 0:
            return
        if kind != 21 or size > MAX_STORE:
            file.seek(size, io.SEEK_CUR)
            continue
        data, at = file.read(size), 0
        while at + 4 <= len(data):
            (length,) = struct.unpack_from(">I", data, at)
            name = data[at + 4 : at + 4 + length].rstrip(b"\0")
            at += 4 + length
            _, length = struct.unpack_from(">II", data, at)
            if name == b"gimp-image-metadata" and length <= MAX_PACKET:
                found.tags.update(_gimp_tags(data[at + 8 : at + 8 + length].rstrip(b"\0")))
            at += 8 + length


def _gimp_tags(text: bytes) -> dict[str, str]:
    """GIMP's serialised metadata: `<metadata><tag name="Xmp.…">text</tag>…`."""
    tags: dict[str, str] = {}
    name: list[str] = []
    parser = expat.ParserCreate()

    def opened(element: str, attributes: dict[str, str]) -> None:
        name[:] = [attributes.get("name", "")] if element == "tag" else []

    def said(data: str) -> None:
        if name:
            tags[name[0]] = tags.get(name[0], "") + data

    def document_type(*_: object) -> None:
        raise ValueError("a document type")

    parser.StartElementHandler, parser.CharacterDataHandler = opened, said
    parser.EndElementHandler = lambda _: name.clear()
    parser.StartDoctypeDeclHandler = document_type
    try:
        parser.Parse(text, True)
    except (expat.ExpatError, ValueError):
        return {}
    return {name: text.strip() for name, text in tags.items()}


def _zip(file: BinaryIO, found: Carried) -> None:
    """Krita's and OpenRaster's files: the merged picture in them, and Krita's annotations."""
    annotations = 0
    with zipfile.ZipFile(file) as archive:
        for entry in archive.infolist()[:MAX_PARTS]:
            if entry.filename == "mergedimage.png" and entry.file_size <= MAX_STORE:
                inner = Carried()
                _png(io.BytesIO(archive.read(entry)), inner)
                found.xmp += inner.xmp
                found.store, found.texts = inner.store, inner.texts
            elif "/annotations/" in entry.filename and entry.file_size + annotations <= MAX_PACKET:
                annotations += entry.file_size
                data = archive.read(entry)
                if b"<x:xmpmeta" in data or b"<rdf:RDF" in data:
                    found.xmp.append(data)


def _scan(file: BinaryIO) -> Iterator[bytes]:
    """Packets by their wrapper, in a file of a kind that is not known."""
    kept, scanned = b"", 0
    while scanned < MAX_SCANNED and (read := file.read(1 << 20)):
        scanned += len(read)
        kept += read
        while (start := kept.find(b"<x:xmpmeta")) >= 0:
            end = kept.find(b"</x:xmpmeta>", start)
            if end < 0:
                break
            yield kept[start : end + 12]
            kept = kept[end + 12 :]
        kept = kept[max(0, start) :] if start >= 0 and len(kept) - start <= MAX_PACKET else kept[-16:]


_KINDS: tuple[tuple[bytes, str, Callable[[BinaryIO, Carried], None]], ...] = (
    (rb"\x89PNG\r\n\x1a\n", "png", _png),
    (rb"\xff\xd8\xff", "jpeg", _jpeg),
    (rb"RIFF....WEBP", "webp", _webp),
    (rb"II[*+]\0|MM\0[*+]", "tiff", _tiff),
    (rb"gimp xcf ", "xcf", _xcf),
    (rb"PK\x03\x04", "zip", _zip),
)
