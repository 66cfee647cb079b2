"""The user's token goes nowhere but to a hub that asked for it, by a way that nobody can listen on."""

from collections.abc import Callable
from pathlib import Path

import pytest
from s2edit_server.weights.catalogue import File
from s2edit_server.weights.download import Fetch
from s2edit_server.weights.hub import Hub
from s2edit_wire.errors import WireError

from tests.fakes.hub import FakeHub
from tests.fakes.hub_model import FILES, REVISION, WEIGHTS, hub

__all__ = ["hub"]  # a fixture, brought in
TOKEN = "hf_secret"

OPENLY: dict[str, Callable[[FakeHub], Hub]] = {
    "a mirror by plain http": lambda hub: Hub("http://mirror.example", proxy=hub.base, token=TOKEN),
    "this machine, through a proxy elsewhere": lambda hub: Hub("http://localhost:1", proxy=hub.base, token=TOKEN),
}


def fetch(hub: Hub, folder: Path) -> None:
    Fetch(hub, "someone/model", REVISION, File(WEIGHTS), folder / WEIGHTS, backoff=0.01, reserve=0).run()


def through_proxy(hub: FakeHub) -> None:
    """Let the server answer what a proxy is asked: whole addresses."""
    answer = hub.answer

    def shortened(handler: object, *, body: bool) -> None:
        path = handler.path  # type: ignore[attr-defined]
        if path.startswith("http://"):
            handler.path = "/" + path.split("/", 3)[3]  # type: ignore[attr-defined]
        answer(handler, body=body)  # type: ignore[arg-type]

    hub.answer = shortened  # type: ignore[method-assign]


@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("way", OPENLY)
def test_never_where_others_could_read_it(way: str, gated: bool, hub: FakeHub, tmp_path: Path) -> None:
    through_proxy(hub)
    hub.faults.token = TOKEN if gated else ""
    if gated:
        with pytest.raises(WireError):
            fetch(OPENLY[way](hub), tmp_path)
    else:
        fetch(OPENLY[way](hub), tmp_path)
        assert (tmp_path / WEIGHTS).read_bytes() == FILES[WEIGHTS]
    assert hub.requests and not any(authorization for *_, authorization in hub.requests)


def test_never_to_a_hub_that_did_not_ask(hub: FakeHub, tmp_path: Path) -> None:
    fetch(Hub(hub.base, token=TOKEN), tmp_path)
    assert hub.requests and not any(authorization for *_, authorization in hub.requests)


def test_to_a_hub_on_this_machine_once_it_has_asked(hub: FakeHub, tmp_path: Path) -> None:
    hub.faults.token = TOKEN
    fetch(Hub(hub.base, token=TOKEN), tmp_path)
    assert (tmp_path / WEIGHTS).read_bytes() == FILES[WEIGHTS]


def test_the_refusal_says_what_to_do(hub: FakeHub, tmp_path: Path) -> None:
    through_proxy(hub)
    hub.faults.token = TOKEN
    with pytest.raises(WireError, match="not asked by https") as refused:
        fetch(OPENLY["a mirror by plain http"](hub), tmp_path)
    assert "https://" in refused.value.hint


@pytest.mark.parametrize("content", [b"\xff\xfe", b"hf_" + b"x" * 10_000])
def test_a_token_file_that_is_none(content: bytes, tmp_path: Path) -> None:
    from s2edit_server.weights.hub import find_token

    (tmp_path / "token").write_bytes(content)
    assert find_token(tmp_path, {"HF_HOME": str(tmp_path / "none")}) == ""
