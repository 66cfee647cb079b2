"""Two computers as one studio: who does what, what is closed to whom, and what cut cables, kills and restarts cost."""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from s2edit_cluster import certificates, membership
from s2edit_wire.client import Client

from tests.cluster import network
from tests.cluster.studio import AT_HEAD, AT_OTHER, HEAD, OTHER, Computer, Studio, places, until
from tests.crash.history import SIDE, History, Worker, expected_digest, settle
from tests.fakes.daemon import fake, finished, picture, show, submit, wait_until

pytestmark = pytest.mark.slow
LONG = fake(steps=4_000, step_ms=20)
HEARD_S = 15.0


@pytest.fixture(scope="module", params=[network.made().where])
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with Studio(tmp_path_factory.mktemp("s")) as studio:
        yield studio


@pytest.fixture
def client(studio: Studio) -> Iterator[Client]:
    with studio.daemon.client() as client:
        until(lambda: set(places(client)) == {AT_HEAD, AT_OTHER})
        yield client
        for record in client.request("list", {"states": ["queued", "running"]}).header["jobs"]:
            _cancel(client, record["job"])


def _busy(client: Client, seeds: tuple[int, int], step_ms: int = 20) -> dict[str, str]:
    """A long job on each computer: job by place."""
    jobs = [submit(client, picture(SIDE, seed), fake(steps=4_000, step_ms=step_ms)) for seed in seeds]
    found = {wait_until(client, job, "running")["place"]: job for job in jobs}
    assert set(found) == {AT_HEAD, AT_OTHER}
    until(lambda: all(show(client, job)["total"] for job in jobs))
    return found


def _cancel(client: Client, *jobs: str) -> None:
    for job in jobs:
        client.request("cancel", {"job": job})
        assert finished(client, job)["state"] == "cancelled"


def test_both_work_at_once_each_is_shown_and_a_cancel_is_heard_within_three_steps(client: Client) -> None:
    jobs = _busy(client, (1, 2), step_ms=1_000)
    told = places(client)
    assert {name: place["job"] for name, place in told.items()} == jobs
    assert {place["worker"] for place in told.values()} == {"busy"}
    asked = time.monotonic()
    _cancel(client, jobs[AT_OTHER])
    assert time.monotonic() - asked < 3.0, "three steps"
    assert show(client, jobs[AT_HEAD])["state"] == "running", "a cancel reaches its own seat only"
    client.request("free_memory", {"place": AT_OTHER})
    until(lambda: places(client)[AT_OTHER]["worker"] == "stopped")
    assert places(client)[AT_HEAD]["worker"] == "busy"
    _cancel(client, jobs[AT_HEAD])


def _runs(client: Client, job: str) -> bool:
    return bool(show(client, job)["state"] == "running")


def test_results_come_whole_and_the_same_from_both_and_the_next_edit_goes_where_the_first_was(
    client: Client, tmp_path: Path
) -> None:
    seeds = {
        submit(client, picture(SIDE, seed), fake(held=str(tmp_path / str(seed)), steps=4)): seed
        for seed in range(10, 16)
    }
    first: dict[int, str] = {}
    while len(first) < len(seeds):
        # Each runs until its place is known: what has ended tells none.
        until(lambda: any(_runs(client, job) for job, seed in seeds.items() if seed not in first))
        job = next(job for job, seed in seeds.items() if seed not in first and _runs(client, job))
        first[seeds[job]] = show(client, job)["place"]
        (tmp_path / str(seeds[job])).touch()
        assert finished(client, job)["result_sha256"] == expected_digest(picture(SIDE, seeds[job]))
    assert set(first.values()) == {AT_HEAD, AT_OTHER}
    for seed in (15, 10, 14, 11):
        again = submit(client, picture(SIDE, seed), LONG)
        assert wait_until(client, again, "running")["place"] == first[seed], "there its identity lies"
        _cancel(client, again)


def test_a_large_picture_goes_there_and_back(client: Client) -> None:
    block = _busy(client, (20, 21))
    _cancel(client, block[AT_OTHER])
    image = picture(2_048, 22)
    job = submit(client, image, fake(steps=100, step_ms=10))
    assert wait_until(client, job, "running")["place"] == AT_OTHER
    assert finished(client, job)["result_sha256"] == expected_digest(image)
    _cancel(client, block[AT_HEAD])


def _likenesses(studio: Studio) -> list[int]:
    """How many identities lie on the head, and on the other."""
    return [len(list((one.folder / "cache").glob("*.safetensors"))) for one in (studio.head, studio.other)]


def test_nothing_of_a_job_stays_on_the_other_computer_and_clearing_reaches_it(studio: Studio, client: Client) -> None:
    jobs = _learned_on_both(client, (55, 56))
    assert not list((studio.other.folder / "cluster" / "scratch" / "0").iterdir())
    assert not list((studio.other.folder / "cluster" / "spill").rglob("*.*"))
    assert _likenesses(studio) == [1, 1]
    client.request("remove", {"job": jobs[AT_OTHER]})
    until(lambda: _likenesses(studio) == [1, 0])
    client.request("remove", {"job": jobs[AT_HEAD]})
    until(lambda: _likenesses(studio) == [0, 0])
    _learned_on_both(client, (57, 58))
    client.request("clear_cache")
    until(lambda: _likenesses(studio) == [0, 0])


def _learned_on_both(client: Client, seeds: tuple[int, int]) -> dict[str, str]:
    """A job that has learned on each computer, and was cancelled: job by place."""
    edit = fake(steps=4_000, step_ms=20, learns=True)
    jobs = [submit(client, picture(SIDE, seed), edit) for seed in seeds]
    found = {wait_until(client, job, "running")["place"]: job for job in jobs}
    assert set(found) == {AT_HEAD, AT_OTHER}
    until(lambda: all(show(client, job)["total"] for job in jobs))
    _cancel(client, *jobs)
    return found


def test_what_a_computer_that_was_away_has_learned_of_a_removed_job_goes_once_it_is_back(studio: Studio) -> None:
    with studio.daemon.client() as client:
        until(lambda: set(places(client)) == {AT_HEAD, AT_OTHER})
        jobs = _learned_on_both(client, (61, 62))
        studio.other.kill()
        until(lambda: set(places(client)) == {AT_HEAD})
        for job in jobs.values():
            client.request("remove", {"job": job})
        until(lambda: _likenesses(studio) == [0, 1])
    studio.daemon.kill()
    studio.daemon.start()
    studio.other.start()
    until(lambda: _likenesses(studio) == [0, 0])


def _refuses_strangers(computer: Computer, port: int) -> bool:
    """Whether TLS without a certificate of the studio's gets no answer, and plain words neither."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    try:
        with socket.create_connection((computer.address, port), 10) as plain, context.wrap_socket(plain) as line:
            line.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
            return line.recv(1) == b""
    except (ssl.SSLError, ConnectionError):
        return True


def test_every_port_refuses_who_has_no_certificate_and_there_are_no_others(studio: Studio, client: Client) -> None:
    assert studio.daemon.process is not None
    for computer, processes in ((studio.head, (studio.daemon.process.pid, _bridge(studio))), (studio.other, ())):
        listening = computer.listening(*processes)
        agent = (computer.address, computer.port + 3)
        assert agent in listening
        # Ray has no word for where the rest listens: STUDIO.md tells how the system closes these ports.
        fixed = {computer.port, computer.port + 1, computer.port + 2}
        seats = range(computer.port + 10, computer.port + membership.PORTS)
        assert {("", computer.port + 1), ("", computer.port + 2)} < listening
        rest = {port for address, port in listening - {agent} if port in fixed or port in seats}
        assert {port for _, port in listening} == {*rest, agent[1]}, "and none beside these"
        assert (computer.port in rest) == (computer is studio.head)
        with studio.network.at_the_cable():
            for port in rest:
                assert _refuses_strangers(computer, port), f"port {port}"
            # Ray's agent for packages, which we use none of: only its own computer asks it anything, without TLS.
            line = http.client.HTTPConnection(*agent, timeout=10)
            line.request("GET", "/")
            assert line.getresponse().status == HTTPStatus.UNAUTHORIZED
            line.close()


@pytest.mark.parametrize("missing", ["token", "certificate"])
def test_who_lacks_one_of_the_two_does_not_get_in(studio: Studio, tmp_path: Path, missing: str) -> None:
    found = membership.found(studio.other.folder)
    assert found is not None
    environment = {**studio.other.environment, **found.environment()}
    if missing == "token":
        wrong = tmp_path / "token"
        wrong.write_text("0" * 64)
        environment["RAY_AUTH_TOKEN_PATH"] = str(wrong)
    else:
        authority, key = certificates.authority()
        own, own_key = certificates.issue(authority, key, OTHER)
        for name, text in {"own.crt": own, "own.key": own_key}.items():
            (tmp_path / name).write_text(text)
        environment |= {
            "RAY_TLS_SERVER_CERT": str(tmp_path / "own.crt"),
            "RAY_TLS_SERVER_KEY": str(tmp_path / "own.key"),
        }
    script = (
        "from ray._raylet import GcsClient; import sys; print(len(GcsClient(sys.argv[1]).get_all_node_info(timeout=8)))"
    )
    address = f"{HEAD}:{studio.head.port}"

    def asked(variables: dict[str, str], patience: float) -> str:
        try:
            told = subprocess.run(
                [*studio.other.prefix, sys.executable, "-c", script, address],
                env=variables, capture_output=True, text=True, timeout=patience, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return ""
        return told.stdout.strip() if told.returncode == 0 else ""

    assert asked(environment, 8) == ""
    assert int(asked({**studio.other.environment, **found.environment()}, 60)) >= 2


def test_keys_and_folders_are_their_owners_alone(studio: Studio) -> None:
    for computer in (studio.head, studio.other):
        folder = computer.folder / "cluster"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        for path in folder.rglob("*"):
            # Ray opens that one to everybody itself; nobody gets through the one around it.
            assert path.name == "spill" or not stat.S_IMODE(path.stat().st_mode) & 0o077, path
    modes = set()
    for path in Path("/tmp").glob("s2edit-ray-*"):
        with contextlib.suppress(FileNotFoundError):  # another test's, which has just ended
            modes.add(stat.S_IMODE(path.stat().st_mode))
    assert modes == {0o700}


@pytest.mark.parametrize("how", [Studio.silence, *([Studio.cut] if network.CABLES else [])])
def test_a_computer_that_gives_no_sign_is_heard_of_its_job_goes_on_elsewhere_and_it_comes_back(
    studio: Studio, client: Client, how: Callable[..., None]
) -> None:
    jobs = _busy(client, (30, 31))
    lost = jobs[AT_OTHER]
    how(studio, on=True)
    try:
        assert until(lambda: show(client, lost)["state"] == "queued") < HEARD_S
        assert set(places(client)) == {AT_HEAD}
        _cancel(client, jobs[AT_HEAD])
        assert wait_until(client, lost, "running")["place"] == AT_HEAD
    finally:
        how(studio, on=False)
    assert until(lambda: set(places(client)) == {AT_HEAD, AT_OTHER})
    record = show(client, lost)
    assert (record["state"], record["attempt"]) == ("running", 2)
    _cancel(client, lost)


def test_a_power_cut_is_heard_and_the_computer_is_taken_back(studio: Studio, client: Client) -> None:
    jobs = _busy(client, (40, 41))
    left = studio.other.ray_folder()
    studio.other.kill()
    assert left.is_dir()
    assert until(lambda: AT_OTHER not in places(client)) < HEARD_S
    assert show(client, jobs[AT_HEAD])["state"] == "running"
    studio.other.start()
    until(lambda: AT_OTHER in places(client))
    assert not left.exists(), "what the cut left goes at the next start"
    assert wait_until(client, jobs[AT_OTHER], "running")["place"] == AT_OTHER
    _cancel(client, *jobs.values())


def test_the_heads_own_part_is_brought_up_again_and_the_others_come_back(studio: Studio, client: Client) -> None:
    jobs = _busy(client, (45, 46))
    studio.head.kill()
    until(lambda: AT_HEAD not in places(client))
    until(lambda: set(places(client)) == {AT_HEAD, AT_OTHER}, 180)
    for job in jobs.values():
        assert wait_until(client, job, "running")["attempt"] >= 2
    _cancel(client, *jobs.values())


def test_whatever_is_killed_every_job_is_done_once_with_the_right_result(studio: Studio) -> None:
    dice, history = random.Random(0), History()
    workers = [Worker(studio.daemon, history, seed, fake(steps=20, step_ms=5)) for seed in range(2)]
    for worker in workers:
        worker.start()
    kills = 0
    for what in ("host", "daemon", "bridge", "daemon", "host"):
        acknowledged = len(history.acknowledged)
        until(lambda before=acknowledged: len(history.acknowledged) >= before + 10)  # type: ignore[misc]
        time.sleep(dice.uniform(0, 0.5))
        if what == "host":
            studio.other.kill()
            studio.other.start()
        elif what == "daemon":
            studio.daemon.kill()
            studio.daemon.start()
        else:
            _kill_bridge(studio)
        kills += 1
    for worker in workers:
        worker.finish()
    settle(studio.daemon, history, 240)
    assert kills == 5
    assert len(history.acknowledged) >= 50
    history.check()


def _kill_bridge(studio: Studio) -> None:
    os.kill(_bridge(studio), signal.SIGKILL)


def _bridge(studio: Studio) -> int:
    assert studio.daemon.process is not None
    children = Path(f"/proc/{studio.daemon.process.pid}/task/{studio.daemon.process.pid}/children").read_text().split()
    bridges = [pid for pid in children if b"s2edit_cluster" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    assert len(bridges) == 1
    return int(bridges[0])
