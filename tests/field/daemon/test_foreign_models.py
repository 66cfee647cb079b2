"""Model files of other people's making: the daemon answers, stays small and stops, whatever lies in the user's list."""

import json
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from s2edit_server.settings import DaemonSettings
from s2edit_server.weights import tensor_files
from s2edit_server.weights.manager import Weights
from s2edit_wire.client import new_job_id
from s2edit_wire.errors import WireError
from s2edit_wire.frames import describe

from tests.fakes.daemon import EDIT, RunningDaemon, picture

ANSWERED = 10.0
"""Seconds within which the daemon has to answer, and to end; it takes tenths."""


def tensors(text: bytes, data: int = 0) -> bytes:
    return len(text).to_bytes(8, "little") + text + b"\0" * data


def fifo(path: Path) -> None:
    os.mkfifo(path)


def huge_header(path: Path) -> None:
    """99 MB of header that is true to the format."""
    name = b'{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"__metadata__":{"a":"'
    path.write_bytes(tensors(name + b"x" * (99_000_000 - len(name) - 3) + b'"}}'))


def empty_lists(path: Path) -> None:
    """Two bytes of text become 64 in memory."""
    path.write_bytes(tensors(b'{"a":[' + b"[]," * 30_000_000 + b"[]]}"))


def long_product(path: Path) -> None:
    """A shape whose product has millions of digits."""
    path.write_bytes(tensors(b'{"a":{"dtype":"U8","shape":[' + b"9" * 4_000 + b",9" * 1_900_000 + b"]}}"))


def folder_with(name: str, make: Callable[[Path], None]) -> Callable[[Path], None]:
    """A diffusers folder of which one file is something else."""

    def build(path: Path) -> None:
        folder = path.with_suffix("")
        for part, config in (("unet", {"sample_size": 8}), ("vae", {"block_out_channels": [1]}), ("tokenizer", {})):
            (folder / part).mkdir(parents=True)
            (folder / part / "config.json").write_text(json.dumps(config))
        (folder / "unet" / "w.safetensors").write_bytes(tensors(b"{}"))
        (folder / name).unlink(missing_ok=True)
        make(folder / name)

    return build


def beyond_end(path: Path) -> None:
    path.symlink_to("/dev/zero")


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


FILES: dict[str, Callable[[Path], None]] = {
    "a FIFO": fifo,
    "a header of 99 MB": huge_header,
    "millions of lists": empty_lists,
    "a long product": long_product,
    "a link to a device": beyond_end,
    "a hole of a terabyte": sparse,
    "a folder with a FIFO as weights": folder_with("unet/diffusion_pytorch_model.safetensors", fifo),
    "a folder with a FIFO as configuration": folder_with("unet/config.json", fifo),
    "a folder with a FIFO as vocabulary": folder_with("tokenizer/vocab.json", fifo),
    "a folder with a device as recommendation": folder_with("recommended.json", beyond_end),
    "a folder with a terabyte of vocabulary": folder_with("tokenizer/tokenizer.json", sparse),
}
LISTS: dict[str, Callable[[Path], None]] = {
    "imports.json": fifo,
    "catalogue.json": fifo,
    "licences.json": fifo,
    "token": fifo,
}


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="s2-") as name:
        (Path(name) / "s" / "weights").mkdir(mode=0o700, parents=True)
        (Path(name) / "s").chmod(0o700)
        yield Path(name) / "s"


def daemon_of(folder: Path) -> RunningDaemon:
    """The real one with the real worker's rules; no job gets as far as the worker."""
    nowhere = {"HF_HUB_CACHE": str(folder / "hub"), "HF_HOME": str(folder / "hf"), "HF_TOKEN": ""}
    return RunningDaemon(folder, worker=None, environment=nowhere)


def everything_is_answered(daemon: RunningDaemon, models: Sequence[str]) -> None:
    """Models are listed, planned with, checked and refused; others get answers meanwhile; then it ends."""
    with daemon.client() as client, daemon.client() as other:
        slowest = 0.0
        done = threading.Event()

        def ask() -> None:
            nonlocal slowest
            while not done.is_set():
                began = time.monotonic()
                other.request("ping", {}, timeout=ANSWERED)
                slowest = max(slowest, time.monotonic() - began)

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            listed = {one["id"]: one for one in client.request("models", {}, timeout=ANSWERED).header["models"]}
            assert "portraits" in listed
            for model in models:
                plan = {"kind": "edit", "model": model, "profile": "fast", "canvas": [64, 64]}
                if model in listed:
                    assert listed[model]["state"] == "broken"
                    client.request("plan", plan, timeout=60)
                    client.request("model", {"model": model, "action": "verify"}, timeout=ANSWERED)
                edit = {**EDIT, "model": model}
                with pytest.raises(WireError) as refused:
                    fields = {"job": new_job_id(), "edit": edit, "frames": [describe("image", (16, 16, 3))]}
                    client.request("submit", fields, [memoryview(picture().tobytes())], timeout=60)
                assert refused.value.code == "unknown_model"
        finally:
            done.set()
            asking.join()
        # The garbage collector and a loaded machine take some; the file's 17 s were seen before.
        assert slowest < 5
    assert daemon.memory_mib() < 300
    assert daemon.stop(ANSWERED) == 0


def made(kind: str, path: Path) -> Path:
    """What the user's list names: the file, or the folder."""
    FILES[kind](path)
    return path if path.is_symlink() or path.exists() else path.with_suffix("")


@pytest.mark.parametrize("kind", FILES)
def test_a_model_file_that_is_none(kind: str, folder: Path) -> None:
    """It is listed as damaged, and each question about it is answered at once."""
    there = made(kind, folder.parent / "x.safetensors")
    (folder / "weights" / "imports.json").write_text(json.dumps({"paths": [str(there)]}))

    def look() -> str:
        weights = Weights(folder, DaemonSettings, caches=[])
        weights.act("import-x", "verify")
        assert weights.wait("import-x", ANSWERED)
        with pytest.raises(WireError):
            weights.find("import-x")
        return str(weights.model("import-x")["state"])

    looked: list[str] = []
    thread = threading.Thread(target=lambda: looked.append(look()), daemon=True)
    thread.start()
    thread.join(ANSWERED)
    assert looked == ["broken"]


def test_all_of_them_in_the_daemon(folder: Path) -> None:
    paths = [str(made(kind, folder.parent / f"m{number}.safetensors")) for number, kind in enumerate(FILES)]
    (folder / "weights" / "imports.json").write_text(json.dumps({"paths": paths}))
    daemon = daemon_of(folder)
    daemon.start()
    try:
        everything_is_answered(daemon, [f"import-m{number}" for number in range(len(FILES))])
    finally:
        if daemon.process is not None and daemon.process.poll() is None:
            daemon.kill()


def test_lists_that_are_none(folder: Path) -> None:
    for name, make in LISTS.items():
        make(folder / "weights" / name)
    daemon = daemon_of(folder)
    daemon.start()
    try:
        everything_is_answered(daemon, ["gone"])
    finally:
        if daemon.process is not None and daemon.process.poll() is None:
            daemon.kill()


def test_the_daemon_stops_in_the_middle_of_a_verification(folder: Path) -> None:
    """Half a terabyte, nearly all of it a hole, takes minutes to read."""
    size, revision = 1 << 39, "0" * 40
    snapshot = folder / "hub" / "models--a--b" / "snapshots" / revision
    snapshot.mkdir(parents=True)
    header = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    with (snapshot / "w.safetensors").open("wb") as file:
        file.write(tensors(header))
        file.truncate(8 + len(header) + size)
    entry = {
        "id": "big", "title": "Big", "purpose": "", "role": "editor", "domain": "any", "native": 64, "memory": 1,
        "licence": "", "repo": "a/b", "revision": revision,
        "files": [{"name": "w.safetensors", "size": 8 + len(header) + size, "sha256": "0" * 64}],
    }  # fmt: skip
    (folder / "weights" / "catalogue.json").write_text(json.dumps({"models": [entry]}))
    daemon = daemon_of(folder)
    daemon.start()
    try:
        with daemon.client() as client:
            client.send("model", {"model": "big", "action": "verify"})
            while not any(
                "being verified" in model.get("message", "") for model in client.request("models").header["models"]
            ):
                pass
        assert daemon.stop(ANSWERED) == 0
    finally:
        if daemon.process is not None and daemon.process.poll() is None:
            daemon.kill()


@pytest.mark.parametrize("make", [fifo, huge_header, long_product, beyond_end, sparse])
def test_the_look_at_a_header_is_short(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / "x.safetensors")
    with pytest.raises(tensor_files.BadTensorFile):
        tensor_files.check(tmp_path / "x.safetensors")
