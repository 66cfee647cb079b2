"""A strict subset of msgpack for headers: true, false, whole numbers, 64-bit floats, text, small binaries, lists, maps.

No nil, no extension types, no 32-bit floats, no NaN or infinity; maps have text names, each once. Every limit of
`limits` is checked while decoding, before memory is taken. Format: the msgpack specification (msgpack.org).
"""

from __future__ import annotations

import math
import struct

from .errors import ProtocolError, WireError
from .limits import MAX_DEPTH, MAX_HEADER, MAX_ITEMS, MAX_SAFE_INTEGER, MAX_TEXT

Value = bool | int | float | str | bytes | list["Value"] | dict[str, "Value"]


def pack(value: object) -> bytes:
    """The value as msgpack, in the shortest form.

    Args:
        value: bool, int (at most 2^53 - 1 in size), finite float, str, bytes, list or tuple, dict with str keys.

    Raises:
        WireError: `bad_request` for another kind or a number out of range, `too_large` over a limit.
    """
    parts: list[bytes] = []
    _pack(value, parts, MAX_DEPTH)
    data = b"".join(parts)
    if len(data) > MAX_HEADER:
        raise WireError("too_large", f"The header has {len(data)} bytes; {MAX_HEADER} are possible.")
    return data


def _pack(value: object, parts: list[bytes], depth: int) -> None:
    if isinstance(value, bool):
        parts.append(b"\xc3" if value else b"\xc2")
    elif isinstance(value, int):
        parts.append(_pack_integer(value))
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise WireError("bad_request", "A number is not finite.")
        parts.append(struct.pack(">Bd", 0xCB, value))
    elif isinstance(value, (str, bytes)):
        parts.append(_pack_text(value))
    elif isinstance(value, (list, tuple, dict)):
        _pack_container(value, parts, depth)
    else:
        raise WireError("bad_request", f"A header can't hold a {type(value).__name__}.")


def _pack_text(value: str | bytes) -> bytes:
    if isinstance(value, bytes):
        _check_size(len(value), MAX_TEXT, "binary")
        return _head(len(value), 0, 0, (0xC4, 0xC5, 0xC6)) + value
    try:
        data = value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise WireError("bad_request", "A text holds half a character (a lone surrogate).") from error
    _check_size(len(data), MAX_TEXT, "text")
    return _head(len(data), 0xA0, 32, (0xD9, 0xDA, 0xDB)) + data


def _pack_container(
    value: list[object] | tuple[object, ...] | dict[object, object], parts: list[bytes], depth: int
) -> None:
    if depth == 0:
        raise WireError("too_large", "The header is nested too deeply.")
    _check_size(len(value), MAX_ITEMS, "list or map")
    if not isinstance(value, dict):
        parts.append(_head(len(value), 0x90, 16, (None, 0xDC, 0xDD)))
        for entry in value:
            _pack(entry, parts, depth - 1)
        return
    parts.append(_head(len(value), 0x80, 16, (None, 0xDE, 0xDF)))
    for name, entry in value.items():
        if not isinstance(name, str):
            raise WireError("bad_request", "A map's names must be text.")
        parts.append(_pack_text(name))
        _pack(entry, parts, depth - 1)


def _check_size(size: int, limit: int, what: str) -> None:
    if size > limit:
        raise WireError("too_large", f"A {what} in the header has a size of {size}; {limit} is possible.")


def _pack_integer(value: int) -> bytes:
    if not -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
        raise WireError("bad_request", "A whole number is over 2^53 - 1.")
    if -32 <= value < 128:
        return struct.pack("B", value & 0xFF)
    if value >= 0:
        for code, form, bits in ((0xCC, ">BB", 8), (0xCD, ">BH", 16), (0xCE, ">BI", 32)):
            if value < 1 << bits:
                return struct.pack(form, code, value)
        return struct.pack(">BQ", 0xCF, value)
    for code, form, bits in ((0xD0, ">Bb", 7), (0xD1, ">Bh", 15), (0xD2, ">Bi", 31)):
        if value >= -1 << bits:
            return struct.pack(form, code, value)
    return struct.pack(">Bq", 0xD3, value)


def _head(size: int, fix: int, fix_below: int, codes: tuple[int | None, int, int]) -> bytes:
    """The type byte and length of a text, binary, list or map; `codes` for 8, 16 and 32-bit lengths."""
    if size < fix_below:
        return bytes((fix | size,))
    if size < 256 and codes[0] is not None:
        return struct.pack(">BB", codes[0], size)
    return struct.pack(">BH", codes[1], size) if size < 65_536 else struct.pack(">BI", codes[2], size)


def unpack(data: bytes | bytearray | memoryview) -> Value:
    """The value that `data` encodes, all of it.

    Raises:
        ProtocolError: for anything outside the subset, over a limit, cut short or with bytes left over.
    """
    if len(data) > MAX_HEADER:
        raise ProtocolError("A header is over its limit.")
    reader = _Reader(bytes(data))
    value = reader.value(MAX_DEPTH)
    if reader.position != len(reader.data):
        raise ProtocolError("Bytes are left over after a header.")
    return value


_SIZES = {0xD9: 1, 0xDA: 2, 0xDB: 4, 0xC4: 1, 0xC5: 2, 0xC6: 4, 0xDC: 2, 0xDD: 4, 0xDE: 2, 0xDF: 4}
_INTEGERS = {0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q", 0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q"}


class _Reader:
    """One pass over a header's bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    def value(self, depth: int) -> Value:
        """The next value; at most `depth` containers may lie within one another from here on."""
        code = self._take(1)[0]
        if code < 0x80 or code >= 0xE0:
            return code if code < 0x80 else code - 256
        if code in (0xC2, 0xC3):
            return code == 0xC3
        if code in _INTEGERS:
            return self._integer(_INTEGERS[code])
        if code == 0xCB:
            return self._float()
        if code in _SIZES:
            return self._sized(code, int.from_bytes(self._take(_SIZES[code]), "big"), depth)
        if code < 0xC0:  # fixmap, fixarray, fixstr
            return self._sized(0xDE if code < 0x90 else 0xDC if code < 0xA0 else 0xD9, code & _fix_mask(code), depth)
        raise ProtocolError(f"A header holds a value of kind 0x{code:02x}, which the wire doesn't have.")

    def _take(self, size: int) -> bytes:
        end = self.position + size
        if end > len(self.data):
            raise ProtocolError("A header is cut short.")
        taken = self.data[self.position : end]
        self.position = end
        return taken

    def _integer(self, form: str) -> int:
        value: int = struct.unpack(form, self._take(struct.calcsize(form)))[0]
        if not -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
            raise ProtocolError("A whole number in a header is over 2^53 - 1.")
        return value

    def _float(self) -> float:
        value: float = struct.unpack(">d", self._take(8))[0]
        if not math.isfinite(value):
            raise ProtocolError("A number in a header is not finite.")
        return value

    def _sized(self, code: int, size: int, depth: int) -> Value:
        if code in (0xD9, 0xDA, 0xDB):
            return self._text(size)
        if code in (0xC4, 0xC5, 0xC6):
            if size > MAX_TEXT:
                raise ProtocolError("A binary in a header is over its limit.")
            return self._take(size)
        if depth == 0:
            raise ProtocolError("A header is nested too deeply.")
        if size > MAX_ITEMS:
            raise ProtocolError("A list or map in a header has too many entries.")
        if code in (0xDC, 0xDD):
            return [self.value(depth - 1) for _ in range(size)]
        return self._map(size, depth)

    def _text(self, size: int) -> str:
        if size > MAX_TEXT:
            raise ProtocolError("A text in a header is over its limit.")
        try:
            return self._take(size).decode("utf-8")
        except UnicodeDecodeError as error:
            raise ProtocolError("A text in a header is not UTF-8.") from error

    def _map(self, size: int, depth: int) -> dict[str, Value]:
        result: dict[str, Value] = {}
        for _ in range(size):
            name = self.value(0)
            if not isinstance(name, str) or name in result:
                raise ProtocolError("A map's names in a header must be text, each once.")
            result[name] = self.value(depth - 1)
        return result


def _fix_mask(code: int) -> int:
    return 0x1F if code >= 0xA0 else 0x0F
