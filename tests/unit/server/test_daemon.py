"""The daemon as its clients see it, with the fake worker: jobs, queue, events, settings, and errors in words."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pytest
from s2edit_server import (
    handlers_daemon,
    handlers_jobs,
    handlers_painters,
    handlers_queue,
    handlers_views,
    handlers_weights,
)
from s2edit_wire.client import Client, new_job_id
from s2edit_wire.errors import WireError
from s2edit_wire.frames import describe
from s2edit_wire.records import PHASES
from s2edit_wire.schema import EVENT, MESSAGES

from tests.fakes.daemon import EDIT, RunningDaemon, code_of, fake, finished, picture, show, submit, wait_until
from tests.fakes.until import until

SLOW_STEPS = 200
SLOW = fake(steps=SLOW_STEPS, step_ms=20)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDaemon]:
    # At this level the daemon checks its own answers against the schema; a wrong one would come as `internal`.
    with RunningDaemon(tmp_path_factory.mktemp("d") / "s", arguments=["--log-level", "debug"]) as running:
        yield running
        assert running.process is not None
        assert running.process.poll() is None, "no test may end the daemon"
        assert "Traceback" not in running.log()


@pytest.fixture
def client(daemon: RunningDaemon) -> Iterator[Client]:
    with daemon.client() as client:
        yield client
        for record in client.request("list", {"states": ["queued", "paused", "running"]}).header["jobs"]:
            client.request("cancel", {"job": record["job"]})
            finished(client, record["job"])


def test_every_message_has_a_handler() -> None:
    services = MagicMock()
    topics = (handlers_jobs, handlers_painters, handlers_queue, handlers_views, handlers_weights)
    handled = {op for topic in topics for op in topic.handlers(services)}
    assert handled | set(handlers_daemon.handlers(services, MagicMock())) == set(MESSAGES)


def test_an_edit_goes_through_and_comes_back_to_the_bit(client: Client) -> None:
    image = picture(64)
    job = submit(client, image)
    record = finished(client, job)
    assert (record["state"], record["attempt"], record["position"]) == ("done", 1, 0)
    answer = client.request("result", {"job": job})
    patch, alpha, mask = (bytes(frame) for frame in answer.frames)
    assert (np.frombuffer(patch, "u1") == 255 - image.ravel()).all()
    assert set(alpha) == {0, 255} and len(mask) == 64 * 64
    assert answer.header["record"]["seed"] == 1
    assert [entry["role"] for entry in answer.header["frames"]] == ["patch", "alpha", "mask"]
    thumbnails = client.request("thumbnail", {"job": job})
    assert [entry["role"] for entry in thumbnails.header["frames"]] == ["image", "preview"]
    lines = client.request("log", {"job": job}).header["lines"]
    assert lines[0].endswith("accepted") and lines[-1].endswith("done")
    assert client.request("acknowledge", {"job": job}).header["job"]["acknowledged"]
    client.request("remove", {"job": job})
    assert code_of(client, "show", job=job) == "unknown_job"


def test_sending_a_job_again_is_answered_with_the_job_and_other_content_refused(client: Client) -> None:
    job = submit(client, picture(seed=1))
    done = finished(client, job)
    assert submit(client, picture(seed=1), job=job) == job
    assert {**show(client, job), "seq": 0} == {**done, "seq": 0}
    with pytest.raises(WireError) as caught:
        submit(client, picture(seed=2), job=job)
    assert caught.value.code == "job_conflict"


def test_a_damaged_frame_is_refused(client: Client) -> None:
    entry = {**describe("image", (1, 1, 1)), "sha256": "0" * 64}
    with pytest.raises(WireError, match="damaged"):
        client.request("submit", {"job": new_job_id(), "edit": EDIT, "frames": [entry]}, [memoryview(b"x")])


def test_the_thirty_third_job_is_busy_with_a_time_to_try_again(client: Client) -> None:
    client.request("pause_queue")
    for _ in range(32):
        submit(client)
    stored = client.request("status").header["status"]["result_bytes"]
    with pytest.raises(WireError) as caught:
        submit(client, picture(seed=33))
    assert caught.value.code == "busy" and caught.value.retry_after
    assert client.request("status").header["status"]["result_bytes"] == stored, "what is refused is not stored"
    for record in client.request("list", {"states": ["queued"]}).header["jobs"]:
        client.request("cancel", {"job": record["job"]})
    client.request("resume_queue")


def test_an_edit_too_long_for_a_header_beside_its_result_is_refused(client: Client) -> None:
    settings = {f"fake.{number}": "🙂" * 200 for number in range(60)}
    with pytest.raises(WireError, match="too long together") as caught:
        submit(client, edit={**EDIT, "settings": settings})
    assert caught.value.code == "too_large"


def test_the_queue_is_paused_reordered_held_and_resumed(client: Client) -> None:
    client.request("pause_queue")
    assert client.request("status").header["status"]["queue_paused"]
    first, second, third = (submit(client) for _ in range(3))
    assert [show(client, job)["position"] for job in (first, second, third)] == [1, 2, 3]
    assert client.request("move", {"job": third, "before": first}).header["job"]["position"] == 1
    assert client.request("hold", {"job": second}).header["job"]["state"] == "paused"
    client.request("resume_queue")
    started = [finished(client, job)["started"] for job in (third, first)]
    assert started == sorted(started)
    assert show(client, second)["state"] == "paused"
    client.request("release", {"job": second})
    assert finished(client, second)["state"] == "done"


def test_events_tell_every_change_and_reconnecting_catches_up(daemon: RunningDaemon, client: Client) -> None:
    with daemon.client() as watcher:
        start = watcher.request("subscribe", {"after": 0, "previews": True}).header["seq"]
        job = submit(client, picture(64), fake(steps=20))
        events: list[dict[str, Any]] = []

        def done() -> bool:
            for incoming in watcher.pump():
                EVENT.check(incoming.header, "")
                events.append(incoming.header)
                if "frames" in incoming.header:
                    assert len(incoming.frames[0]) == incoming.header["frames"][0]["nbytes"]
            # Jobs of earlier tests may end meanwhile.
            told = [event["job"] for event in events if "job" in event]
            return any(record["job"] == job and record["state"] == "done" for record in told)

        until(done)
    assert [event["seq"] for event in events] == list(range(start + 1, start + 1 + len(events)))
    mine = [event["job"] for event in events if event.get("job", {}).get("job") == job]
    assert [record["state"] for record in mine if record["state"] != "running"] == ["queued", "done"]
    phases = list(dict.fromkeys(record["phase"] for record in mine if record["state"] == "running"))
    # An event tells the job as it is by then: a phase of a few milliseconds may be over.
    assert phases == [phase for phase in PHASES if phase in phases]
    assert {"waiting", "inversion", "editing"} <= set(phases)
    assert any("frames" in event for event in events)
    late = client.request("subscribe", {"after": start}).header
    assert job in [record["job"] for record in late["jobs"]]
    assert client.request("subscribe", {"after": late["seq"]}).header["jobs"] == []


def test_a_long_absence_is_caught_up_on_page_by_page_and_nothing_is_left_out(client: Client) -> None:
    client.request("pause_queue")
    since = client.request("subscribe", {"after": 1}).header
    while since.get("more"):
        since = client.request("subscribe", {"after": since["seq"]}).header
    long = {**EDIT, "source": "a" * 1_000, "target": "é" * 1_000, "reference_prompt": "🙂" * 1_000}
    sent = [submit(client, edit=long) for _ in range(20)]
    told: list[str] = []
    pages = 0
    answer = {"seq": since["seq"], "more": True}
    while answer.get("more"):
        answer = client.request("subscribe", {"after": answer["seq"]}).header
        told += [record["job"] for record in answer["jobs"]]
        pages += 1
    assert told == sent and pages > 1
    assert client.request("subscribe", {"after": answer["seq"]}).header["jobs"] == []
    for job in sent:
        client.request("cancel", {"job": job})
    client.request("resume_queue")


def test_the_expected_time_is_known_after_one_job(client: Client) -> None:
    edit = {**SLOW, "profile": "balanced", "settings": {"fake.steps": 100, "fake.step_ms": 10}}
    first = finished(client, submit(client, edit=edit))
    running = submit(client, picture(seed=5), edit)
    waiting = submit(client, picture(seed=6), edit)
    eta = wait_until(client, running, "running").get("eta", 0)
    assert 0 < eta < 2 * (first["finished"] - first["started"])
    assert show(client, waiting).get("eta", 0) > eta


@pytest.mark.parametrize("fault", ["exit_once", "kill_once", "segv_once", "garbage_once"])
def test_one_death_of_the_worker_costs_one_attempt(client: Client, fault: str) -> None:
    record = finished(client, submit(client, edit=fake(fault=fault)))
    assert (record["state"], record["attempt"]) == ("done", 2)


def test_two_deaths_end_the_job_and_the_next_one_runs(client: Client) -> None:
    record = finished(client, submit(client, edit=fake(fault="segv")))
    assert (record["state"], record["error"], record["attempt"]) == ("failed", "worker_crashed", 2)
    assert "SIGSEGV" in record["message"]
    assert finished(client, submit(client))["state"] == "done"
    again = client.request("retry", {"job": record["job"]}).header["job"]
    assert again["state"] in {"queued", "running"} and "error" not in again
    assert finished(client, record["job"])["error"] == "worker_crashed"


def test_out_of_memory_is_tried_once_lower_then_told_with_figures(client: Client) -> None:
    job = submit(client, edit=fake(fault="oom_full"))
    assert finished(client, job)["attempt"] == 2
    assert client.request("result", {"job": job}).header["record"]["lower"]
    record = finished(client, submit(client, edit=fake(fault="oom")))
    assert (record["error"], record["attempt"]) == ("out_of_memory", 2)
    assert "GiB" in record["message"] and record["hint"]
    assert finished(client, submit(client))["state"] == "done"


def test_a_failed_and_a_torn_result_are_errors_with_words(client: Client) -> None:
    failed = finished(client, submit(client, edit=fake(fault="fail")))
    assert (failed["error"], failed["message"]) == ("model_failed", "The model said no.")
    assert finished(client, submit(client, edit=fake(fault="torn")))["error"] == "internal"


def test_cancel_reaches_waiting_and_running_jobs_and_no_other(client: Client) -> None:
    running = submit(client, edit=SLOW)
    waiting, other = submit(client, edit=SLOW), submit(client)
    assert client.request("cancel", {"job": waiting}).header["job"]["state"] == "cancelled"
    wait_until(client, running, "running")
    client.request("cancel", {"job": running})
    record = finished(client, running)
    assert record["state"] == "cancelled"
    assert record["step"] < SLOW_STEPS, "it was not waited for"
    assert finished(client, other)["state"] == "done"
    assert client.request("cancel", {"job": other}).header["job"]["state"] == "done"


def test_captions_and_masks_have_results_too(client: Client) -> None:
    caption = submit(client, edit={**EDIT, "kind": "caption", "objects": []})
    assert finished(client, caption)["state"] == "done"
    assert "caption" in client.request("result", {"job": caption}).header["record"]
    mask = submit(client, edit={**EDIT, "kind": "mask"})
    finished(client, mask)
    assert [entry["role"] for entry in client.request("result", {"job": mask}).header["frames"]] == ["mask"]


def test_wrong_states_and_unknown_jobs_are_told(client: Client) -> None:
    job = submit(client)
    finished(client, job)
    for op in ("retry", "hold", "release", "move"):
        assert code_of(client, op, job=job) == "wrong_state"
    for op in ("show", "cancel", "result", "thumbnail", "log", "remove", "acknowledge", "retry"):
        assert code_of(client, op, job="f" * 32) == "unknown_job"
    running = submit(client, edit=SLOW)
    for op in ("result", "remove", "acknowledge"):
        assert code_of(client, op, job=running) == "wrong_state"


def test_long_lists_come_in_pages_that_fit(client: Client) -> None:
    client.request("pause_queue")
    long = {**EDIT, "source": "a" * 1_000, "target": "é" * 1_000, "reference_prompt": "b" * 1_000}
    sent = [submit(client, edit={**long, "document": {"host": "other", "ref": "pages"}}) for _ in range(30)]
    seen: list[str] = []
    fields: dict[str, object] = {"ref": "pages", "limit": 100}
    while True:
        page = client.request("list", fields).header
        seen += [record["job"] for record in page["jobs"]]
        if "cursor" not in page:
            break
        fields["before"] = page["cursor"]
    assert seen == sent[::-1]
    for job in sent:
        client.request("cancel", {"job": job})
    client.request("resume_queue")


def test_settings_are_changed_all_or_none(client: Client) -> None:
    before = client.request("settings").header["settings"]
    assert code_of(client, "configure", settings={"idle_unload_s": 60, "threads": -1}) == "bad_setting"
    assert client.request("settings").header["settings"] == before
    changed = client.request("configure", {"settings": {"idle_unload_s": 60}}).header["settings"]
    assert changed == {**before, "idle_unload_s": 60}


def test_prompts_are_logged_at_the_level_debug_only_and_a_new_level_counts_at_once(
    daemon: RunningDaemon, client: Client
) -> None:
    for level, logged in (("info", False), ("debug", True)):
        client.request("configure", {"settings": {"log_level": level}})
        finished(client, submit(client, edit={**EDIT, "target": f"a secret of level {level}"}))
        assert (f"a secret of level {level}" in daemon.log()) is logged


def test_memory_is_freed_on_request_and_models_and_plans_are_answered(client: Client) -> None:
    finished(client, submit(client))
    status = client.request("status").header["status"]
    assert (status["worker"], status["model"]) == ("idle", "portraits")
    client.request("free_memory")
    until(lambda: client.request("status").header["status"]["worker"] == "stopped")
    assert "portraits" in [model["id"] for model in client.request("models").header["models"]]
    plan = {"kind": "edit", "model": "portraits", "profile": "fast", "canvas": [640, 480], "source": "a woman, hat"}
    answer = client.request("plan", plan).header
    assert answer["crop"][2] <= 640 and "hat" in answer["words"]
    # A worker that isn't S²Edit's own brings its models along; all else about a model is told as ever.
    assert client.request("plan", plan | {"model": "sd-v1-4"}).header["problems"] == []
    (doubt,) = client.request("plan", plan | {"photo": 0.9}).header["problems"]
    assert (doubt["field"], doubt["blocking"]) == ("model", False)
    assert code_of(client, "model", model="nobody", action="verify") == "unknown_model"
    client.request("rescan"), client.request("clear_cache")


def test_jobs_removed_at_the_moment_of_their_end_disturb_nobody(client: Client) -> None:
    for number in range(30):
        job = submit(client, picture(seed=number), fake(steps=1, step_ms=0))
        while show(client, job)["state"] != "done":
            pass
        client.request("remove", {"job": job})
    assert finished(client, submit(client))["state"] == "done"


def test_requests_about_one_job_keep_their_order(client: Client) -> None:
    for number in range(10):
        job = new_job_id()
        image = picture(256, number)
        client.send("submit", {"job": job, "edit": SLOW, "frames": [describe("image", image.shape)]}, [image.tobytes()])
        assert client.request("cancel", {"job": job}).header["job"]["job"] == job
        assert finished(client, job)["state"] == "cancelled"


def test_a_second_daemon_refuses_and_the_first_goes_on(daemon: RunningDaemon, client: Client) -> None:
    second = RunningDaemon(daemon.folder)
    second.launch()
    assert second.process is not None
    assert second.process.wait(20) == 1
    assert "running already" in second.errors()
    client.request("ping")
