"""What somebody at the studio's cable gets to see: nothing; and all if there were no TLS, so the listening works."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from s2edit_wire.client import Client

from tests.cluster import network
from tests.cluster.sniffer import Sniffer
from tests.cluster.studio import AT_HEAD, AT_OTHER, Studio, places, until
from tests.fakes.daemon import fake, finished, picture, submit, wait_until

pytestmark = pytest.mark.slow
SIDE = 256
PIECE = 32
"""Bytes that are looked for of each: no chance hits."""


def _seen(studio: Studio, client: Client) -> set[str]:
    """What of a job that went to the other computer passed in the clear."""
    image = picture(SIDE, 50)
    needles = {
        "token": (studio.head.folder / "cluster" / "token").read_bytes(),
        "picture": image.tobytes()[1_000 : 1_000 + PIECE],
        "result": (255 - image).tobytes()[90_000 : 90_000 + PIECE],
        "prompt": b"a portrait of a woman",
    }
    block = submit(client, picture(16, 51), fake(held=True))
    assert wait_until(client, block, "running")["place"] == AT_HEAD
    with Sniffer(studio.network) as sniffer:
        job = submit(client, image, fake(steps=100, step_ms=10))
        assert wait_until(client, job, "running")["place"] == AT_OTHER
        assert finished(client, job)["state"] == "done"
    client.request("cancel", {"job": block})
    # Ray's agents for packages: each is asked by its own computer alone, which the other's cable never carries.
    passed = sniffer.bytes_between({studio.head.port + 3, studio.other.port + 3})
    assert len(passed) > 2 * image.nbytes, "all of it passed here"
    return {name for name, needle in needles.items() if needle in passed}


@pytest.mark.skipif(os.geteuid() != 0, reason="nobody but root may listen to all that passes")
@pytest.mark.parametrize("where", [network.made().where])
@pytest.mark.parametrize(
    ("tls", "seen"),
    [(True, set()), (False, {"token", "picture", "result", "prompt"})],
    ids=["as it is", "had it no TLS"],
)
def test_who_listens_sees_neither_pixels_nor_words_nor_token(
    tmp_path: Path, where: str, *, tls: bool, seen: set[str]
) -> None:
    with Studio(tmp_path, tls=tls) as studio, studio.daemon.client() as client:
        assert studio.network.where == where
        until(lambda: set(places(client)) == {AT_HEAD, AT_OTHER})
        assert _seen(studio, client) == seen
