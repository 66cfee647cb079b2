"""Painters who share a daemon: what is one's is nobody else's, whatever message is asked, told or sent along.

The messages come from the wire's schema: one that is added with a job's id in it is tried here without a change.
"""

import json
import os
import pty
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import zmq
from s2edit_cli.exit_codes import Exit
from s2edit_server.store import MIGRATIONS
from s2edit_wire import programs
from s2edit_wire.auth import USERNAME, plain_credentials
from s2edit_wire.client import Client, new_job_id
from s2edit_wire.connection import read_connection_file, write_connection_file
from s2edit_wire.errors import Unreachable, WireError
from s2edit_wire.frames import describe
from s2edit_wire.kinds import ListOf, Record
from s2edit_wire.records import JOB_ID
from s2edit_wire.schema import MESSAGES, Message, check_request

from tests.fakes.daemon import EDIT, RunningDaemon, code_of, fake, finished, picture, show, submit, wait_until
from tests.protocol import smallest

SECRET = "a secret commission of a lighthouse"
SLOW = fake(held=True) | {"source": SECRET, "target": SECRET}
NAMING = [message for message in MESSAGES.values() if message.job_fields]


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDaemon]:
    folder = tmp_path_factory.mktemp("d") / "s"
    with RunningDaemon(folder, {"workers": 2, "device": "cpu"}, arguments=["--log-level", "debug"]) as running:
        with running.client() as own:
            for name in ("anna", "ben"):
                own.request("painter", {"name": name, "action": "add"})
        yield running
        assert "Traceback" not in running.log()


@contextmanager
def painter(daemon: RunningDaemon, name: str, key: str = "", client_id: str | None = None) -> Iterator[Client]:
    """A client of this painter's, on another computer as it were: with a connection file of their own."""
    if not key:
        with daemon.client() as own:
            key = own.request("painter", {"name": name, "action": "key"}).header["key"]
    near, far = daemon.folder.parent / name, read_connection_file(daemon.folder)
    write_connection_file(near, endpoint=far.endpoint, key=key, version=far.version, boot=far.boot, user=name)
    client = Client("other", "test", state_folder=near, client_id=client_id)
    try:
        client.connect()
        yield client
    finally:
        client.close()


@pytest.fixture
def anna(daemon: RunningDaemon) -> Iterator[Client]:
    with painter(daemon, "anna") as client:
        yield client
        for record in client.request("list", {"states": ["queued", "paused", "running"]}).header["jobs"]:
            client.request("cancel", {"job": record["job"]})
            finished(client, record["job"])


@pytest.fixture
def ben(daemon: RunningDaemon) -> Iterator[Client]:
    with painter(daemon, "ben") as client:
        yield client


def job_ids(kind: object, path: str = "") -> list[str]:
    """Where in a message's field job ids stand, by dotted path."""
    if kind is JOB_ID:
        return [path]
    if isinstance(kind, ListOf):
        return job_ids(kind.item, f"{path}[]")
    if isinstance(kind, Record):
        return [found for field in kind.fields for found in job_ids(field.kind, f"{path}.{field.name}")]
    return []


@pytest.mark.parametrize("message", MESSAGES.values(), ids=lambda message: message.op)
def test_the_guard_knows_every_place_where_a_message_can_name_a_job(message: Message) -> None:
    places = [found for field in message.request for found in job_ids(field.kind, field.name)]
    assert places == list(message.job_fields)


@pytest.mark.parametrize("state", ["running", "done"])
@pytest.mark.parametrize(("message", "field"), [(message, field) for message in NAMING for field in message.job_fields])
def test_whatever_is_asked_of_anothers_job_it_is_unknown(
    anna: Client, ben: Client, message: Message, field: str, state: str
) -> None:
    theirs = submit(anna, edit=SLOW if state == "running" else {**EDIT, "source": SECRET})
    before = wait_until(anna, theirs, state)
    mine = submit(ben)
    finished(ben, mine)
    fields = smallest.fields(message.request)
    fields |= dict.fromkeys(message.job_fields, mine) | {field: theirs}
    frames: list[memoryview] = []
    if message.op == "submit":
        fields |= {"edit": {**EDIT, "source": SECRET}, "frames": [describe("image", (16, 16, 3))]}
        frames = [memoryview(picture().tobytes())]
    check_request({"op": message.op, "id": 1, **fields})
    with pytest.raises(WireError) as caught:
        ben.request(message.op, fields, frames)
    assert (caught.value.code, caught.value.message) == ("unknown_job", f"There is no job {theirs[:8]}….")
    kept = ("state", "attempt", "position", "created", "edit", "acknowledged")
    after = show(anna, theirs)
    assert [after[name] for name in kept] == [before[name] for name in kept], "nothing happened to it"


@pytest.mark.parametrize("message", MESSAGES.values(), ids=lambda message: message.op)
def test_no_answer_and_no_event_tells_of_anothers_job(anna: Client, ben: Client, message: Message) -> None:
    ben.request("subscribe", {"after": 0, "previews": True})
    theirs = submit(anna, edit=SLOW)
    wait_until(anna, theirs, "running")
    mine = submit(ben)
    finished(ben, mine)
    fields = smallest.fields(message.request)
    fields |= dict.fromkeys(message.job_fields, mine)
    told: list[object] = []
    if message.op != "hello":
        with suppress(WireError):
            told.append(ben.request(message.op, fields).header)
    anna.request("cancel", {"job": theirs})
    finished(anna, theirs)
    anna.request("remove", {"job": theirs})
    ben.request("ping")
    told += [event.header for event in ben.pump()]
    assert mine in repr(told), "of their own they are told"
    assert theirs not in repr(told) and SECRET not in repr(told)


@pytest.mark.parametrize("message", [one for one in MESSAGES.values() if one.admin], ids=lambda message: message.op)
def test_what_is_the_own_users_alone_is_not_allowed(ben: Client, daemon: RunningDaemon, message: Message) -> None:
    with daemon.client() as own:
        before = (own.request("settings").header, own.request("painters").header)
    fields = smallest.fields(message.request)
    assert code_of(ben, message.op, **fields) == "not_allowed"
    with daemon.client() as own:
        assert (own.request("settings").header, own.request("painters").header) == before


def test_a_painters_numbers_have_no_gaps_whatever_others_do(anna: Client, ben: Client) -> None:
    start = ben.request("subscribe", {"after": 0}).header["seq"]
    for _ in range(3):
        finished(anna, submit(anna))
        finished(ben, submit(ben))
    ben.request("ping")
    numbers = [event.header["seq"] for event in ben.pump()]
    assert numbers == list(range(start + 1, start + 1 + len(numbers))) and len(numbers) >= 9


def test_the_own_user_sees_and_does_everything_and_is_told_whose_a_job_is(daemon: RunningDaemon, anna: Client) -> None:
    with daemon.client() as own:
        theirs, mine = submit(anna, edit=SLOW), submit(own)
        assert show(own, theirs)["owner"] == "anna" == show(anna, theirs)["owner"]
        assert "owner" not in show(own, mine), "an older client would not know the field"
        assert {theirs, mine} <= {one["job"] for one in own.request("list").header["jobs"]}
        own.request("cancel", {"job": theirs})
        assert finished(own, theirs)["state"] == "cancelled" and finished(own, mine)["state"] == "done"


def test_counts_places_and_settings_are_told_without_what_is_others(
    daemon: RunningDaemon, anna: Client, ben: Client
) -> None:
    theirs = submit(anna, edit=SLOW)
    wait_until(anna, theirs, "running")
    with daemon.client() as own:
        assert own.request("status").header["status"]["jobs"]["running"] == 1
        at = [place.get("job") for place in own.request("status").header["status"]["places"]]
        assert theirs in at
        assert "proxy" in own.request("settings").header["settings"]
    status = ben.request("status").header["status"]
    assert status["jobs"]["running"] == 0 and all("job" not in place for place in status["places"])
    assert "proxy" not in ben.request("settings").header["settings"]


def test_nobodys_quota_is_used_up_under_their_clients_name(daemon: RunningDaemon) -> None:
    name = "ab" * 16
    with daemon.client() as own, painter(daemon, "anna", client_id=name) as anna:
        own.request("pause_queue")
        waiting = [submit(anna) for _ in range(32)]
        assert code_of(anna, "submit", job=new_job_id(), edit=EDIT) == "busy"
        with painter(daemon, "ben", client_id=name) as ben:
            ben.request("cancel", {"job": submit(ben)})
        for job in waiting:
            anna.request("cancel", {"job": job})
        own.request("resume_queue")


def test_who_is_shut_out_is_so_at_once_and_their_jobs_stay(daemon: RunningDaemon) -> None:
    with daemon.client() as own:
        key = own.request("painter", {"name": "carl", "action": "add"}).header["key"]
        with painter(daemon, "carl", key) as carl:
            carl.request("subscribe", {"after": 0})
            job = submit(carl)
            finished(carl, job)
            own.request("painter", {"name": "carl", "action": "remove"})
            carl.pump()
            assert code_of(carl, "show", job=job) == "not_greeted"
            own.request("retry", {"job": submit(own)})
            assert carl.pump() == []
        with pytest.raises(Unreachable, match="refused"), painter(daemon, "carl", key):
            pass
        assert show(own, job)["state"] == "done"


@pytest.mark.parametrize("name", ["", "Anna", "-x", "../x", "a/b", "a b", USERNAME, "a" * 33, "anna", "é"])
def test_names_that_are_none_or_taken_are_refused_in_words(daemon: RunningDaemon, name: str) -> None:
    with daemon.client() as own:
        before = own.request("painters").header["painters"]
        with pytest.raises(WireError) as caught:
            own.request("painter", {"name": name, "action": "add"})
        assert caught.value.code in {"bad_setting", "bad_request"}
        assert own.request("painters").header["painters"] == before


@pytest.mark.parametrize("user", ["anna", "zoe", USERNAME])
def test_nobody_gets_in_with_anothers_key(daemon: RunningDaemon, user: str) -> None:
    with daemon.client() as own:
        key = own.request("painter", {"name": "ben", "action": "key"}).header["key"]
    with pytest.raises(Unreachable, match="refused"), painter(daemon, user, key):
        pass


def test_a_client_that_chooses_its_routing_id_is_turned_away(daemon: RunningDaemon) -> None:
    """It could be another's, who is told of their jobs by it (libzmq's ROUTER sends by that id alone)."""
    connection = read_connection_file(daemon.folder)
    for routing_id, connects in ((b"", True), (b"mine", False)):
        with zmq.Context() as context, context.socket(zmq.DEALER) as dealer, dealer.get_monitor_socket() as watch:
            username, password = plain_credentials(connection.key)
            dealer.plain_username, dealer.plain_password = username.encode(), password.encode()
            dealer.linger = 0
            if routing_id:
                dealer.routing_id = routing_id
            dealer.connect(connection.endpoint)
            done = {int(zmq.EVENT_HANDSHAKE_SUCCEEDED): True, int(zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL): False}
            done |= {int(zmq.EVENT_DISCONNECTED): False}
            while (event := int.from_bytes(watch.recv_multipart()[0][:2], "little")) not in done:
                pass
            assert done[event] == connects
            dealer.disable_monitor()


def test_keys_are_kept_over_a_restart_for_their_owners_eyes_only(tmp_path: Path) -> None:
    with RunningDaemon(tmp_path / "s") as daemon:
        with daemon.client() as own:
            key = own.request("painter", {"name": "anna", "action": "add"}).header["key"]
        with painter(daemon, "anna") as anna:
            job = submit(anna)
        assert stat.S_IMODE((daemon.folder / "painters.json").stat().st_mode) == 0o600
        daemon.stop()
        daemon.start()
        with painter(daemon, "anna", key) as anna:
            assert finished(anna, job)["owner"] == "anna"
        assert key not in daemon.log()


@pytest.mark.parametrize("text", ["{", "[]", '{"anna": "short"}', '{"anna": 7}'])
def test_a_list_of_painters_that_cant_be_used_is_kept_and_told_of(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "s"
    folder.mkdir(mode=0o700)
    (folder / "painters.json").write_text(text)
    (folder / "painters.json").chmod(0o600)
    with RunningDaemon(folder) as daemon, daemon.client() as own:
        (notice,) = own.request("status").header["status"]["notices"]
        assert "painters.json.bad" in notice and (folder / "painters.json.bad").read_text() == text
        assert own.request("painters").header["painters"] == []


def test_jobs_from_before_there_were_painters_are_the_own_users(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    with RunningDaemon(folder) as daemon, daemon.client() as own:
        finished(own, job := submit(own))
        own.request("painter", {"name": "anna", "action": "add"})
    with closing(sqlite3.connect(folder / "jobs.sqlite3", isolation_level=None)) as db:
        db.executescript(
            "DROP INDEX jobs_by_owner; ALTER TABLE jobs DROP COLUMN owner;"
            "DROP INDEX jobs_by_identity; ALTER TABLE jobs DROP COLUMN holds; PRAGMA user_version=2;"
        )
    with RunningDaemon(folder) as daemon:
        with daemon.client() as own:
            assert show(own, job)["state"] == "done" and "owner" not in show(own, job)
        with painter(daemon, "anna") as anna:
            assert code_of(anna, "show", job=job) == "unknown_job"
    with closing(sqlite3.connect(folder / "jobs.sqlite3")) as db:
        assert db.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS)


def test_the_command_lets_in_lists_and_shuts_out_and_tells_the_key_to_no_terminal(daemon: RunningDaemon) -> None:
    def s2edit(*arguments: str) -> dict[str, Any]:
        environment = {**os.environ, "S2EDIT_HOME": str(daemon.folder)}
        command = [*programs.command("cli"), *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    entry = s2edit("painter", "add", "dora", "--json")["authorized_keys"]
    assert entry == 'restrict,port-forwarding,command="s2edit daemon connection --start --painter dora"'
    assert "dora" in s2edit("painter", "list", "--json")["painters"]
    assert s2edit("painter", "add", "-o", "--json")["exit_code"] == Exit.USAGE
    assert s2edit("painter", "add", "do ra", "--json")["error"]["code"] == "bad_setting"
    told = s2edit("daemon", "connection", "--painter", "dora")
    assert told["user"] == "dora" and told["key"] != read_connection_file(daemon.folder).key
    with painter(daemon, "dora", told["key"]) as dora:
        dora.request("ping")
    assert s2edit("daemon", "connection") == read_connection_file(daemon.folder).as_map()
    assert s2edit("painter", "remove", "dora", "--json")["exit_code"] == 0
    reader, terminal = pty.openpty()
    command = [*programs.command("cli"), "daemon", "connection"]
    own = {**os.environ, "S2EDIT_HOME": str(daemon.folder)}
    for without in ("</dev/null", "<&-"):
        silent = ["sh", "-c", f'exec "$@" {without}', "sh", *command]
        told = json.loads(subprocess.run(silent, env=own, capture_output=True, check=True).stdout)
        assert told == read_connection_file(daemon.folder).as_map(), "nothing was sent, nothing is measured"
    done = subprocess.run(command, env=own, stdout=terminal, check=False)
    os.close(terminal)
    os.close(reader)
    assert done.returncode == Exit.USAGE
