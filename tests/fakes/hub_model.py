"""A small model that lies on the hub of our own: its files, its catalogue entry, and a daemon that knows it."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from s2edit_server.weights.catalogue import CatalogueEntry, File

from .daemon import RunningDaemon
from .hub import FakeHub

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
    """The hub with the model on it, for a `conftest` to bring in."""
    with FakeHub("someone/model", REVISION, FILES) as server:
        yield server


def small_model(*, gated: bool = False) -> CatalogueEntry:
    """The model's entry in the catalogue; `gated` when it asks for a token."""
    return CatalogueEntry(
        id="model",
        title="A model",
        purpose="For tests.",
        role="editor",
        domain="photo",
        native=64,
        memory=1_000,
        licence="Some licence",
        licence_url="https://example.org/licence",
        ask_licence=True,
        gated=gated,
        repo="someone/model",
        revision=REVISION,
        files=tuple(File(name, about=len(content)) for name, content in FILES.items()),
    )


def daemon_with(
    folder: Path, hub: FakeHub | None = None, entry: CatalogueEntry | None = None, module: str = "s2edit_server"
) -> RunningDaemon:
    """A daemon, not started, with a model of this machine's hub in its catalogue, if there is one.

    It has no token and no cache of whoever runs the tests.
    """
    settings: dict[str, object] = {}
    if hub is not None:
        settings["mirror"] = hub.base
        (folder / "weights").mkdir(mode=0o700, parents=True)
        folder.chmod(0o700)
        own = {"models": [msgspec.to_builtins(entry or small_model())]}
        (folder / "weights" / "catalogue.json").write_text(json.dumps(own))
    nowhere = {"HF_HUB_CACHE": str(folder / "hub"), "HF_HOME": str(folder / "hf"), "HF_TOKEN": ""}
    return RunningDaemon(folder, settings=settings, module=module, environment=nowhere)


def make_cache(root: Path, repo: str, revision: str, files: dict[str, bytes]) -> Path:
    """A Hugging Face cache as its own tools lay it out: blobs named by digest, snapshots of links."""
    base = root / ("models--" + repo.replace("/", "--"))
    snapshot = base / "snapshots" / revision
    (base / "blobs").mkdir(parents=True)
    for name, content in files.items():
        blob = base / "blobs" / hashlib.sha256(content).hexdigest()
        blob.write_bytes(content)
        (snapshot / name).parent.mkdir(parents=True, exist_ok=True)
        (snapshot / name).symlink_to(blob)
    return snapshot
