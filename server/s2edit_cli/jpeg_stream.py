"""What a JPEG's bytes tell that its decoder does not: an end that is missing, and values that no encoder writes.

Format: ITU-T T.81, annex B (markers); JPEG has no checksum, so that damage shows only where the decoder trips over it.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

END = b"\xff\xd9"
_SOS, _DQT, _DRI, _SOF_PROGRESSIVE = 0xDA, 0xDB, 0xDD, 0xC2
_SEQUENTIAL = (0xC0, 0xC1)
_FRAMES = (*_SEQUENTIAL, _SOF_PROGRESSIVE)
_STANDALONE = {0x01, *range(0xD0, 0xD9)}
_APPLICATION = {*range(0xE0, 0xF0), 0xFE}
_ADOBE_RAW = b"\xff\xee\x00\x0eAdobe\x00\x64" + bytes(5)
"""Adobe's APP14 with transform 0: the decoder hands out the components as they are, without a colour conversion."""


@dataclass(frozen=True)
class Levels:
    """A stream to be decoded at 1/8 size.

    Args:
        data: the stream. most: how far from 128 a value may be, or None when that cannot be told.
        more_rows: how many rows at the end are beyond the picture. more_from: the column from which they are of one
            colour when the picture's bits end where they should.
    """

    data: bytes
    most: int | None
    more_rows: int
    more_from: int


@dataclass(frozen=True)
class Stream:
    """A JPEG cut into its parts.

    Args:
        segments: marker and whole bytes of each segment before the first scan, without what stood between them.
        body: from the first scan up to, not including, the end marker.
        ended: whether the end marker is there. trailing: how many bytes follow it.
    """

    segments: tuple[tuple[int, bytes], ...]
    body: bytes
    ended: bool
    trailing: int

    @property
    def whole(self) -> bytes:
        """The stream with its metadata and an end marker."""
        return self._joined(lambda _: True)

    @property
    def bare(self) -> bytes:
        """Only what the pixels are made of: each complaint of a decoder about it is about pixels."""
        return self._joined(lambda marker: marker not in _APPLICATION)

    def levels(self) -> Levels | None:
        """A stream whose 1/8-size decoding shows each block's DC value; None without a frame.

        The quantiser of the DC value is made 1, so that the decoder's clamping to 0..255 lies beyond what can occur,
        and the others 0. An 8-bit block's DC is within +-1024 (T.81, A.3.3: eight times the mean of level-shifted
        samples), hence the quantised one within 1024 / q.

        A sequential picture is made one row of blocks longer: once its bits are used up, a decoder makes that row of
        one colour, and of whatever else it finds when bits are left over.
        """
        frame = next((part for marker, part in self.segments if marker in _FRAMES), None)
        if frame is None or len(frame) < 10 + 3 * frame[9]:
            return None
        steps = [step for marker, part in self.segments if marker == _DQT for step in _dc_steps(part)]
        sampling = [frame[11 + 3 * index] for index in range(frame[9])]
        across, down = max(value >> 4 for value in sampling), max(value & 15 for value in sampling)
        (height,) = struct.unpack_from(">H", frame, 5)
        (width,) = struct.unpack_from(">H", frame, 7)
        rows = -(-height // (8 * down)) if down else 0
        longer = self._may_be_longer(frame, 8 * down * (rows + 1))
        parts = []
        for marker, part in self.segments:
            if marker == _DQT:
                parts.append(_only_levels(part))
            elif part is frame:
                # 1/8 of less than 8 pixels is nothing to libvips.
                size = struct.pack(">HH", 8 * down * (rows + 1) if longer else max(height, 8), max(width, 8))
                parts.append(part[:5] + size + part[9:])
            elif marker not in _APPLICATION:
                parts.append(part)
        data = b"\xff\xd8" + _ADOBE_RAW + b"".join(parts) + self.body + END
        # One quantised step and one step of the 8-bit sample for rounding; where q is 1, nothing can be seen.
        most = 128 // min(steps) + 2 if steps and min(steps) > 1 else None
        return Levels(data, most, down if longer else 0, across)

    def _may_be_longer(self, frame: bytes, height: int) -> bool:
        """Restarts have marks of their own, and some cameras fill up with zeros."""
        restarts = any(marker == _DRI for marker, _ in self.segments)
        return frame[1] in _SEQUENTIAL and not restarts and 0 < height < 65_500 and not self.body.endswith(bytes(4))

    def lacks_scans(self) -> bool:
        """Whether a progressive picture's refining scans are not all there (T.81, G.1.1.1.1: Al counts down to 0)."""
        if not any(marker == _SOF_PROGRESSIVE for marker, _ in self.segments):
            return False
        wanted: set[tuple[int, int]] = set()
        seen: set[tuple[int, int]] = set()
        for components, first, last, low in _scans(self.body):
            wanted |= {(component, k) for component in components for k in range(64)}
            if low == 0:
                seen |= {(component, k) for component in components for k in range(first, last + 1)}
        return bool(wanted - seen)

    def _joined(self, kept: Callable[[int], bool]) -> bytes:
        return b"\xff\xd8" + b"".join(part for marker, part in self.segments if kept(marker)) + self.body + END


def parse(data: bytes) -> Stream | None:
    """The parts of a JPEG, or None when no scan begins in it."""
    segments: list[tuple[int, bytes]] = []
    at = 2
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 4 > len(data):
            return None
        marker = data[at + 1]
        if marker in (0x00, 0xFF) or marker in _STANDALONE:
            at += 1
            continue
        if marker == _SOS:
            break
        (length,) = struct.unpack_from(">H", data, at + 2)
        segments.append((marker, data[at : at + 2 + length]))
        at += 2 + length
    # 0xFF is stuffed inside a scan, so that the first end marker is the real one.
    end = data.find(END, at)
    body = data[at:end] if end >= 0 else data[at:].removesuffix(b"\xff")
    return Stream(tuple(segments), body, end >= 0, len(data) - end - 2 if end >= 0 else 0)


def with_tables(tables: bytes, data: bytes) -> bytes:
    """A stream that needs the tables of another, shorter one, as a whole stream of its own (T.81, B.4 and B.5)."""
    return b"\xff\xd8" + tables.removeprefix(b"\xff\xd8").removesuffix(END) + data.removeprefix(b"\xff\xd8")


def _dc_steps(segment: bytes) -> Iterator[int]:
    for start, wide in _tables(segment):
        yield int.from_bytes(segment[start : start + 1 + wide], "big")


def _only_levels(segment: bytes) -> bytes:
    changed = bytearray(segment)
    for start, wide in _tables(segment):
        changed[start : start + 64 * (1 + wide)] = bytes(wide) + b"\x01" + bytes(63 * (1 + wide))
    return bytes(changed)


def _tables(segment: bytes) -> Iterator[tuple[int, int]]:
    """Where each quantisation table's DC step stands, and whether it has 16 bits (T.81, B.2.4.1)."""
    at = 4
    while at < len(segment):
        wide = segment[at] >> 4
        yield at + 1, min(wide, 1)
        at += 1 + 64 * (1 + min(wide, 1))


def _scans(body: bytes) -> Iterator[tuple[list[int], int, int, int]]:
    for found in re.finditer(rb"\xff\xda(?=[\0-\xff]{8})", body):
        count = body[found.end() + 2]
        head = body[found.end() + 3 : found.end() + 3 + 2 * count + 3]
        if 1 <= count <= 4 and len(head) == 2 * count + 3:
            yield list(head[: 2 * count : 2]), head[-3], head[-2], head[-1] & 15
