"""A studio as its admin makes it, by `s2edit cluster` alone, with real edits: the same to the bit on both computers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from s2edit_cluster import membership
from s2edit_wire.client import Client

from tests.cluster import network
from tests.cluster.studio import AT_HEAD, AT_OTHER, HEAD, OTHER, free_ports, places, until
from tests.fakes.daemon import EDIT, ROOT, finished, picture, submit, wait_until

pytestmark = pytest.mark.slow


def _typed(state: Path, *words: str, prefix: Sequence[str] = ()) -> tuple[int, dict[str, Any]]:
    """(exit status, what it printed) of `s2edit WORDS --json` on the computer with this state folder, by `prefix`."""
    environment = {**os.environ, "S2EDIT_HOME": str(state), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [*prefix, sys.executable, "-m", "s2edit_cli", *words, "--json"]
    told = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    return told.returncode, json.loads(told.stdout)


@pytest.mark.parametrize("where", [network.made().where])
def test_a_studio_from_its_first_word_to_its_last(tmp_path: Path, where: str) -> None:
    with network.made() as made:
        assert made.where == where
        _from_first_to_last(tmp_path / "a", tmp_path / "b", made)


def _from_first_to_last(head: Path, other: Path, made: network.Network) -> None:
    at = {head: made.prefix(network.HEAD), other: made.prefix(network.OTHER)}

    def typed(state: Path, *words: str) -> tuple[int, dict[str, Any]]:
        return _typed(state, *words, prefix=at[state])

    first = free_ports()
    try:
        code, told = typed(head, "cluster", "head", HEAD, "--port", str(first), "--seats", "1")
        assert (code, told["seats"]) == (0, 1)
        join = ("cluster", "join", told["join_file"], OTHER, "--port", str(first + membership.PORTS))
        assert typed(other, *join)[0] == 0
        assert typed(other, *join)[0] != 0, "it is in a studio already"
        with Client("other", "test", state_folder=head) as client:
            client.connect(5)
            until(lambda: set(places(client)) == {AT_HEAD, AT_OTHER})
            _same_on_both(client, (head, other))
        status = typed(head, "cluster", "status")[1]
        assert status["up"]
        assert [place["device"] for place in status["places"]] == ["cpu", "cpu"]
        assert typed(head, "cluster", "painter", "add", "anna")[1]["painter"] == "anna"
        assert typed(other, "cluster", "leave")[0] == 0
        with Client("other", "test", state_folder=head) as client:
            client.connect(5)
            until(lambda: set(places(client)) == {AT_HEAD})
        assert not (other / "cluster").exists()
        assert typed(head, "cluster", "leave")[0] == 0
        with Client("other", "test", state_folder=head) as client:
            client.connect(5)
            assert "places" not in client.request("status").header["status"], "its own worker, as ever"
    finally:
        for state in (other, head):
            typed(state, "cluster", "leave")
        typed(head, "daemon", "stop")


def _same_on_both(client: Client, states: tuple[Path, Path]) -> None:
    edit = {**EDIT, "settings": {"identity.steps": 2, "inversion.steps": 4}}
    image = picture(64, 1)

    def at(place: str) -> dict[str, Any]:
        job = submit(client, image, edit)
        assert wait_until(client, job, "running")["place"] == place
        record = finished(client, job, 120)
        assert record["state"] == "done", record
        return record

    here = at(AT_HEAD)
    client.request("clear_cache")
    long = submit(client, picture(64, 2), {**EDIT, "profile": "faithful", "settings": {"identity.steps": 4_000}})
    wait_until(client, long, "running")
    there = at(AT_OTHER)
    assert here["result_sha256"] == there["result_sha256"]
    client.request("cancel", {"job": long})
    assert finished(client, long)["state"] == "cancelled"

    def learned() -> bool:
        return any(any((state / "cache").glob("*.safetensors")) for state in states)

    assert learned()
    for job in (here["job"], there["job"], long):
        client.request("remove", {"job": job})
    until(lambda: not learned())


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "atelier", "::1"])
def test_what_can_be_no_address_is_refused_and_nothing_is_made(tmp_path: Path, address: str) -> None:
    code, told = _typed(tmp_path, "cluster", "head", address)
    assert code == told["exit_code"] == 3, told
    assert not (tmp_path / "cluster").exists()


@pytest.mark.parametrize("fault", ["versions", "damaged", "absent", "another kind", "no head"])
def test_what_cant_be_joined_is_refused_in_words_and_nothing_is_made(tmp_path: Path, fault: str) -> None:
    nobodys, own = network.Loopback.addresses
    membership.make_head(tmp_path / "a", nobodys, free_ports(), 1)
    file = tmp_path / "a" / "cluster" / membership.JOIN_FILE
    said = json.loads(file.read_text())
    if fault == "versions":
        said["versions"]["torch"] = "1.0"
    elif fault == "another kind":
        del said["token"]
    file.write_text("{" if fault == "damaged" else json.dumps(said))
    if fault == "absent":
        file.unlink()
    code, told = _typed(tmp_path / "b", "cluster", "join", str(file), own)
    assert code in {3, 4}, told
    assert told["error"]["hint"]
    if fault == "versions":
        assert "torch" in told["error"]["message"]
        assert "instead of 1.0" in told["error"]["message"]
    assert not (tmp_path / "b" / "cluster").exists()
