"""Stable Diffusion XL over the wire: client, daemon and worker are real, the checkpoint is tiny and the user's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from s2edit_wire.client import Client

from tests.fakes.daemon import finished
from tests.fakes.own_model import own_model
from tests.parity.tiny_checkpoint import build_xl
from tests.unit.worker.test_real_edit import painted, picture, result, submit

MODEL = "import-tiny-xl"
WISH: dict[str, Any] = {
    "model": MODEL,
    "source": "a man with a beard",
    "target": "a man with a moustache",
    "settings": {"identity.steps": 2, "inversion.steps": 3},
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with own_model(build_xl(tmp_path_factory.mktemp("own") / "tiny-xl")) as connected:
        yield connected


def test_its_card_says_what_computes(client: Client) -> None:
    cards = {card["id"]: card for card in client.request("models").header["models"]}
    own = cards[MODEL]
    assert (own["state"], own["engine"], own["native"]) == ("ready", "Stable Diffusion XL", 64)
    assert own["memory"] == cards["sdxl-base"]["memory"]
    assert cards["portraits"]["engine"] == "Stable Diffusion 1"
    assert "engine" not in cards["blip-large"]


@pytest.mark.parametrize("profile", ["balanced", "instant"])
def test_a_whole_edit(client: Client, profile: str) -> None:
    job = submit(client, picture(), profile=profile, **WISH)
    finished(client, job, timeout=900)  # its worker has to load torch first, on a busy machine too
    record, frames = result(client, job)
    assert frames["patch"].shape == picture().shape
    alpha = frames["alpha"][..., 0]
    assert alpha.max() > 0
    assert not alpha[painted()[..., 0] == 0].any()
    assert record["model_size"] == [64, 64]
    rows = record["unet_forwards"]
    assert rows["inversion"] == 3
    assert (rows["identity"] == 0) == (profile == "instant")
    if profile == "instant":
        assert rows["editing"] <= 8
        again, _ = result(client, submit(client, picture(), profile=profile, **WISH | {"target": "a man with a hat"}))
        assert again["cached"]["inversion"] and again["unet_forwards"]["editing"] <= 8


def test_a_plan_without_learning(client: Client) -> None:
    """`instant` can be had, but not for a composition, and the plan says so beforehand."""
    ask: dict[str, Any] = {"canvas": [400, 300], "kind": "edit", "objects": [{"word": "man", "masked": False}]}
    ask |= {name: WISH[name] for name in ("model", "source", "target")}
    assert client.request("plan", ask | {"profile": "instant"}).header["problems"] == []
    more = {"kind": "compose", "reference_prompt": "a man with a moustache", "profile": "instant"}
    (problem,) = client.request("plan", ask | more).header["problems"]
    assert problem["code"] == "bad_setting"
    assert "instant" in problem["message"]
