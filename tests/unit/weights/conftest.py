"""A small model on a hub of our own."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from s2edit_server.settings import Settings
from s2edit_server.weights.catalogue import Entry, File
from s2edit_server.weights.manager import Weights

from .fake_hub import FakeHub

REVISION = "0123456789abcdef0123456789abcdef01234567"
WEIGHTS = "unet/diffusion_pytorch_model.safetensors"


def tensor_file(count: int, seed: int = 0) -> bytes:
    """A safetensors file of `count` random bytes."""
    header = json.dumps({"w": {"dtype": "U8", "shape": [count], "data_offsets": [0, count]}}).encode()
    return len(header).to_bytes(8, "little") + header + random.Random(seed).randbytes(count)


FILES = {
    "model_index.json": b"{}",
    "unet/config.json": b'{"sample_size": 64}',
    WEIGHTS: tensor_file(3_000_000),
}


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub("someone/model", REVISION, FILES) as server:
        yield server


@pytest.fixture
def entry() -> Entry:
    return Entry(
        id="model",
        title="A model",
        purpose="For tests.",
        role="editor",
        domain="photo",
        native=64,
        memory=1,
        licence="Some licence",
        licence_url="https://example.org/licence",
        ask_licence=True,
        repo="someone/model",
        revision=REVISION,
        files=tuple(File(name, about=len(content)) for name, content in FILES.items()),
    )


@pytest.fixture
def make_weights(tmp_path: Path, hub: FakeHub, entry: Entry) -> Iterator[Callable[..., Weights]]:
    made: list[Weights] = []

    def make(accept: bool = True, **settings: object) -> Weights:
        chosen = Settings(**{"mirror": hub.base, **settings})  # type: ignore[arg-type]
        options = {"backoff": 0.01, "reserve": 0}
        weights = Weights(
            tmp_path, lambda: chosen, catalogue={entry.id: entry}, caches=[tmp_path / "hub"], options=options
        )
        if accept:
            weights.act(entry.id, "accept_licence")
        made.append(weights)
        return weights

    yield make
    for weights in made:
        weights.close()
