"""Looks a `.safetensors` file over before any loader sees it: only its header is read.

Format: https://huggingface.co/docs/safetensors (8 bytes little-endian header length, JSON header, then the tensors).
"""

from __future__ import annotations

import json
import os
from math import prod
from pathlib import Path
from typing import Any

from s2edit_wire.plain_files import NotPlain, open_plain

MAX_HEADER = 4 * 2**20
"""Bytes. The format allows 100 MB, of which Python makes gigabytes; a model with 10,000 tensors has about 1 MB."""
MAX_DIMENSIONS = 16
MAX_NUMBER = 2**63 - 1
"""Of a shape or offset: products of larger ones take the processor for minutes."""
BITS = {
    "BOOL": 8,
    "U8": 8,
    "I8": 8,
    "F8_E4M3": 8,
    "F8_E5M2": 8,
    "U16": 16,
    "I16": 16,
    "F16": 16,
    "BF16": 16,
    "U32": 32,
    "I32": 32,
    "F32": 32,
    "U64": 64,
    "I64": 64,
    "F64": 64,
}
"""Bits of one number, by the format's name of its type."""


class BadTensorFile(ValueError):
    """The file is not a whole, well-formed safetensors file; the text says why."""


def check(path: Path) -> dict[str, Any]:
    """The header of a well-formed file.

    Raises:
        BadTensorFile: it is torn, or no such file at all (a pickle, a web page, a pointer file, a FIFO).
        OSError: it can't be read.
    """
    try:
        file = open_plain(path)
    except NotPlain as error:
        raise BadTensorFile("it is no plain file") from error
    with file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(8)
        length = int.from_bytes(head, "little")
        if len(head) < 8 or not 2 <= length <= size - 8:
            raise BadTensorFile("it is no safetensors file")
        if length > MAX_HEADER:
            raise BadTensorFile(f"its header is larger than {MAX_HEADER >> 20} MiB")
        text = file.read(length)
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadTensorFile("its header is damaged") from error
    if not isinstance(header, dict):
        raise BadTensorFile("its header is damaged")
    spans = sorted(_span(entry) for name, entry in header.items() if name != "__metadata__")
    end = 0
    for start, stop in spans:
        if start != end:
            raise BadTensorFile("its tensors overlap or leave gaps")
        end = stop
    if 8 + length + end != size:
        raise BadTensorFile(f"it has {size} bytes where its header says {8 + length + end}: the file is torn")
    return header


def _span(entry: object) -> tuple[int, int]:
    if not isinstance(entry, dict):
        raise BadTensorFile("its header is damaged")
    shape, offsets = _naturals(entry.get("shape")), _naturals(entry.get("data_offsets"))
    bits = BITS.get(str(entry.get("dtype")))
    if len(offsets) != 2 or bits is None:
        raise BadTensorFile("its header is damaged")
    start, stop = offsets
    if stop - start != prod(shape) * bits // 8:
        raise BadTensorFile("a tensor's size does not fit its shape")
    return start, stop


def _naturals(value: object) -> list[int]:
    if not isinstance(value, list) or len(value) > MAX_DIMENSIONS:
        raise BadTensorFile("its header is damaged")
    if not all(type(number) is int and 0 <= number <= MAX_NUMBER for number in value):
        raise BadTensorFile("its header is damaged")
    return value
