"""Kinds 10 to 12 of what the field broke: ids that are paths, code in the current folder, models that are none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from importlib.metadata import packages_distributions
from pathlib import Path

from s2edit_wire.client import new_job_id
from s2edit_wire.frames import describe

from tests.fakes.daemon import EDIT, RunningDaemon, picture
from tests.field.case import Case
from tests.field.daemon.ground import SOON, asked, catalogue, daemon_in, pinging, running, s2edit, state_folder, verdict

HELD = "^held"
PLANT = "import os; open(os.environ['PLANTED'], 'a').write(__name__ + '\\n')\n"
IDS = ("../../precious", "../precious", "an absolute path")


def cases() -> list[Case]:
    """All of them."""
    ids = [Case("10 an id is a path", f"{name}, removed", partial(_removed, name), HELD) for name in IDS]
    code = [
        Case("11 code in the current folder", f"s2edit {' '.join(line)}", partial(_planted, line), HELD)
        for line in (("daemon", "run", "--idle-exit", "0.1"), ("daemon", "start"))
    ]
    files = [Case("12 foreign model files", name, partial(_imported, make), HELD) for name, make in FILES.items()]
    return [
        *ids,
        Case("10 an id is a path", "../../precious, put together, listed", _listed, HELD),
        *code,
        *files,
        Case("12 foreign model files", "stop while a terabyte is verified", _stopped_in_a_verification, HELD),
        Case("12 foreign model files", "licences.json cut, another accepted", _licences, HELD),
        Case("12 foreign model files", "a .bin that an index names", _pickle, HELD),
    ]


def _precious(folder: Path) -> Path:
    """A picture of the user's own, in each place that the ids lead to."""
    state = state_folder(folder)
    for place in (folder / "precious", state / "precious"):
        place.mkdir()
        (place / "picture.png").write_bytes(b"the only copy")
    return state


def _kept(folder: Path) -> str:
    gone = [place for place in ("precious", "s/precious") if not (folder / place / "picture.png").exists()]
    return verdict(not gone, f"{', '.join(gone) or 'nothing'} outside the weights was deleted")


def _removed(name: str, folder: Path) -> str:
    state = _precious(folder)
    model = str(folder / "precious") if name == "an absolute path" else name
    catalogue(state, {"id": model})
    with running(daemon_in(state)) as daemon, daemon.client() as client:
        asked(client, "models")
        for action in ("remove", "download", "repair", "remove"):
            asked(client, "model", {"model": model, "action": action})
    return _kept(folder)


def _listed(folder: Path) -> str:
    state = _precious(folder)
    for model in "ed":
        snapshot = state / "hub" / f"models--a--{model}" / "snapshots" / ("0" * 40) / "unet"
        snapshot.mkdir(parents=True)
        (snapshot / "config.json").write_text("{}")
    parts = [{"id": one, "role": role, "repo": f"a/{one}"} for one, role in (("e", "editor"), ("d", "decoder"))]
    both = {"id": "../../precious", "base": "e", "decoder": "d", "files": []}
    catalogue(state, *parts, both)
    with running(daemon_in(state)) as daemon, daemon.client() as client:
        asked(client, "models")
    return _kept(folder)


def _planted(line: tuple[str, ...], folder: Path) -> str:
    """A folder of downloads with a module for every name that anything of ours, or under it, could import."""
    state, downloads, seen = state_folder(folder), folder / "Downloads", folder / "planted"
    downloads.mkdir()
    names = {*sys.stdlib_module_names, *packages_distributions(), "tests", "sitecustomize", "usercustomize"}
    for name in names:
        if name.isidentifier():
            (downloads / f"{name}.py").write_text(PLANT)
    said = s2edit(state, *line, cwd=downloads, PLANTED=str(seen))
    s2edit(state, "daemon", "stop", PLANTED=str(seen))
    ran = sorted(set(seen.read_text().split())) if seen.exists() else []
    words = f"{len(ran)} of {len(names)} were run ({', '.join(ran[:3])})" if ran else f"none of {len(names)} was run"
    return verdict(not ran and said.startswith("exit 0"), words)


def _tensors(text: bytes) -> bytes:
    return len(text).to_bytes(8, "little") + text


def _huge_header(path: Path) -> None:
    """99 MB of header that is true to the format."""
    name = b'{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"__metadata__":{"a":"'
    path.write_bytes(_tensors(name + b"x" * (99_000_000 - len(name) - 3) + b'"}}'))


def _empty_lists(path: Path) -> None:
    """Two bytes of text become 64 in memory."""
    path.write_bytes(_tensors(b'{"a":[' + b"[]," * 30_000_000 + b"[]]}"))


def _folder_with(name: str, make: Callable[[Path], None]) -> Callable[[Path], None]:
    """A diffusers folder of which one file is something else."""

    def build(path: Path) -> None:
        for part, config in (("unet", {"sample_size": 8}), ("vae", {"block_out_channels": [1]}), ("tokenizer", {})):
            (path / part).mkdir(parents=True)
            (path / part / "config.json").write_text(json.dumps(config))
        (path / "unet" / "w.safetensors").write_bytes(_tensors(b"{}"))
        (path / name).unlink(missing_ok=True)
        make(path / name)

    return build


FILES: dict[str, Callable[[Path], None]] = {
    "a header of 99 MB": _huge_header,
    "a header of 30 million lists": _empty_lists,
    "a folder with a FIFO as weights": _folder_with("unet/diffusion_pytorch_model.safetensors", os.mkfifo),
    "a folder with a FIFO as configuration": _folder_with("unet/config.json", os.mkfifo),
}


def _imported(make: Callable[[Path], None], folder: Path) -> str:
    """It is listed, planned with and refused, while another client is answered; then the daemon ends."""
    state, path = state_folder(folder), folder / "x.safetensors"
    make(path)
    (state / "weights" / "imports.json").write_text(json.dumps({"paths": [str(path)]}))
    daemon = daemon_in(state, worker=None)
    with running(daemon):
        before = daemon.memory_mib()
        with daemon.client() as client, pinging(daemon) as took:
            listed = asked(client, "models")
            fields = {"job": new_job_id(), "edit": {**EDIT, "model": "import-x"}}
            try:
                client.request(
                    "submit",
                    fields | {"frames": [describe("image", (16, 16, 3))]},
                    [memoryview(picture().tobytes())],
                    timeout=SOON,
                )
                refused = "accepted"
            except Exception as error:  # noqa: BLE001 - the attack's own outcome
                refused = getattr(error, "code", "no answer")
            peak = daemon.memory_mib() - before
        ended = _ends(daemon)
    slowest = max(took)
    held = (listed, refused, ended) == ("answered", "unknown_model", True) and slowest < SOON / 2 and peak < 300
    words = f"submit: {refused}; {'it ends' if ended else 'it does not end'}"
    figures = f"another client waits {slowest:.2f} s at most, {max(0, peak):.0f} MiB more" if not held else ""
    return verdict(held, f"list: {listed}; {words}{'; ' if figures else ''}{figures}")


def _ends(daemon: RunningDaemon) -> bool:
    try:
        return daemon.stop(SOON) == 0
    except subprocess.TimeoutExpired:
        return False


def _stopped_in_a_verification(folder: Path) -> str:
    """A terabyte, nearly all of it a hole, takes minutes to read."""
    state, size = state_folder(folder), 1 << 40
    snapshot = state / "hub" / "models--a--b" / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    header = _tensors(json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode())
    with (snapshot / "w.safetensors").open("wb") as file:
        file.write(header)
        file.truncate(len(header) + size)
    files = [{"name": "w.safetensors", "size": len(header) + size, "sha256": "0" * 64}]
    catalogue(state, {"id": "big", "files": files})
    daemon = daemon_in(state, worker=None)
    with running(daemon):
        with daemon.client() as client:
            client.send("model", {"model": "big", "action": "verify"})
            asked(client, "ping")
        ended = _ends(daemon)
    return verdict(ended, "it ends at once" if ended else f"it has not ended after {SOON:.0f} s")


def _licences(folder: Path) -> str:
    """What was accepted stands in a file that cannot be read any more, and is not lost."""
    state, cut = state_folder(folder), '{"other": {"licence": "x", "accepted": "2026-01-01"'
    (state / "weights" / "licences.json").write_text(cut)
    catalogue(state, {"id": "m", "licence": "Some licence", "licence_url": "https://example.org", "ask_licence": True})
    with running(daemon_in(state)) as daemon, daemon.client() as client:
        said = asked(client, "model", {"model": "m", "action": "accept_licence"})
    kept = [path for path in (state / "weights").glob("licences.json*") if path.read_text() == cut]
    return verdict(said == "answered" and bool(kept), "what stood there is kept" if kept else f"{said}; it is lost")


def _pickle(folder: Path) -> str:
    """A model's folder whose index names a file that torch.load would open; loaded as the worker loads it."""
    import torch
    from safetensors.torch import load_file

    from s2edit.model.checkpoints import load
    from tests.parity import tiny_checkpoint

    part = tiny_checkpoint.build(folder / "model") / "unet"
    single = part / "diffusion_pytorch_model.safetensors"
    weights = load_file(single)
    single.unlink()
    torch.save(weights, part / "weights.bin")
    named = {"metadata": {"total_size": 1}, "weight_map": dict.fromkeys(weights, "weights.bin")}
    (part / f"{single.name}.index.json").write_text(json.dumps(named))
    said = "it was loaded"
    try:
        load(folder / "model")
    except Exception as error:  # noqa: BLE001 - the attack's own outcome
        said = f"{type(error).__name__}, {getattr(error, 'code', 'no code')}"
    return verdict(said == "CheckpointError, checkpoint_unsupported", said)
