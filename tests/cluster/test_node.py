"""What is left of Ray by who was killed, and this computer's part as a service: no Ray is started here."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import time
from pathlib import Path

import msgspec
import pytest
from filelock import FileLock
from s2edit_cluster import node
from s2edit_cluster.same_weights import Hashes
from s2edit_cluster.seat import Seat
from s2edit_cluster.service import unit
from s2edit_server import worker_link
from s2edit_wire.errors import WireError
from s2edit_wire.programs import MODULES


def test_what_the_killed_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    old = time.time() - 2 * node.YOUNG_S
    kept = {f"{node.PREFIX}alive", f"{node.PREFIX}just-made", f"{node.PREFIX}a-link", "somebody-else's"}
    for name in (*kept - {f"{node.PREFIX}a-link"}, f"{node.PREFIX}killed", f"{node.PREFIX}without-a-lock"):
        (tmp_path / name / "ray").mkdir(parents=True)
    (tmp_path / f"{node.PREFIX}a-link").symlink_to(tmp_path / "somebody-else's")
    for name in ("killed", "alive"):
        (tmp_path / f"{node.PREFIX}{name}" / node.ALIVE).touch()
    os.utime(tmp_path / f"{node.PREFIX}without-a-lock", (old, old))
    with FileLock(tmp_path / f"{node.PREFIX}alive" / node.ALIVE):
        node.sweep(tmp_path)
        assert {entry.name for entry in tmp_path.iterdir()} == kept
        assert (tmp_path / "somebody-else's" / "ray").is_dir()


@pytest.mark.parametrize("network", ["", "192.168.0.0/24"])
def test_the_unit_is_one_that_systemd_takes(tmp_path: Path, network: str) -> None:
    text = unit(tmp_path / "a state", network)
    assert "cluster" in text
    assert ("IPAddressDeny=any" in text) == ("User=" in text) == bool(network), (
        "a user's own systemd may not close ports"
    )
    analyze = shutil.which("systemd-analyze")
    if analyze is not None:
        path = tmp_path / "s2edit-studio.service"
        path.write_text(text)
        scope = [] if network else ["--user"]
        variables = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
        told = subprocess.run(
            [analyze, *scope, "verify", "--man=no", str(path)],
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert not [line for line in told.stderr.splitlines() if path.name in line]


@pytest.mark.parametrize("network", ["the studio", "192.168.0.10/24", "10.0.0.0/33"])
def test_what_is_no_network_is_refused(tmp_path: Path, network: str) -> None:
    with pytest.raises(WireError, match="is no network"):
        unit(tmp_path, network)


def test_weights_are_told_apart_by_what_is_in_them(tmp_path: Path) -> None:
    for name, content in {"a": b"one", "b": b"one", "c": b"two"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "model_index.json").write_text("{}")
        (tmp_path / name / "unet.safetensors").write_bytes(content)
    hashes = Hashes()
    one, same, other = (hashes.of(tmp_path / name) for name in "abc")
    assert one == same != other
    (tmp_path / "a" / "unet.safetensors").write_bytes(b"changed")
    assert hashes.of(tmp_path / "a") not in {one, other}


def test_a_computer_with_other_weights_of_that_name_does_not_compute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("S2EDIT_HOME", str(tmp_path))
    order = worker_link.Run("1" * 32, 1, {}, worker_link.Model("portraits", "the head's own"), [], "")

    async def play() -> tuple[bytes, list[bytes]]:
        return await Seat(0, MODULES["worker"]).run(msgspec.msgpack.encode(order), [], "0" * 64)

    body, frames = asyncio.run(play())
    failed = msgspec.msgpack.decode(body, type=worker_link.Failed)
    assert failed.code == "unknown_model", "as where it is not at all: the job goes elsewhere"
    assert "has other weights than the head's" in failed.message
    assert not frames
