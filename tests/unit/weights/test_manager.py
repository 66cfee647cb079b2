"""What the daemon sees of the weights: states, licences, pauses, verification, caches and imports."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from s2edit_server import envelope
from s2edit_server.settings import DaemonSettings
from s2edit_server.weights import catalogue, imports, places
from s2edit_server.weights.catalogue import CatalogueEntry
from s2edit_server.weights.manager import Weights
from s2edit_wire.errors import WireError
from s2edit_wire.records import MODEL

from tests.fakes.hub import FakeHub
from tests.fakes.hub_model import FILES, REVISION, WEIGHTS, make_cache, tensor_file
from tests.fakes.until import until

Make = Callable[..., Weights]


def state(weights: Weights) -> str:
    record = weights.model("model")
    MODEL.check(record, "model")
    return str(record["state"])


def test_from_absent_to_ready(make_weights: Make) -> None:
    weights = make_weights()
    assert state(weights) == "absent"
    with pytest.raises(WireError, match="not installed") as failure:
        weights.find("model")
    assert "Download it" in failure.value.hint
    weights.act("model", "download")
    assert weights.wait("model", 60)
    assert state(weights) == "ready"
    folder = weights.find("model")
    assert {name: (folder / name).read_bytes() for name in FILES} == FILES
    assert weights.model("model")["present"] == sum(map(len, FILES.values()))


def test_progress_is_told(tmp_path: Path, hub: FakeHub, entry: CatalogueEntry, make_weights: Make) -> None:
    weights = make_weights()
    told: list[dict[str, object]] = []
    weights._on_change = told.append
    hub.faults.slow = 0.02
    weights.act("model", "download")
    assert weights.wait("model", 60)
    assert told[-1]["state"] == "ready"
    bytes_seen = [int(str(record["present"])) for record in told]
    assert bytes_seen == sorted(bytes_seen) and len(set(bytes_seen)) > 3
    assert any(float(str(record.get("rate", 0))) > 0 for record in told)


def test_the_licence_comes_first(make_weights: Make, hub: FakeHub) -> None:
    weights = make_weights(accept=False)
    assert weights.model("model")["licence_accepted"] is False
    with pytest.raises(WireError) as failure:
        weights.act("model", "download")
    assert failure.value.code == "licence_required" and "https://example.org/licence" in failure.value.hint
    assert hub.requests == [] and state(weights) == "absent"
    weights.act("model", "accept_licence")
    record = json.loads((weights.folder / "licences.json").read_text())["model"]
    assert record["licence"] == "Some licence" and record["accepted"].startswith("20")
    assert make_weights(accept=False).model("model")["licence_accepted"] is True


def test_offline_opens_no_socket(make_weights: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = make_weights(offline=True)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    for action in ("download", "repair"):
        with pytest.raises(WireError) as failure:
            weights.act("model", action)
            weights.wait("model", 5)
            weights.act("model", "download")
        assert failure.value.code == "offline"
    weights.resume_interrupted()


def test_pause_and_go_on(make_weights: Make, hub: FakeHub) -> None:
    weights = make_weights()
    hub.faults.slow = 0.02
    weights.act("model", "download")
    until(lambda: weights.model("model")["present"] > 300_000)
    assert state(weights) == "downloading"
    weights.act("model", "pause")
    assert state(weights) == "paused"
    assert 0 < weights.model("model")["present"] < weights.model("model")["size"]
    hub.faults.slow = 0
    weights.act("model", "download")
    assert weights.wait("model", 60) and state(weights) == "ready"


def test_a_restart_goes_on_by_itself_and_a_pause_stays(make_weights: Make, hub: FakeHub) -> None:
    hub.faults.slow = 0.02
    first = make_weights()
    first.act("model", "download")
    until(lambda: first.model("model")["present"] > 300_000)
    first.close()
    hub.faults.slow = 0
    second = make_weights()
    second.resume_interrupted()
    assert second.wait("model", 10) and state(second) == "ready"
    ranges = [asked for method, path, asked, _ in hub.requests if method == "GET" and WEIGHTS in path]
    assert any(asked for asked in ranges)


def test_a_paused_download_waits_for_its_user(make_weights: Make, hub: FakeHub) -> None:
    hub.faults.slow = 0.02
    first = make_weights()
    first.act("model", "download")
    until(lambda: first.model("model")["present"] > 300_000)
    first.act("model", "pause")
    second = make_weights()
    second.resume_interrupted()
    assert state(second) == "paused"


def test_a_failed_download_says_why(make_weights: Make, hub: FakeHub) -> None:
    hub.faults.status = 404
    weights = make_weights()
    weights.act("model", "download")
    assert weights.wait("model", 60)
    record = weights.model("model")
    assert record["state"] == "absent" and "no longer has these weights" in record["message"]


def verified(weights: Weights, model: str = "model") -> dict[str, Any]:
    """The record once the verification has ended."""
    weights.act(model, "verify")
    assert weights.wait(model, 10)
    return weights.model(model)


@pytest.mark.parametrize("harm", ["flip", "tear", "delete"])
def test_damage_is_found_and_repaired(make_weights: Make, harm: str) -> None:
    weights = make_weights()
    weights.act("model", "download")
    assert weights.wait("model", 60)
    file = weights.find("model") / WEIGHTS
    data = bytearray(FILES[WEIGHTS])
    if harm == "flip":
        data[1_000_000] ^= 1
        file.write_bytes(data)
    elif harm == "tear":
        file.write_bytes(data[:1_000_000])
    else:
        file.unlink()
    record = verified(weights)
    assert record["state"] == "broken" and WEIGHTS in record["message"]
    with pytest.raises(WireError, match="damaged"):
        weights.find("model")
    weights.act("model", "repair")
    assert weights.wait("model", 60) and weights.wait("model", 60)
    assert state(weights) == "ready"
    assert (weights.find("model") / WEIGHTS).read_bytes() == FILES[WEIGHTS]


def test_remove(make_weights: Make) -> None:
    weights = make_weights()
    weights.act("model", "download")
    assert weights.wait("model", 60)
    weights.act("model", "remove")
    assert state(weights) == "absent" and not (weights.folder / "model").exists()


def test_a_cached_snapshot_is_used_in_place(make_weights: Make, tmp_path: Path, hub: FakeHub) -> None:
    snapshot = make_cache(tmp_path / "hub", "someone/model", REVISION, FILES)
    weights = make_weights()
    assert state(weights) == "ready" and weights.find("model") == snapshot
    weights.act("model", "download")
    assert hub.requests == []
    with pytest.raises(WireError, match="left alone"):
        weights.act("model", "remove")
    assert snapshot.exists()


def test_a_cached_snapshot_that_proves_wrong_is_replaced(
    make_weights: Make, tmp_path: Path, hub: FakeHub, entry: CatalogueEntry
) -> None:
    known = tuple(
        structs.replace(file, size=len(FILES[file.name]), sha256=hashlib.sha256(FILES[file.name]).hexdigest())
        for file in entry.files
        if file.name == WEIGHTS
    )
    flipped = bytearray(FILES[WEIGHTS])
    flipped[-1] ^= 1
    make_cache(tmp_path / "hub", "someone/model", REVISION, {**FILES, WEIGHTS: bytes(flipped)})
    weights = make_weights()
    weights._finder.catalogue["model"] = structs.replace(entry, files=known)
    assert state(weights) == "ready"
    assert verified(weights)["state"] == "broken"
    weights.act("model", "repair")
    assert weights.wait("model", 60) and weights.wait("model", 60)
    assert state(weights) == "ready" and tmp_path / "hub" not in weights.find("model").parents
    assert (weights.find("model") / WEIGHTS).read_bytes() == FILES[WEIGHTS]


def test_a_torn_cached_snapshot_is_not_used(make_weights: Make, tmp_path: Path) -> None:
    torn = {**FILES, WEIGHTS: FILES[WEIGHTS][:-1]}
    make_cache(tmp_path / "hub", "someone/model", REVISION, torn)
    assert state(make_weights()) == "absent"


def test_another_revision_in_the_cache_needs_a_known_digest(
    make_weights: Make, tmp_path: Path, entry: CatalogueEntry, hub: FakeHub
) -> None:
    make_cache(tmp_path / "hub", "someone/model", "f" * 40, FILES)
    assert state(make_weights()) == "absent"


def test_imports_of_any_number_and_name_can_be_told(make_weights: Make, tmp_path: Path) -> None:
    weights = make_weights()
    weights.folder.mkdir(parents=True, exist_ok=True)
    before = len(weights.models())
    odd = os.fsdecode(b"caf\xe9\n\x01.safetensors")
    paths = [str(tmp_path / odd), *(f"/{'deep/' * 200}{number}.safetensors" for number in range(500))]
    (weights.folder / "imports.json").write_text(json.dumps({"paths": paths}))
    weights.rescan()
    records = weights.models()
    assert len(records) == before + imports.MAX_IMPORTS
    envelope.encode({"op": "reply", "id": 1, "models": records})
    for record in records:
        MODEL.check(record, "model")
    assert "caf\ufffd\ufffd\ufffd" in [record["title"] for record in records]


def test_imports_are_used_in_place(make_weights: Make, tmp_path: Path) -> None:
    weights = make_weights()
    single, pickle = tmp_path / "My Model.safetensors", tmp_path / "evil.ckpt"
    single.write_bytes(tensor_file(1_000))
    pickle.write_bytes(b"\x80\x04")
    folder = tmp_path / "diffusers"
    (folder / "unet").mkdir(parents=True)
    (folder / "vae").mkdir()
    (folder / "unet" / "config.json").write_text('{"sample_size": 64}')
    (folder / "vae" / "config.json").write_text('{"block_out_channels": [1, 2, 3, 4]}')
    (folder / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(tensor_file(10))
    paths = [single, pickle, folder, tmp_path / "gone.safetensors", Path("relative.safetensors")]
    weights.folder.mkdir(parents=True, exist_ok=True)
    (weights.folder / "imports.json").write_text(json.dumps({"paths": [str(path) for path in paths]}))
    assert len(weights.models()) == 1
    weights.rescan()
    by_id = {record["id"]: record for record in weights.models()}
    for record in by_id.values():
        MODEL.check(record, "model")
    assert by_id["import-my-model"]["state"] == "ready" and weights.find("import-my-model") == single
    assert by_id["import-diffusers"]["native"] == 512
    assert by_id["import-evil"]["state"] == "broken" and "foreign code" in by_id["import-evil"]["message"]
    assert "not there" in by_id["import-gone"]["message"]
    assert "absolute" in by_id["import-relative"]["message"]
    with pytest.raises(WireError, match="left alone"):
        weights.act("import-my-model", "remove")
    assert single.exists()


def test_an_import_that_is_torn_later_is_noticed(make_weights: Make, tmp_path: Path) -> None:
    weights = make_weights()
    single = tmp_path / "m.safetensors"
    single.write_bytes(tensor_file(1_000))
    weights.folder.mkdir(parents=True, exist_ok=True)
    (weights.folder / "imports.json").write_text(json.dumps({"paths": [str(single)]}))
    weights.rescan()
    assert weights.find("import-m") == single
    single.write_bytes(tensor_file(1_000)[:-5])
    with pytest.raises(WireError, match="torn"):
        weights.find("import-m")


def test_our_own_catalogue() -> None:
    entries = catalogue.load()
    assert set(entries) >= {"portraits", "sd-v1-4", "sd-v1-5", "sd-vae-ft-mse", "blip-large", "clip-vit-l-14"}
    for entry in entries.values():
        if not entry.embedded and not entry.base:
            assert catalogue.COMMIT.fullmatch(entry.revision) and entry.size > 5e7


@pytest.mark.parametrize(
    "change",
    [
        {"revision": "main"},
        {"files": [{"name": "../x.json"}]},
        {"files": [{"name": "weights.bin"}]},
        {"role": "decoder", "memory": 0},
    ],
)
def test_a_catalogue_with_a_branch_a_climbing_path_a_pickle_or_no_memory_is_refused(change: dict[str, object]) -> None:
    entry = {
        "id": "m", "title": "", "purpose": "", "role": "editor", "domain": "any", "native": 1, "memory": 1,
        "licence": "", "repo": "a/b", "revision": REVISION, "files": [],
    }  # fmt: skip
    catalogue.read(json.dumps({"models": [entry]}).encode())
    with pytest.raises(ValueError):
        catalogue.read(json.dumps({"models": [entry | change]}).encode())


def test_a_damaged_catalogue_of_the_users_own_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "catalogue.json").write_text('{"models": [{"id": 3}]}')
    assert {record["id"] for record in Weights(tmp_path, DaemonSettings, caches=[]).models()} == set(catalogue.load())


def test_the_embedded_model_is_found_without_importing_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(places.PORTRAITS_VARIABLE, raising=False)
    assert places.embedded_folder().parts[-3:] == ("s2edit", "model", "portraits")
    monkeypatch.setenv(places.PORTRAITS_VARIABLE, str(tmp_path))
    assert places.embedded_folder() == tmp_path


def test_records_while_threads_are_at_work(make_weights: Make, hub: FakeHub) -> None:
    """Asking for records from several threads during a download neither fails nor goes back in bytes."""
    weights = make_weights()
    hub.faults.slow = 0.005
    over = threading.Event()

    def look() -> list[int]:
        present = []
        while not over.wait(0.001):  # not at once: three that never let go of the interpreter would stop the download
            record = weights.model("model")
            MODEL.check(record, "model")
            present.append(int(record["present"]))
        return present

    with ThreadPoolExecutor(3) as threads:
        looks = [threads.submit(look) for _ in range(3)]
        weights.act("model", "download")
        arrived = weights.wait("model", 120)
        over.set()
        seen = [look.result() for look in looks]
    assert arrived and state(weights) == "ready"
    assert all(present == sorted(present) and len(present) > 3 for present in seen)
