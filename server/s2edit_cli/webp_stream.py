"""Cutting spare bytes off a WebP: damage without a checksum shows by them (RFC 6386, VP8; RFC 9649, container).

WebP's codes make a picture of whatever bytes there are. But what is decoded after damage takes another number of bits
than was written. libwebp itself refuses a picture that takes more of them than there are; one that takes fewer can be
decoded just as well without the last bytes, which no whole one can.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

SPARE = 8
"""Bytes that may be more than the pixels need: libwebp's encoder leaves 2 at most, that of VP8 films (libvpx) 4."""
_FRAME_HEADER = 10
"""Bytes before a VP8 frame's first partition: frame tag, start code, size (RFC 6386, 9.1)."""
_LONGEST_HEADER = 64
"""Bytes; the fields that are read here have some 200 bits."""
_CODED = (b"ALPH", b"VP8L", b"VP8 ")


def is_cut(data: bytes) -> bool:
    """Whether the RIFF header tells of more bytes than there are; libwebp is content with less."""
    return 8 + int.from_bytes(data[4:8], "little") > len(data)


def shortened(data: bytes) -> Iterator[bytes]:
    """The file once for each stream of code in it, that one without its last `SPARE` bytes.

    Streams are the lossless picture, the alpha channel, and a lossy picture's partitions.
    """
    chunks = list(_chunks(data))
    for place, (kind, body) in enumerate(chunks):
        if kind in _CODED:
            for cut in _shorter_frames(body) if kind == b"VP8 " else [body[:-SPARE]]:
                yield _joined([*chunks[:place], (kind, cut), *chunks[place + 1 :]])


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, at)
        yield kind, data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2


def _joined(chunks: list[tuple[bytes, bytes]]) -> bytes:
    body = b"WEBP" + b"".join(
        kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2) for kind, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _shorter_frames(frame: bytes) -> Iterator[bytes]:
    """A VP8 key frame without the end of one partition after the other: modes first, then coefficients."""
    sizes = _partitions(frame)
    table = 3 * (len(sizes) - 2)  # where the sizes of the coefficients' partitions stand, but for the last
    for part, size in enumerate(sizes):
        if size <= SPARE:
            continue
        end = _FRAME_HEADER + sum(sizes[: part + 1]) + (table if part else 0)
        cut = bytearray(frame[: end - SPARE] + frame[end:])
        if part == 0:
            cut[:3] = (int.from_bytes(cut[:3], "little") & 0x1F | (size - SPARE) << 5).to_bytes(3, "little")
        elif part < len(sizes) - 1:
            at = _FRAME_HEADER + sizes[0] + 3 * (part - 1)
            cut[at : at + 3] = (size - SPARE).to_bytes(3, "little")
        yield bytes(cut)


def _partitions(frame: bytes) -> list[int]:
    """Bytes of each partition; [] of a frame that libwebp refuses anyway."""
    if len(frame) <= _FRAME_HEADER or frame[0] & 1 or frame[3:6] != b"\x9d\x01\x2a":
        return []
    first = int.from_bytes(frame[:3], "little") >> 5
    table = _FRAME_HEADER + first
    others = (1 << _log2_of_partitions(frame[_FRAME_HEADER:table])) - 1
    sizes = [int.from_bytes(frame[table + 3 * at : table + 3 * at + 3], "little") for at in range(others)]
    left = len(frame) - table - 3 * others - sum(sizes)
    return [first, *sizes, left] if left >= 0 else []


def _log2_of_partitions(first: bytes) -> int:
    """The frame header up to `log2_nbr_of_dct_partitions` (RFC 6386, 19.2)."""
    bits = _Bits(first[:_LONGEST_HEADER])
    bits.read(2)  # colour space, clamping
    if bits.read(1):  # segments
        new_map, new_data = bits.read(1), bits.read(1)
        if new_data:
            bits.read(1)
            for width in (7, 7, 7, 7, 6, 6, 6, 6):  # quantisers and filters, each with a sign
                if bits.read(1):
                    bits.read(width + 1)
        for _ in range(3 * new_map):
            if bits.read(1):
                bits.read(8)
    bits.read(1 + 6 + 3)  # filter: type, level, sharpness
    if bits.read(1) and bits.read(1):  # adjustments by reference and mode
        for _ in range(8):
            if bits.read(1):
                bits.read(7)
    return bits.read(2)


class _Bits:
    """The arithmetic decoder at even odds (RFC 6386, 7.3): enough for the header."""

    def __init__(self, data: bytes) -> None:
        self._value, self._range = int.from_bytes(data, "big"), 255
        self._shift = 8 * len(data) - 8

    def read(self, count: int) -> int:
        """An unsigned number of so many bits, the highest first; zeros after the end."""
        number = 0
        for _ in range(count):
            split = 1 + ((self._range - 1) * 128 >> 8)
            at = split << self._shift if self._shift >= 0 else split >> -self._shift
            bit = self._value >= at
            if bit:
                self._value -= at
                self._range -= split
            else:
                self._range = split
            while self._range < 128:
                self._range *= 2
                self._shift -= 1
            number = 2 * number + bit
        return number
