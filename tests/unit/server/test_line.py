"""Edits computed on another computer, through a real sshd on loopback: first use, restarts, cut lines, refusals."""

import contextlib
import json
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from s2edit_cli.exit_codes import Exit
from s2edit_wire import line_rate, living, no_line, programs, remote
from s2edit_wire.client import new_job_id
from s2edit_wire.connection import read_connection_file
from s2edit_wire.errors import Unreachable, WireError
from s2edit_wire.frames import describe

from tests.fakes.daemon import EDIT, RunningDaemon, finished, picture, submit
from tests.fakes.ssh import OtherComputer
from tests.protocol.test_session import Watched

SIDE = 2_048
"""Of a picture of 12 MiB: more than all buffers on its way hold together."""


@pytest.fixture
def far(tmp_path: Path) -> Iterator[RunningDaemon]:
    with RunningDaemon(tmp_path / "far") as running:
        yield running


@pytest.fixture
def there(tmp_path: Path) -> Iterator[OtherComputer]:
    with OtherComputer(tmp_path / "ssh", tmp_path / "far") as computer:
        yield computer


@pytest.fixture
def near(tmp_path: Path, there: OtherComputer) -> Iterator[RunningDaemon]:
    """The process in the daemon's place on this computer; not started yet."""
    running = RunningDaemon(tmp_path / "near", worker=None, environment=there.environment)
    running.folder.mkdir(mode=0o700)
    remote.choose(running.folder, there.target)
    yield running
    if running.process is not None and running.process.poll() is None:
        assert running.stop() == 0
        assert not list((running.folder / "run").glob("*.json")) and not living.runs(running.folder)


def s2edit(near: Path, there: OtherComputer, *arguments: str) -> dict[str, Any]:
    """What the command prints on this computer."""
    environment = {**os.environ, **there.environment, "S2EDIT_HOME": str(near), "OMP_NUM_THREADS": "1"}
    command = [*programs.command("cli"), *arguments, "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize(
    ("mbit", "listens", "compressed"),
    [(0, True, False), (16, True, True), (16, False, False)],
    ids=["a fast line", "a slow one", "a slow one to an older S²Edit"],
)
def test_over_a_slow_line_pixels_go_compressed(
    far: RunningDaemon, near: RunningDaemon, there: OtherComputer, *, mbit: float, listens: bool, compressed: bool
) -> None:
    least, most = (0.0, 0.1) if compressed else (1.0, 1.1)
    there.relay.rate = mbit * 1e6 / 8
    there.install(listens=listens)
    near.start()
    image = np.full((1_024, 1_024, 3), 200, np.uint8)
    with near.client() as client:
        before = there.relay.up
        job = submit(client, image)
        assert finished(client, job)["state"] == "done"
        share = (there.relay.up - before) / image.nbytes
        assert least < share < most
        before = there.relay.down
        answer = client.request("result", {"job": job})
        assert (np.frombuffer(answer.frames[0], "u1") == 55).all()
        assert least < (there.relay.down - before) / sum(len(frame) for frame in answer.frames) < most
    log = (near.folder / "logs" / "daemon.log").read_text()
    assert ("Mbit/s: compressed" in log) == compressed


@pytest.mark.parametrize(
    ("gaps", "rate"),
    [
        ([], None),
        ([(0.1, 1_000)] * 60, None),
        ([(0.01, 16_384)] * 16, 1_638_400),
        # Slow only while TCP begins, or while the machine did something else.
        ([(0.1, 16_384)] * 4 + [(0.001, 16_384)] * 8 + [(0.5, 16_384)] * 4, 16_384_000),
    ],
    ids=["nothing", "too little", "even", "now and then"],
)
def test_a_line_is_as_fast_as_its_fastest_stretch(gaps: list[tuple[float, int]], rate: float | None) -> None:
    moment, so_far, arrivals = 0.0, 0, []
    for seconds, size in gaps:
        moment, so_far = moment + seconds, so_far + size
        arrivals.append((moment, so_far))
    assert line_rate.fastest(arrivals) == (None if rate is None else pytest.approx(rate))


def test_an_edit_goes_to_the_other_computer_and_its_pixels_come_once(
    far: RunningDaemon, near: RunningDaemon, there: OtherComputer
) -> None:
    near.start()
    image = picture(1_024)
    with near.client() as client, far.client() as own:
        before, asked = there.relay.down, there.relay.up
        job = submit(client, image)
        assert finished(client, job)["state"] == "done" == finished(own, job)["state"]
        answer = client.request("result", {"job": job})
        assert (np.frombuffer(answer.frames[0], "u1") == 255 - image.ravel()).all()
        pixels = sum(len(frame) for frame in answer.frames)
        assert pixels < there.relay.down - before < 1.1 * pixels
        assert image.nbytes < there.relay.up - asked < 1.1 * image.nbytes
    run = near.folder / "run"
    assert {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in (run, *run.glob("[df]*.[js]*"))} == {
        "run": "0o700",
        "daemon.json": "0o600",
        "far.sock": "0o600",
    }


def test_no_key_is_in_a_log_or_in_the_arguments_of_a_process(far: RunningDaemon, near: RunningDaemon) -> None:
    near.start()
    key = read_connection_file(far.folder).key
    assert key == read_connection_file(near.folder).key
    arguments = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if _readable(path)]
    assert any(b"far.sock:" in line for line in arguments) and not any(key.encode() in line for line in arguments)
    assert key not in near.log() and key not in far.log()


def _readable(path: Path) -> bool:
    with contextlib.suppress(OSError):
        path.read_bytes()
        return True
    return False


def test_a_restart_there_is_survived_with_a_new_key_and_no_job_is_lost(far: RunningDaemon, near: RunningDaemon) -> None:
    near.start()
    with Watched(near.folder) as watched:
        watched.until_ready()
        old = read_connection_file(near.folder)
        job = new_job_id()
        fields = {"job": job, "edit": EDIT, "frames": [describe("image", (16, 16, 3))]}
        far.kill()
        watched.until(lambda: watched.session.state == "lost")
        watched.ask("submit", fields, [picture().tobytes()])
        far.start()
        watched.until(lambda: watched.replies, 60)
        assert read_connection_file(near.folder).key != old.key
        assert any("The line to S²Edit" in message for _, message in watched.states)
    with far.client() as own:
        assert finished(own, job)["state"] == "done"


def test_a_line_cut_in_mid_upload_heals_and_the_job_is_done_once(
    far: RunningDaemon, near: RunningDaemon, there: OtherComputer
) -> None:
    near.start()
    image = picture(SIDE)
    with Watched(near.folder) as watched:
        watched.until_ready()
        there.relay.cut_after = there.relay.up + image.nbytes // 2
        job = new_job_id()
        fields = {"job": job, "edit": EDIT, "frames": [describe("image", image.shape)]}
        watched.ask("submit", fields, [image.tobytes()])
        watched.until(lambda: watched.replies, 60)
        assert there.relay.cuts == 1 and not watched.errors
        told = [state for state, _ in watched.states]
        assert "lost" in told[told.index("ready") :] and told[-1] == "ready"
    with far.client() as own:
        assert finished(own, job)["attempt"] == 1
        assert [one["job"] for one in own.request("list").header["jobs"]] == [job]


def test_a_slow_lines_upload_is_told_of_as_it_goes(
    far: RunningDaemon, near: RunningDaemon, there: OtherComputer, tmp_path: Path
) -> None:
    there.relay.rate = 32e6
    near.start()
    image = picture(2 * SIDE)  # 48 MiB: buffers on the way hold some of it
    told: list[tuple[int, int]] = []
    with near.client() as client:
        fields = {"job": new_job_id(), "edit": EDIT, "frames": [describe("image", image.shape)]}
        client.request("submit", fields, [image.tobytes()], 120, lambda gone, size: told.append((gone, size)))
    gone = [amount for amount, _ in told]
    assert {size for _, size in told} == {image.nbytes}
    assert gone == sorted(gone) and gone[-1] == image.nbytes
    assert sum(0 < amount < image.nbytes for amount in gone) > 3
    path = tmp_path / "in.png"
    pyvips.Image.new_from_array(image).pngsave(str(path), compression=0)
    words = [
        "edit",
        str(path),
        "--no-wait",
        "-o",
        str(tmp_path / "out.png"),
        "--source",
        "a",
        "--target",
        "b",
        "--object",
        "a",
    ]
    environment = {**os.environ, **there.environment, "S2EDIT_HOME": str(near.folder), "OMP_NUM_THREADS": "1"}
    ran = subprocess.run(
        [*programs.command("cli"), *words], env=environment, capture_output=True, text=True, check=True
    )
    lines = ran.stderr.splitlines()
    assert lines.count("sending the picture, 48.0 MiB") == 1, ran.stderr


def test_a_far_daemon_that_ends_takes_its_connection_data_with_it(far: RunningDaemon, near: RunningDaemon) -> None:
    near.start()
    with near.client():
        far.stop()
    with Watched(near.folder) as watched:
        watched.until(lambda: any("No S²Edit runs on" in message for _, message in watched.states), 60)
        assert watched.session.state == "lost"
        assert not (near.folder / "run" / "daemon.json").exists()


REFUSALS = {
    "wrong host key": ("another host key than before", "ssh-keygen -R"),
    "unknown host key": ("is not known yet", "Log in once"),
    "no key let in": ("without a password", "ssh-copy-id"),
    "nothing installed": ("is not installed on", "Install it there"),
    "no sshd": ("can't be reached", "by hand"),
}


@pytest.mark.parametrize("trouble", REFUSALS)
def test_what_is_wrong_is_told_in_plain_words(near: RunningDaemon, there: OtherComputer, trouble: str) -> None:
    def wrong() -> None:
        if trouble == "wrong host key":
            there.know("other_host")
        elif trouble == "unknown host key":
            there.know()
        elif trouble == "no key let in":
            there.let_in("other")
        elif trouble == "nothing installed":
            there.uninstall()
        else:
            there.relay.close()

    wrong()
    near.launch()
    with Watched(near.folder) as watched:
        watched.until(lambda: no_line.noted(near.folder) and watched.states[-1][0] == "lost", 60)
        watched.until(lambda: there.target in watched.states[-1][1], 60)
        said = watched.states[-1][1]
        assert all(words in said for words in REFUSALS[trouble])
        assert str(there.folder) not in said
        assert not (near.folder / "run" / "daemon.json").exists()
    told = s2edit(near.folder, there, "daemon", "status")
    assert told["exit_code"] == Exit.NO_DAEMON and REFUSALS[trouble][0] in told["error"]["message"]


def test_what_was_wrong_heals_by_itself_once_it_is_right(
    far: RunningDaemon, near: RunningDaemon, there: OtherComputer
) -> None:
    there.know()
    near.launch()
    with Watched(near.folder) as watched:
        watched.until(lambda: "is not known yet" in watched.states[-1][1], 60)
        there.know("host")
        watched.until(lambda: watched.session.state == "ready", 90)
        assert no_line.noted(near.folder) is None
        watched.ask("ping")
        watched.until(lambda: watched.replies)
    assert far.process is not None


@pytest.mark.parametrize(
    "target",
    [
        "-oProxyCommand=touch /tmp/x",
        "-oProxyCommand=x@host",
        "me@-oProxyCommand=x",
        "me@host -oProxyCommand=x",
        "me@host\n",
        "me@host;ls",
        "me@$(ls)",
        "me@ho`st",
        "me@host:22",
        "me@",
        "@host",
        "host",
        "a@b@c",
        "me@host-",
        "mé@host",
        "x" * 40 + "@host",
        "ssh://me@host",
    ],
)
def test_what_could_be_an_option_or_a_command_is_no_computer(tmp_path: Path, target: str) -> None:
    (tmp_path / "s").mkdir(mode=0o700)
    with pytest.raises(WireError) as caught:
        remote.choose(tmp_path / "s", target)
    assert caught.value.code == "bad_setting"
    with pytest.raises(WireError):
        remote.ask(target)
    assert list((tmp_path / "s").iterdir()) == []
    (tmp_path / "s" / "remote.json").write_text(json.dumps({"computer": target}))
    (tmp_path / "s" / "remote.json").chmod(0o600)
    with pytest.raises(Unreachable, match="damaged"):
        remote.computer(tmp_path / "s")


def test_a_damaged_setting_computes_nowhere_and_says_how_to_set_it_anew(tmp_path: Path, there: OtherComputer) -> None:
    state = tmp_path / "near"
    remote.choose(state, there.target)
    (state / "remote.json").write_text('{"computer": "-oProxyCommand=x@y"}')
    with pytest.raises(RuntimeError, match="s2edit daemon computer"):
        RunningDaemon(state).start()
    assert s2edit(state, there, "daemon", "status")["exit_code"] == Exit.NO_DAEMON
    assert s2edit(state, there, "daemon", "computer", "here") == {"exit_code": 0, "computer": "here"}
    with RunningDaemon(state) as own, own.client() as client:
        assert client.request("ping").op == "reply"


@pytest.mark.parametrize("target", ["me@host", "a.b-c_d@studio-1.example.org", "_x@10.0.0.7", "Me@GPU_box"])
def test_a_computer_is_kept_and_forgotten(tmp_path: Path, target: str) -> None:
    state = tmp_path / "s"
    assert remote.computer(state.parent) == remote.HERE
    remote.choose(state, target)
    assert remote.computer(state) == target
    remote.choose(state, remote.HERE)
    assert remote.computer(state) == remote.HERE


def test_the_first_use_starts_s2edit_there_and_stop_only_hangs_up(tmp_path: Path, there: OtherComputer) -> None:
    near = tmp_path / "near"
    try:
        told = s2edit(near, there, "daemon", "computer", there.target)
        assert told == {"exit_code": 0, "computer": there.target}
        assert living.runs(there.home) and living.runs(near) and living.holder(there.home) != living.holder(near)
        assert s2edit(near, there, "daemon", "computer") == told
        assert s2edit(near, there, "daemon", "status")["status"]["pid"] == living.holder(there.home)
        assert "closed" in s2edit(near, there, "daemon", "stop")["message"]
        assert living.runs(there.home) and not living.runs(near)
        doctor = s2edit(near, there, "doctor")
        assert living.runs(there.home) and not living.runs(near), doctor
        assert s2edit(near, there, "daemon", "start")["status"]["pid"] == living.holder(there.home)
        assert s2edit(near, there, "daemon", "computer", "here") == {"exit_code": 0, "computer": "here"}
        assert living.runs(there.home) and not living.runs(near)
    finally:
        assert living.end(near) and living.end(there.home)


def test_a_computer_that_cant_be_reached_is_not_chosen(
    tmp_path: Path, there: OtherComputer, far: RunningDaemon
) -> None:
    near = tmp_path / "near"
    there.know("other_host")
    told = s2edit(near, there, "daemon", "computer", there.target)
    assert told["exit_code"] == Exit.NO_DAEMON and "another host key" in told["error"]["message"]
    for target in ("nobody", "me@-oProxyCommand=x", "me@host -oProxyCommand=x"):
        assert s2edit(near, there, "daemon", "computer", target)["error"]["code"] == "bad_setting"
    there.know("host")
    with RunningDaemon(near) as own, own.client() as client:
        job = submit(client, edit={**EDIT, "settings": {"fake.steps": 500, "fake.step_ms": 20}})
        told = s2edit(near, there, "daemon", "computer", there.target)
        assert told["error"]["message"] == "Edits are still being computed on this computer: 1."
        client.request("cancel", {"job": job})
        finished(client, job)
        assert remote.computer(near) == remote.HERE and client.request("ping").op == "reply"
