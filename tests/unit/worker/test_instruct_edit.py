"""An instruction over the wire: client, daemon and worker are real, the model is tiny and the user's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from s2edit_wire.client import Client
from s2edit_wire.errors import WireError
from s2edit_wire.frames import describe
from s2edit_wire.session import new_job_id

from tests.fakes.daemon import finished
from tests.fakes.own_model import own_model
from tests.fakes.tiny_klein import build_klein_edit
from tests.unit.worker.test_real_edit import painted, picture, result

MODEL = "import-tiny-klein"
EDIT: dict[str, Any] = {
    "kind": "edit",
    "model": MODEL,
    "profile": "balanced",
    "source": "",
    "target": "add sunglasses",
    "objects": [],
    "seed": 3,
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with own_model(build_klein_edit(tmp_path_factory.mktemp("own") / "tiny-klein")) as connected:
        yield connected


def submit(client: Client, references: int = 0, **changes: Any) -> str:
    job, image, mask = new_job_id(), picture(), painted()
    other = picture()[:40]
    entries = [describe("image", image.shape), describe("edit_mask", mask.shape, space="mask")]
    entries += [describe("reference", other.shape, index=index) for index in range(references)]
    pixels = [image.data.cast("B"), mask.data.cast("B")] + [other.data.cast("B")] * references
    client.request("submit", {"job": job, "edit": EDIT | changes, "frames": entries}, pixels)
    return job


def test_its_card_says_what_it_takes(client: Client) -> None:
    cards = {card["id"]: card for card in client.request("models").header["models"]}
    own = cards[MODEL]
    assert (own["state"], own["engine"], own["native"]) == ("ready", "FLUX.2 klein, by instruction", 1024)
    assert own["instructs"] and 10 < own["memory"] / 2**30 < 11
    assert "instructs" not in cards["portraits"]


def test_a_whole_edit(client: Client) -> None:
    job = submit(client, references=2)
    finished(client, job, timeout=900)
    record, frames = result(client, job)
    assert frames["patch"].shape == picture().shape
    alpha = frames["alpha"][..., 0]
    assert alpha.max() > 0
    assert not alpha[painted()[..., 0] == 0].any()
    assert record["engine"] == "instruct" and record["references"] == 2
    assert {"image", "edit_mask", "reference", "reference.1"} == set(record["inputs"])
    assert "watermark" in record
    # Random weights draw nothing that could be laid over, and the painter is told.
    assert "could not be laid over" in client.request("show", {"job": job}).header["job"]["message"]


ASK: dict[str, Any] = {"canvas": [400, 300], "mask_box": [100, 100, 80, 60], "target": "add sunglasses"}
ASK |= {name: EDIT[name] for name in ("kind", "model", "profile", "source", "objects")}


def test_a_plan(client: Client) -> None:
    plan = client.request("plan", ASK).header
    assert plan["problems"] == [] and plan["words"] == []
    assert plan["model_size"] == [128, 128]
    assert plan["forecast"]["first_s"] >= plan["forecast"]["next_s"] > 0
    assert plan["forecast"]["memory"] > 10 * 2**30


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"source": "a man"}, "one instruction"),
        ({"objects": [{"word": "man", "masked": False}]}, "one instruction"),
        ({"target": ""}, "instruction is empty"),
        ({"kind": "mask"}, "takes an instruction"),
    ],
)
def test_what_it_does_not_take_is_planned_and_refused(client: Client, changes: dict[str, Any], says: str) -> None:
    (problem,) = client.request("plan", ASK | changes).header["problems"]
    assert says in problem["message"] and problem["blocking"]
    with pytest.raises(WireError, match=says):
        submit(client, **changes)


def test_references(client: Client) -> None:
    with pytest.raises(WireError, match="too many"):
        submit(client, references=4)
    words = {"source": "a man", "target": "a man with a hat", "objects": [{"word": "man", "masked": False}]}
    with pytest.raises(WireError, match="takes no reference"):
        submit(client, references=1, model="portraits", **words)
