"""The daemon's life: starting, stopping, idling, going offline, and what it says when it cannot."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from s2edit_wire.client import new_job_id
from s2edit_wire.errors import WireError

from tests.fakes.daemon import EDIT, RunningDaemon, code_of, fake, finished, picture, show, submit, wait_until
from tests.fakes.until import LONG, until


def test_ready_within_a_second_of_work_and_a_clean_end_leaves_no_files(tmp_path: Path) -> None:
    with RunningDaemon(tmp_path / "s") as daemon, daemon.client() as client:
        # Processor time, not the clock: the promise is about the daemon, not about what else this machine does.
        assert daemon.ready_cpu_s < 1.0
        client.request("shutdown", {"when": "now"})
        assert daemon.process is not None
        assert daemon.process.wait(LONG) == 0
        assert sorted(path.name for path in (tmp_path / "s" / "run").iterdir()) == ["daemon.lock"]


def test_a_stop_in_mid_job_is_quick_and_the_job_goes_on_at_the_next_start(tmp_path: Path) -> None:
    daemon = RunningDaemon(tmp_path / "s")
    with daemon, daemon.client() as client:
        job = submit(client, edit=fake(held=str(tmp_path / "let go")))
        wait_until(client, job, "running")
        worker = client.request("status").header["status"]["worker_pid"]
        assert daemon.stop() == 0
        assert not Path(f"/proc/{worker}").exists(), "the worker went with its daemon"
    (tmp_path / "let go").touch()
    with daemon, daemon.client() as client:
        record = finished(client, job)
        assert (record["state"], record["attempt"]) == ("done", 2)


def test_the_model_leaves_the_device_when_nothing_was_to_do(tmp_path: Path) -> None:
    with RunningDaemon(tmp_path / "s", {"idle_unload_s": 0.2}) as daemon, daemon.client() as client:
        finished(client, submit(client))
        until(lambda: not client.request("status").header["status"]["model"])
        status = client.request("status").header["status"]
        assert (status["worker"], status["memory_used"]) == ("idle", 0)
        assert finished(client, submit(client, picture(seed=2)))["state"] == "done"


def test_a_folder_too_deep_for_a_socket_is_served_over_loopback(tmp_path: Path) -> None:
    folder = tmp_path / ("deep" * 20) / ("er" * 20)
    folder.parent.mkdir()
    temporary = tmp_path / "t"
    temporary.mkdir()
    with RunningDaemon(folder, environment={"TMPDIR": str(temporary)}) as daemon, daemon.client() as client:
        assert json.loads((folder / "run" / "daemon.json").read_text())["endpoint"].startswith("tcp://127.0.0.1:")
        image = picture(1_024)
        job = submit(client, image)
        finished(client, job)
        patch = client.request("result", {"job": job}).frames[0]
        assert (np.frombuffer(patch, "u1") == 255 - image.ravel()).all()
        client.request("shutdown", {"when": "now"})
        assert daemon.process is not None
        assert daemon.process.wait(LONG) == 0
    assert list(temporary.iterdir()) == []


def test_shutdown_when_idle_waits_for_the_queue(tmp_path: Path) -> None:
    with RunningDaemon(tmp_path / "s") as daemon, daemon.client() as client:
        jobs = [submit(client) for _ in range(3)]
        client.request("shutdown", {"when": "idle"})
        assert daemon.process is not None
        assert daemon.process.wait(LONG) == 0
        daemon.start()
        with daemon.client() as again:
            assert [show(again, job)["state"] for job in jobs] == ["done"] * 3


def test_a_taken_result_goes_after_its_grace_and_the_job_stays_known(tmp_path: Path) -> None:
    daemon = RunningDaemon(tmp_path / "s", settings={"result_grace_s": 0})
    with daemon, daemon.client() as client:
        job = submit(client)
        finished(client, job)
        client.request("acknowledge", {"job": job})
    with daemon, daemon.client() as client:
        until(lambda: not client.request("status").header["status"]["result_bytes"])
        assert show(client, job)["acknowledged"]
        assert code_of(client, "result", job=job) == "wrong_state"
        assert len(client.request("thumbnail", {"job": job}).frames) == 2, "its small pictures stay"


def test_idle_exit_and_offline(tmp_path: Path) -> None:
    daemon = RunningDaemon(tmp_path / "s", arguments=["--idle-exit", "0.5", "--offline"])
    daemon.start()
    with daemon.client() as client:
        assert client.request("status").header["status"]["offline"]
    assert daemon.process is not None
    assert daemon.process.wait(LONG) == 0


def test_the_real_worker_module_refuses_bad_edits_before_a_job_exists(tmp_path: Path) -> None:
    with RunningDaemon(tmp_path / "s", worker=None) as daemon, daemon.client() as client:
        job = new_job_id()
        with pytest.raises(WireError) as caught:
            submit(client, edit={**EDIT, "model": "nobody"}, job=job)
        assert caught.value.code == "unknown_model"
        assert code_of(client, "show", job=job) == "unknown_job"


def test_no_torch_and_no_method_in_the_daemon(tmp_path: Path) -> None:
    code = "import sys, json, s2edit_server.daemon; print(json.dumps(sorted(m for m in sys.modules if '.' not in m)))"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    loaded = set(json.loads(output.stdout))
    assert not loaded & {"torch", "s2edit", "numpy", "diffusers", "transformers"}


def test_a_database_that_cannot_be_opened_is_told_in_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    (folder / "jobs.sqlite3").mkdir(mode=0o700, parents=True)
    folder.chmod(0o700)
    daemon = RunningDaemon(folder)
    daemon.launch()
    assert daemon.process is not None
    assert daemon.process.wait(20) == 1
    assert "can't use its folder" in daemon.errors() and "Traceback" not in daemon.errors()
    assert "See that it can be written" in daemon.errors()
    (folder / "jobs.sqlite3").rmdir()
    with daemon, daemon.client() as client:
        assert finished(client, submit(client))["state"] == "done"


def test_offline_refuses_downloads_in_words_and_a_licence_is_accepted_first(tmp_path: Path) -> None:
    with RunningDaemon(tmp_path / "s", arguments=["--offline"]) as daemon, daemon.client() as client:
        client.request("subscribe", {"after": 0})
        wanted = next(model for model in client.request("models").header["models"] if not model["licence_accepted"])
        assert code_of(client, "model", model=wanted["id"], action="download") == "licence_required"
        accepted = client.request("model", {"model": wanted["id"], "action": "accept_licence"}).header["model"]
        assert accepted["licence_accepted"]
        assert code_of(client, "model", model=wanted["id"], action="download") == "offline"
        events = [incoming.header for incoming in client.pump() if incoming.header["op"] == "event"]
        assert [event["model"]["id"] for event in events if event["kind"] == "model"] == [wanted["id"]]
    with daemon, daemon.client() as client:
        models = client.request("models").header["models"]
        assert next(model for model in models if model["id"] == wanted["id"])["licence_accepted"], "it is remembered"
