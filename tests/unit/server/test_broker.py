"""The broker without a socket: every request is answered once, whatever its handler makes of it."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgpack
import pytest
import zmq
from s2edit_server.broker import NO_REQUEST, Answer, Broker, Handler, Request, Session
from s2edit_wire.auth import USERNAME
from s2edit_wire.limits import MAGIC, MAX_HEADER

IDENTITY = b"id"


def answers(handler: Handler, *headers: dict[str, Any]) -> list[dict[str, Any]]:
    """What a greeted client is sent for these requests, of which `ping` is handled so."""

    async def run() -> list[dict[str, Any]]:
        sent: list[dict[str, Any]] = []

        def send(parts: Sequence[Any]) -> bool:
            sent.append(msgpack.unpackb(parts[2]))
            return True

        broker = Broker(send, lambda _: None, everything)
        broker.handlers = {"ping": handler}
        broker.greet(Session(IDENTITY, USERNAME, "c" * 32, "cli"))
        for header in headers:
            broker.take(IDENTITY, USERNAME, [zmq.Frame(MAGIC), zmq.Frame(msgpack.packb(header))])
        await broker.finish(10)
        return sent

    return asyncio.run(run())


async def everything(_request: Request) -> None:
    """Allow it."""


async def fine(_request: Request) -> Answer:
    return {}, ()


async def too_long(_request: Request) -> Answer:
    return {"text": "x" * MAX_HEADER}, ()


async def faulty(_request: Request) -> Answer:
    raise KeyError("a fault of ours")


@pytest.mark.parametrize("handler", [too_long, faulty])
def test_a_fault_of_ours_is_answered_in_words_and_the_log_knows_it(
    handler: Handler, caplog: pytest.LogCaptureFixture
) -> None:
    (answer,) = answers(handler, {"op": "ping", "id": 7})
    assert (answer["op"], answer["id"], answer["code"]) == ("error", 7, "internal")
    assert "“ping” failed" in caplog.text


@pytest.mark.parametrize("number", [True, 0, "7", 2**53, 1.0])
def test_what_is_no_number_of_a_request_is_answered_without_one(number: object) -> None:
    (answer,) = answers(fine, {"op": "ping", "id": number})
    assert (answer["op"], answer["id"], answer["code"]) == ("error", NO_REQUEST, "bad_request")
