"""The loop of every stage: a kill, a stop and a full disk cost steps at most, never the checkpoint."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from s2edit.research.training.checkpoint import load_state, write_tensors
from s2edit.research.training.loop import run
from tests.unit.starter.killed import KILLED_AT, STEPS, stage

ROOT = Path(__file__).resolve().parents[3]


def test_a_kill_while_saving_costs_one_step_and_changes_nothing(tmp_path: Path) -> None:
    straight, killed = tmp_path / "straight.safetensors", tmp_path / "killed.safetensors"
    assert run(stage(straight))["step"] == STEPS
    command = [sys.executable, "-m", "tests.unit.starter.killed", str(killed)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=300)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert load_state(killed, {}, None)["step"] == KILLED_AT - 1
    assert killed.with_suffix(".part").exists(), "half of the checkpoint that was being written"
    assert run(stage(killed))["step"] == STEPS
    left, right = load_file(straight), load_file(killed)
    assert left.keys() == right.keys()
    assert all(torch.equal(left[key], right[key]) for key in left)


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_a_stage_asked_to_stop_saves_first(asked: signal.Signals, tmp_path: Path) -> None:
    one = stage(tmp_path / "one.safetensors")
    one.save_every = 1e9
    loss = one.step_loss

    def interrupted(step: int) -> torch.Tensor:
        if step == 2:
            os.kill(os.getpid(), asked)
        return loss(step)

    one.step_loss = interrupted
    before = signal.getsignal(asked)
    assert run(one)["step"] == 3
    assert load_state(one.path, {}, None)["step"] == 3
    assert signal.getsignal(asked) is before


def test_a_full_disk_leaves_the_checkpoint_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    write_tensors(path, {"a": torch.zeros(10)}, {"step": 7})
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))  # no file grows past it, as on a disk with no more room
    try:
        with pytest.raises(OSError, match=r"could not be written.*make room"):
            write_tensors(path, {"a": torch.zeros(100_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    one = stage(tmp_path / "one.safetensors")
    one.path.write_bytes(b"damaged")
    with pytest.raises(ValueError, match=r"one.safetensors is damaged .* begins anew"):
        run(one)
    assert one.path.read_bytes() == b"damaged"
