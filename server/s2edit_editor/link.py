"""The link to the daemon that an editor's desk stands on: requests, the models, and the default one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from s2edit_wire.client import Client, Incoming
from s2edit_wire.errors import WireError
from s2edit_wire.loop import LoopAdapter
from s2edit_wire.records import ModelRecord
from s2edit_wire.session import Session

from . import models
from .delivery import pictures_of
from .pixels import Picture
from .text import language

Answer = Callable[[Mapping[str, Any], Mapping[str, Picture]], None]
"""Takes an answer's fields, and its pictures by role."""
Failed = Callable[[WireError], None]
PAUSE_S = 0.5
LONGEST_PAUSE_S = 5.0
MOST_TRIES = 60


class Requests:
    """Asks, and knows the models.

    Args:
        program: `gimp` or `krita`. version: the plug-in's.
        loop: the editor's event loop.

    Attributes:
        loop: the editor's.
        models: all models by id. default: that of whoever chooses none. link: the connection's state.
        on_link: called with the connection's state and a sentence. on_models, on_default: when there are newer ones.
        on_trouble: takes an error that a painter is to be told of, and the job's id, "" of none.
    """

    def __init__(self, program: str, version: str, loop: LoopAdapter) -> None:
        self.models: dict[str, ModelRecord] = {}
        self.default, self.link = models.LAST_RESORT, "lost"
        self.on_link: Callable[[str, str], None] = nothing
        self.on_models: Callable[[], None] = nothing
        self.on_default: Callable[[], None] = nothing
        self.on_trouble: Callable[[WireError, str], None] = nothing
        self._program, self.loop = program, loop
        self._asked: dict[tuple[str, int], int] = {}
        self.session = Session(
            lambda: Client(program, version),
            loop,
            on_event=self._event,
            on_state=self._state,
            language=language(),
        )

    def open(self) -> None:
        """Connect, and start the daemon where none runs; harmless when that has been done."""
        if self.session.state in ("stopped", "lost"):
            self.session.start()

    def close(self) -> None:
        """Hang up; the daemon goes on."""
        self.session.close()

    # Asking

    def request(
        self,
        op: str,
        fields: Mapping[str, object],
        done: Answer,
        frames: Sequence[bytes | bytearray | memoryview] = (),
        failed: Failed | None = None,
    ) -> int:
        """Send a request; without `failed`, an error goes to `on_trouble`. Returns the session's ticket of it.

        A daemon that is busy is asked again when it said to.
        """
        left = MOST_TRIES

        def send() -> int:
            return self.session.request(op, fields, frames, came, trouble)

        def again() -> None:
            send()

        def came(incoming: Incoming) -> None:
            done(incoming.header, pictures_of(incoming.header, incoming.frames))

        def trouble(error: WireError) -> None:
            nonlocal left
            left -= 1
            if error.code == "busy" and left and (error.retry_after or 0.0) <= LONGEST_PAUSE_S:
                self.loop.call_later(error.retry_after or PAUSE_S, again)
            elif failed is not None:
                failed(error)
            else:
                self.on_trouble(error, "")

        return send()

    def ask(self, op: str, fields: Mapping[str, object], done: Answer, failed: Failed, asker: object = None) -> None:
        """A question of which only the asker's newest is answered: an older one's late answer is dropped."""
        self.drop(op, asker)
        self._asked[op, id(asker)] = self.request(op, fields, done, failed=failed)

    def drop(self, op: str, asker: object = None) -> None:
        """No answer to such a question is wanted any more."""
        self.session.forget(self._asked.pop((op, id(asker)), 0))

    # Models

    def act_on_model(self, model: str, action: str, failed: Failed) -> None:
        """Have the daemon do something with a model's weights; a licence that was accepted starts the download."""

        def done(header: Mapping[str, Any], _pictures: object) -> None:
            self._took_model(header["model"])
            if action == "accept_licence":
                self.act_on_model(model, "download", failed)

        self.request("model", {"model": model, "action": action}, done, failed=failed)

    def _took_model(self, model: ModelRecord) -> None:
        self.models[model["id"]] = model
        self.on_models()

    def _took_models(self, header: Mapping[str, Any], _pictures: object) -> None:
        self.models = {model["id"]: model for model in header["models"]}
        self.on_models()

    def _took_settings(self, header: Mapping[str, Any], _pictures: object) -> None:
        self.default = models.default_model(header["settings"], self._program)
        self.on_default()

    def _state(self, state: str, message: str) -> None:
        self.link = state
        self.on_link(state, message)
        if state == "ready":
            self.request("settings", {}, self._took_settings)
            self.request("models", {}, self._took_models)

    def _event(self, incoming: Incoming) -> None:
        if incoming.header["kind"] == "model":
            self._took_model(incoming.header["model"])


def nothing(*_what: object) -> None:
    """Nobody has to be told."""
