"""The errors that travel: a code for programs, a sentence for the painter, a hint on what to do next.

The codes are data, so that PROTOCOL.md, the clients and the tests read the same list.
"""

from __future__ import annotations

CODES: dict[str, str] = {
    "bad_request": "The message is malformed: an unknown or missing field, a value out of range.",
    "too_large": "A header, frame, picture or message is over its limit.",
    "unsupported_version": "The two sides have no protocol version in common.",
    "not_greeted": "Anything but `hello` came before `hello`.",
    "busy": "The client is at its quota; `retry_after` says when to try again.",
    "unknown_job": "No job has this id.",
    "job_conflict": "The job id is taken by a different request.",
    "wrong_state": "The job is in a state in which this cannot be done.",
    "unknown_model": "No model has this id, or it is not installed.",
    "bad_prompt": "A prompt is empty or too long, or a word is not in it.",
    "bad_mask": "A mask has the wrong size or marks nothing.",
    "bad_image": "The picture cannot be used.",
    "bad_setting": "A setting is unknown or out of range.",
    "model_failed": "The model could not be loaded or does not fit the picture.",
    "out_of_memory": "The device has too little memory, even after one retry at a lower level.",
    "worker_crashed": "The worker died twice on this job.",
    "disk_full": "There is no room to keep the job or its result.",
    "licence_required": "The weights' licence has to be accepted first.",
    "offline": "The daemon is set to offline and makes no connection.",
    "download_failed": "Weights could not be downloaded; what arrived is kept.",
    "not_allowed": "Only the daemon's own user may do this.",
    "cancelled": "The job was cancelled.",
    "unreachable": "Made by the client itself: there is no daemon, or the connection broke before the answer came.",
    "internal": "A fault in S²Edit itself; the log has the details.",
}


class WireError(Exception):
    """An error as it travels in an `error` reply.

    Args:
        code: one of `CODES`.
        message: one plain English sentence for the painter, who reads it in their own language (`told`).
        hint: what to do next, or "".
        retry_after: seconds after which trying again makes sense, for `busy`.
    """

    def __init__(self, code: str, message: str, hint: str = "", retry_after: float | None = None) -> None:
        super().__init__(message)
        if code not in CODES:
            raise ValueError(f"unknown error code {code!r}")
        self.code = code
        self.message = message
        self.hint = hint
        self.retry_after = retry_after

    @property
    def sentence(self) -> str:
        """What went wrong and what to do next, as one text."""
        return f"{self.message} {self.hint}".strip()

    def to_header(self) -> dict[str, object]:
        """The `error` reply's fields, without `op` and `id`."""
        fields: dict[str, object] = {"code": self.code, "message": self.message, "hint": self.hint}
        if self.retry_after is not None:
            fields["retry_after"] = self.retry_after
        return fields

    @classmethod
    def from_header(cls, header: dict[str, object]) -> WireError:
        """The error that an `error` reply carries; an unknown code (a newer daemon's) becomes `internal`."""
        code = str(header.get("code", "internal"))
        retry = header.get("retry_after")
        return cls(
            code if code in CODES else "internal",
            str(header.get("message", "The daemon reported an error without a text.")),
            str(header.get("hint", "")),
            float(retry) if isinstance(retry, (int, float)) else None,
        )


class ProtocolError(WireError):
    """The peer broke the protocol; the connection cannot go on."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__("bad_request", message, hint)


class Unreachable(Exception):
    """There is no daemon to talk to: not running, a stale connection file, or one that is not ours.

    Args:
        message: one plain sentence.
        hint: what to do next.
        reason: for programs. `not_running`: none was started, or it ended in order. `stale`: one died and left its
            file. `not_ours`: the file or whoever answers can't be trusted. `not_installed`: there is nothing to
            start. `not_usable`: the state folder can't be read or written. `lost`: the connection broke or nobody
            answers.
    """

    def __init__(self, message: str, hint: str = "", reason: str = "lost") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.reason = reason

    def as_wire_error(self) -> WireError:
        """The same as an error reply, for callers that know only those."""
        return WireError("unreachable", self.message, self.hint)
