"""The look at a weight file's header: what the reference implementation writes passes, all else is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from s2edit_server.weights.tensor_files import BadTensorFile, check
from safetensors.numpy import save, save_file

WHOLE = save({"a": np.zeros((2, 3), np.float16), "b": np.zeros((0, 4), np.int64), "c": np.array(1.0)})


def written(folder: Path, header: Any, data: bytes = b"") -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path = folder / "x.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


def test_what_the_reference_implementation_writes_passes(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"w": np.zeros((3, 5), np.float32)}, path, metadata={"format": "pt"})
    assert check(path)["w"]["shape"] == [3, 5]
    path.write_bytes(WHOLE)
    assert set(check(path)) == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("header", "data"),
    [
        (b"\x80\x04pickle", b""),
        (b"<html>not found</html>", b""),
        ([], b""),
        (b"[" * 100_000, b""),
        ({"w": 3}, b""),
        ({"w": {"dtype": "U8", "shape": [4], "data_offsets": [0, 3]}}, b"123"),
        ({"w": {"dtype": "U8", "shape": [4], "data_offsets": [1, 5]}}, b"12345"),
        ({"w": {"dtype": "U8", "shape": [-4], "data_offsets": [0, 4]}}, b"1234"),
        ({"w": {"dtype": ["U8"], "shape": [4], "data_offsets": [0, 4]}}, b"1234"),
        ({"w": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}}, b"123"),
        ({"w": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}}, b"12345"),
        ({n: {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]} for n in "ab"}, b"1234"),
        ({"w": {"dtype": "U8", "shape": [True], "data_offsets": [0, 1]}}, b"1"),
    ],
)
def test_all_else_is_refused(tmp_path: Path, header: Any, data: bytes) -> None:
    with pytest.raises(BadTensorFile):
        check(written(tmp_path, header, data))


@pytest.mark.parametrize("content", [b"", b"1234567", b"\xff" * 8, (9).to_bytes(8, "little") + b"{}"])
def test_files_without_a_header_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(BadTensorFile):
        check(path)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 255), st.booleans())
def test_no_damage_raises_anything_else(
    tmp_path_factory: pytest.TempPathFactory, place: int, value: int, cut: bool
) -> None:
    data = bytearray(WHOLE)
    data[place] = value
    path = tmp_path_factory.getbasetemp() / "damaged.safetensors"
    path.write_bytes(data[:place] if cut else data)
    try:
        check(path)
    except BadTensorFile:
        return
    assert not cut
