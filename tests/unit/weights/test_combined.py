"""Models put together of several: another decoder in an editor's place for it, an upscaler beside every editor."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from msgspec import structs
from s2edit_server.settings import DaemonSettings
from s2edit_server.weights.catalogue import CatalogueEntry, File
from s2edit_server.weights.manager import Weights
from s2edit_wire.errors import WireError
from s2edit_wire.records import MODEL

from tests.fakes.hub import FakeHub
from tests.fakes.hub_model import FILES, REVISION, WEIGHTS, make_cache, tensor_file


def test_a_combined_model_is_an_editor_with_another_decoder(
    tmp_path: Path, hub: FakeHub, entry: CatalogueEntry
) -> None:
    names = {"config.json": b"{}", "diffusion_pytorch_model.safetensors": tensor_file(500)}
    make_cache(tmp_path / "hub", "a/decoder", REVISION, names)
    files = tuple(File(name) for name in names)
    decoder = structs.replace(entry, id="decoder", role="decoder", ask_licence=False, repo="a/decoder", files=files)
    both = structs.replace(entry, id="both", files=(), base="model", decoder="decoder")
    entries = {known.id: known for known in (entry, decoder, both)}
    chosen, options = DaemonSettings(mirror=hub.base), {"backoff": 0.01, "reserve": 0}
    weights = Weights(tmp_path, lambda: chosen, catalogue=entries, caches=[tmp_path / "hub"], options=options)
    assert weights.model("both")["state"] == "partial"
    with pytest.raises(WireError) as failure:
        weights.act("both", "download")
    assert failure.value.code == "licence_required"
    weights.act("both", "accept_licence")
    weights.act("both", "download")
    assert weights.wait("model", 60)
    record = weights.model("both")
    MODEL.check(record, "model")
    assert record["state"] == "ready" and record["licence_accepted"]
    folder = weights.find("both")
    assert (folder / WEIGHTS).read_bytes() == FILES[WEIGHTS]
    assert {path.name: path.read_bytes() for path in (folder / "vae").iterdir()} == names
    assert weights.find("both") == folder
    with pytest.raises(WireError, match="no files of its own"):
        weights.act("both", "remove")
    weights.act("model", "remove")
    assert weights.model("both")["state"] == "partial"


def test_an_installed_upscaler_goes_with_every_editor_of_its_kind(
    tmp_path: Path, hub: FakeHub, entry: CatalogueEntry
) -> None:
    """Nobody has to choose it; a model that brings its own keeps that, and what is removed is used no more."""
    single = {"Anything_x4.safetensors": tensor_file(300)}
    make_cache(tmp_path / "hub", "a/upscaler", REVISION, single)
    make_cache(tmp_path / "hub", entry.repo, entry.revision, FILES)
    files = tuple(File(name) for name in single)
    upscaler = structs.replace(entry, id="upscaler", role="upscaler", domain="photo", repo="a/upscaler", files=files)
    photo, drawing = (structs.replace(entry, id=kind, domain=kind, ask_licence=False) for kind in ("photo", "cartoon"))
    entries = {known.id: known for known in (photo, drawing, upscaler)}
    weights = Weights(tmp_path, DaemonSettings, catalogue=entries, caches=[tmp_path / "hub"])
    folder, plain = weights.find("photo"), weights.find("cartoon")
    assert {file.name for file in (folder / "upscaler").iterdir()} == {"model.safetensors"}
    assert (folder / "upscaler" / "model.safetensors").read_bytes() == single["Anything_x4.safetensors"]
    assert (folder / WEIGHTS).read_bytes() == FILES[WEIGHTS]
    assert weights.find("photo") == folder
    assert not (plain / "upscaler").exists()
    shutil.rmtree(tmp_path / "hub" / "models--a--upscaler")
    weights.rescan()
    assert weights.find("photo") == plain
    (plain / "upscaler").mkdir()
    make_cache(tmp_path / "hub", "a/upscaler", REVISION, single)
    weights.rescan()
    assert weights.find("photo") == plain
