"""Calls that may block on other people's files, such as on a disk that doesn't answer, kept from holding anything up.

asyncio's own threads are few, shared, and waited for when the program ends. These are neither.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

from s2edit_wire.errors import WireError

T = TypeVar("T")
DEADLINE = 60.0
"""Seconds that an answer about models may take; the first one imports much."""
MAX_THREADS = 16
"""Calls under way at a time, those included that nobody waits for any more."""


class BlockingCalls:
    """A few threads that nothing waits for at the end of the program; to be made in the event loop."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(MAX_THREADS)

    async def call(self, function: Callable[[], T], deadline: float = DEADLINE) -> T:
        """What the function returns or raises.

        Args:
            deadline: seconds; the function runs on after them, and what becomes of it is dropped.

        Raises:
            WireError: busy, when it has not returned in time.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()

        def settle(result: T | None, error: BaseException | None) -> None:
            self._free.release()
            if answer.done():
                return
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(result)  # type: ignore[arg-type]

        def run() -> None:
            result, error = None, None
            try:
                result = function()
            except BaseException as raised:  # noqa: BLE001 - handed to whoever waits
                error = raised
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(settle, result, error)

        try:
            async with asyncio.timeout(deadline) as limit:
                await self._free.acquire()
                threading.Thread(target=run, name="aside", daemon=True).start()
                return await answer
        except TimeoutError as error:
            if limit.expired():
                raise _no_answer() from error
            raise


def _no_answer() -> WireError:
    return WireError(
        "busy",
        "The disk with the models doesn't answer.",
        "See whether the folders of your own models can be read, and try again.",
        10.0,
    )
