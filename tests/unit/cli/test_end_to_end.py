"""The command against a real daemon, worker and engine: what issue 2 says that it must show."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from s2edit_cli.main import main
from s2edit_cli.report import size
from s2edit_server.weights.places import PORTRAITS_VARIABLE
from s2edit_wire.paths import run_folder

from tests.fakes.daemon import RunningDaemon

WIDTH, HEIGHT = 1600, 1200
SOURCE, TARGET = "a man with a beard", "a man with a moustache"
STEPS = ["--set", "identity.steps=3", "--set", "inversion.steps=4"]
LONG = ["--set", "identity.steps=400", "--set", "inversion.steps=4"]


@pytest.fixture(scope="module")
def daemon(checkpoint: Path) -> Iterator[RunningDaemon]:
    # A short path: a socket's may have at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="s2c") as folder:
        with RunningDaemon(Path(folder), worker=None, environment={PORTRAITS_VARIABLE: str(checkpoint)}) as running:
            yield running


@pytest.fixture(autouse=True)
def this_daemon(daemon: RunningDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2EDIT_HOME", str(daemon.folder))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A 1600 x 1200 PNG with 16 bits a channel and Display P3's profile."""
    small = np.random.default_rng(5).integers(0, 65_536, (HEIGHT // 40, WIDTH // 40, 3), dtype=np.uint16)
    image = pyvips.Image.new_from_array(small.repeat(40, axis=0).repeat(40, axis=1)).copy(interpretation="rgb16")
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", pyvips.Image.profile_load("p3"))
    path = tmp_path_factory.mktemp("picture") / "in.png"
    image.pngsave(str(path), compression=1)
    return path


@pytest.fixture(scope="module")
def mask(picture: Path) -> Path:
    marked = np.zeros((HEIGHT, WIDTH), np.uint8)
    marked[500:560, 700:780] = 255
    path = picture.with_name("mask.png")
    pyvips.Image.new_from_array(marked).pngsave(str(path))
    return path


def edit(picture: Path, out: Path, *more: str, target: str = TARGET, steps: list[str] = STEPS) -> list[str]:
    words = ["--source", SOURCE, "--target", target, "--object", "man"]
    return ["edit", str(picture), "-o", str(out), *words, *steps, *more]


def said(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The one object on stdout."""
    value: dict[str, Any] = json.loads(capsys.readouterr().out)
    return value


def test_a_deep_picture_with_profile_and_mask(
    picture: Path, mask: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, layers = tmp_path / "out.png", tmp_path / "out.ora"
    assert main(edit(picture, out, "--mask", str(mask), "--layers", str(layers), "--json")) == 0
    first = said(capsys)
    assert first["state"] == "done" and first["exit_code"] == 0 and first["lossless"]
    assert first["cached"] == {"identity": False, "inversion": False}
    assert first["unet_forwards"]["identity"] > 0 and first["unet_forwards"]["inversion"] > 0
    assert set(first["phases"]) >= {"identity", "inversion", "editing"}
    assert len(first["model_hash"]) == 64 and first["mask_hashes"] and first["seed"] == 0

    before, after = pyvips.Image.pngload(str(picture)), pyvips.Image.pngload(str(out))
    assert (after.width, after.height, after.format, after.bands) == (WIDTH, HEIGHT, "ushort", 3)
    assert after.get("icc-profile-data") == before.get("icc-profile-data")
    with zipfile.ZipFile(layers) as archive:
        layer = pyvips.Image.pngload_buffer(archive.read("data/edit.png")).numpy()
    x, y, width, height = first["changed_box"]
    assert layer.shape == (height, width, 4)
    alpha = np.zeros((HEIGHT, WIDTH), np.uint16)
    alpha[y : y + height, x : x + width] = layer[:, :, 3]
    differs = (before.numpy() != after.numpy()).any(axis=2)
    assert alpha.any() and differs.any()
    assert not differs[alpha == 0].any()

    assert main(edit(picture, tmp_path / "second.png", "--mask", str(mask), "--json", target="a man with glasses")) == 0
    second = said(capsys)
    assert second["cached"] == {"identity": True, "inversion": True}
    assert second["unet_forwards"]["identity"] == second["unet_forwards"]["inversion"] == 0


def started(picture: Path, mask: Path, out: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "s2edit_cli.main", *edit(picture, out, "--mask", str(mask), *more)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    )


def running_job(daemon: RunningDaemon, seed: int, phase: str = "identity") -> str:
    """The job with this seed, once the worker is in this phase."""
    until = time.monotonic() + 120
    with daemon.client() as client:
        while time.monotonic() < until:
            for job in client.request("list", {"limit": 5}).header["jobs"]:
                if job["edit"]["seed"] == seed and job["phase"] == phase and job["step"] >= 1:
                    return str(job["job"])
            time.sleep(0.02)
    raise AssertionError("the job never got there")


def status(daemon: RunningDaemon) -> dict[str, Any]:
    with daemon.client() as client:
        found: dict[str, Any] = client.request("status").header["status"]
        return found


def test_a_killed_worker_costs_one_attempt(daemon: RunningDaemon, picture: Path, mask: Path, tmp_path: Path) -> None:
    long = ["--set", "identity.steps=20", "--set", "inversion.steps=4", "--seed", "77", "--json"]
    process = started(picture, mask, tmp_path / "out.png", *long)
    running_job(daemon, 77)
    before = status(daemon)
    os.kill(before["worker_pid"], signal.SIGKILL)
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    assert json.loads(out)["attempt"] == 2
    after = status(daemon)
    assert after["pid"] == before["pid"] and after["worker_pid"] != before["worker_pid"]
    assert (tmp_path / "out.png").exists()


@pytest.mark.parametrize("how", ["jobs cancel", "ctrl-c"])
def test_cancel(
    daemon: RunningDaemon, picture: Path, mask: Path, tmp_path: Path, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = 78 + len(how)
    process = started(picture, mask, tmp_path / "out.png", *LONG, "--seed", str(seed))
    job = running_job(daemon, seed)
    if how == "ctrl-c":
        process.send_signal(signal.SIGINT)
    else:
        assert main(["jobs", "cancel", job[:10], "--json"]) == 0
        assert said(capsys)["job"]["job"] == job
    _, err = process.communicate(timeout=60)
    assert process.returncode == 6, err
    assert "cancelled" in err
    assert not (tmp_path / "out.png").exists()
    assert status(daemon)["worker"] == "idle"


def test_left_with_the_daemon_and_fetched(
    picture: Path, mask: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.tif"
    assert main(edit(picture, out, "--mask", str(mask), "--no-wait", "--seed", "5", "--json")) == 0
    job = said(capsys)["job"]
    assert not out.exists()
    assert main(["jobs", "result", job, str(picture), "-o", str(out), "--json"]) == 0
    assert said(capsys)["changed_box"]
    assert out.exists()
    assert main(["jobs", "list", "--json"]) == 0
    assert said(capsys)["jobs"][0]["acknowledged"]


def wrong_inputs(folder: Path, picture: Path) -> dict[str, tuple[list[str], str]]:
    """Arguments and a word of the message, for everything that can be wrong."""
    text, small, black = folder / "text.png", folder / "small.png", folder / "black.png"
    text.write_text("no picture")
    pyvips.Image.black(10, 10).pngsave(str(small))
    pyvips.Image.black(WIDTH, HEIGHT).pngsave(str(black))
    out = folder / "out.png"
    good = edit(picture, out)

    def changed(option: str, value: str) -> list[str]:
        index = good.index(option)
        return [*good[: index + 1], value, *good[index + 2 :]]

    return {
        "no such file": (edit(folder / "none.png", out), "no file"),
        "not an image": (edit(text, out), "not a PNG"),
        "empty prompt": (changed("--source", " "), "empty"),
        "word not in the prompt": (changed("--object", "dragon"), "dragon"),
        "mask of another size": ([*good, "--mask", str(small)], "10 × 10"),
        "mask of nothing": ([*good, "--mask", str(black)], "marks nothing"),
        "prompt too long": (changed("--target", "a man with a beard " * 12), ""),
        "prompt far too long": (changed("--target", "x" * 2_000), "1000 characters"),
        "unknown model": ([*good, "--model", "no-such-model"], "no-such-model"),
        "unknown setting": ([*good, "--set", "edit.nothing=1"], "edit.nothing"),
        "unknown profile": ([*good, "--profile", "best"], "best"),
        "output is the input": (changed("-o", str(picture)), "never overwritten"),
        "output cannot hold 16 bits": (changed("-o", str(folder / "out.jpg")), "16 bits"),
    }


def test_wrong_inputs_change_nothing(
    daemon: RunningDaemon, picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = wrong_inputs(tmp_path, picture)
    before, content = sorted(tmp_path.iterdir()), picture.read_bytes()
    jobs = status(daemon)["jobs"]
    for name, (arguments, words) in cases.items():
        assert main(arguments) == 3, name
        captured = capsys.readouterr()
        lines = captured.err.splitlines()
        assert words in lines[0] and len(lines) <= 2 and not captured.out, (name, captured)
        assert main([*arguments, "--json"]) == 3, name
        wrong = said(capsys)
        assert wrong["exit_code"] == 3 and wrong["error"]["message"] in lines[0], name
    assert status(daemon)["jobs"] == jobs
    assert sorted(tmp_path.iterdir()) == before
    assert picture.read_bytes() == content


def test_the_list_says_what_a_model_needs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list", "--json"]) == 0
    needed = {model["id"]: size(model["memory"]) for model in said(capsys)["models"]}
    assert main(["models", "list"]) == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert {row[0]: row[3] for row in rows} == needed
    assert (needed["sd-v1-4"], needed["sdxl-base"]) == ("16.7 GiB", "63.6 GiB")


def test_usage_errors_are_one_object_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["edit", "x.png", "--json"]) == 2
    assert said(capsys)["error"]["code"] == "usage"


def test_a_dead_daemons_connection_file_is_replaced_whoever_could_read_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with tempfile.TemporaryDirectory(prefix="s2s") as folder:
        state = Path(folder)
        monkeypatch.setenv("S2EDIT_HOME", folder)
        path = run_folder(state) / "daemon.json"
        path.parent.mkdir(mode=0o700)
        stale = {"endpoint": f"ipc://{folder}/run/gone.sock", "key": "ab" * 32, "pid": 2**22 - 1}
        path.write_text(json.dumps({**stale, "protocol": [1, 1], "version": "0.0.1", "boot": "cd" * 16}))
        path.chmod(0o644)
        assert main(["daemon", "status", "--json"]) == 4
        assert said(capsys)["error"]["code"] == "no_daemon"
        # Its lock is free: nobody lives there, and the new file has a new key that only its owner can read.
        assert main(["daemon", "start", "--json"]) == 0
        assert path.stat().st_mode & 0o777 == 0o600
        assert json.loads(path.read_text())["key"] != stale["key"]
        assert said(capsys)["status"]["worker"] == "stopped"
        assert main(["daemon", "stop", "--json"]) == 0
        assert said(capsys)["exit_code"] == 0
        assert main(["daemon", "status", "--json"]) == 4
