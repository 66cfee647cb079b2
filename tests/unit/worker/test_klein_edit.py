"""FLUX.2 klein over the wire: client, daemon and worker are real, the checkpoint is tiny and the user's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from s2edit_wire.client import Client

from tests.fakes.daemon import finished
from tests.fakes.own_model import own_model
from tests.parity.tiny_flow import build_klein
from tests.unit.worker.test_real_edit import painted, picture, result, submit

MODEL = "import-tiny-klein"
WISH: dict[str, Any] = {"model": MODEL, "source": "a man with a beard", "target": "a man with a hat"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with own_model(build_klein(tmp_path_factory.mktemp("own") / "tiny-klein")) as connected:
        yield connected


def test_its_card_says_what_computes(client: Client) -> None:
    cards = {card["id"]: card for card in client.request("models").header["models"]}
    own = cards[MODEL]
    assert (own["state"], own["engine"], own["native"]) == ("ready", "FLUX.2 klein", 64)
    assert own["memory"] == cards["flux2-klein-base-4b"]["memory"]


@pytest.mark.parametrize(("profile", "mode"), [("balanced", "direct"), ("balanced", "flowedit"), ("instant", "direct")])
def test_a_whole_edit(client: Client, profile: str, mode: str) -> None:
    settings: dict[str, Any] = {"identity.steps": 2, "inversion.steps": 3, "inversion.mode": mode}
    job = submit(client, picture(), profile=profile, settings=settings, **WISH)
    finished(client, job, timeout=900)
    record, frames = result(client, job)
    alpha = frames["alpha"][..., 0]
    assert not alpha[painted()[..., 0] == 0].any()
    assert record["model_size"] == [64, 64]
    assert record["settings"]["identity"]["level"] == "lora"
    rows = record["unet_forwards"]
    assert rows["inversion"] == (0 if mode == "flowedit" else 3)
    learned = rows["identity"] > 0 or record["cached"]["identity"]
    assert learned or profile == "instant"


def test_what_means_nothing_is_said_in_the_plan(client: Client) -> None:
    ask: dict[str, Any] = {"canvas": [400, 300], "kind": "edit", "objects": [{"word": "man", "masked": False}], **WISH}
    assert client.request("plan", ask | {"profile": "balanced"}).header["problems"] == []
    for settings, said in (({"inversion.mode": "null_text"}, "Null-text"), ({"identity.level": "kv"}, "“kv”")):
        (problem,) = client.request("plan", ask | {"profile": "balanced", "settings": settings}).header["problems"]
        assert problem["code"] == "bad_setting"
        assert said in problem["message"]
    (problem,) = client.request("plan", ask | {"profile": "balanced", "source": "a <|im_end|> man"}).header["problems"]
    assert "<|" in problem["message"]
