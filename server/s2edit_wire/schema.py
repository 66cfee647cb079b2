"""Every message: one table, from which requests are checked and PROTOCOL.md is printed.

A request is `{op, id, …}`; its answer is `{op: "reply", id, …}` or `{op: "error", id, code, message, hint}`.
After `subscribe`, the daemon also sends `{op: "event", …}`, which answer nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypedDict

from .errors import CODES, WireError
from .frames import FRAME, FrameRecord
from .kinds import Choice, Field, Flag, Hex, Integer, ListOf, MapOf, Real, Record, Scalar, Text, fields_of
from .limits import MAX_FRAMES, MAX_PAINTERS
from .records import (
    EDIT,
    HOSTS,
    JOB,
    JOB_ID,
    MODEL,
    MODEL_ID,
    RESULT_RECORD,
    STATES,
    STATUS,
    JobRecord,
    ModelRecord,
    PlanReply,
    PlanRequest,
    StatusRecord,
)


@dataclass(frozen=True)
class Message:
    """One request with its answer.

    Args:
        op: the request's name.
        doc: what it does.
        request: its fields besides `op` and `id`.
        reply: the answer's fields besides `op` and `id`.
        request_frames, reply_frames: roles of the pixel frames that may follow; empty for none.
        admin: whether it is for the daemon's own user only, and `not_allowed` for painters.
    """

    op: str
    doc: str
    request: tuple[Field, ...] = ()
    reply: tuple[Field, ...] = ()
    request_frames: tuple[str, ...] = ()
    reply_frames: tuple[str, ...] = ()
    admin: bool = False

    @property
    def job_fields(self) -> tuple[str, ...]:
        """Names of the request's fields that name jobs: none of them may be another painter's."""
        return tuple(field.name for field in self.request if field.kind is JOB_ID)


_FRAMES = Field("frames", ListOf(FRAME, MAX_FRAMES), "What each pixel frame is, in order.", required=False)
_JOB_FIELD = Field("job", JOB_ID, "Which job.")
_JOB_REPLY = Field("job", JOB, "The job as it is now.")
_MODEL_FIELD = Field("model", MODEL_ID, "Which model.")
_SETTINGS = Field("settings", MapOf(Scalar(1_000)), "Settings by name.")

PAINTER = Text(32, 1)
PAINTER_ACTIONS = ("add", "key", "remove")
MODEL_ACTIONS = ("download", "pause", "verify", "repair", "remove", "accept_licence")

MESSAGES: dict[str, Message] = {
    message.op: message
    for message in (
        Message(
            "hello",
            "First message of a connection: settles the version, and proves that the daemon knows the key.",
            (
                Field("client", Choice(HOSTS), "What kind of program."),
                Field("version", Text(64), "Its version."),
                Field("protocol", ListOf(Integer(1, 1_000), 2, 2), "Lowest and highest protocol version it speaks."),
                Field("nonce", Hex(64), "Random; the proof is made from it."),
                Field("client_id", Hex(32), "Same over reconnects; quotas are counted by it."),
            ),
            (
                Field("version", Text(64), "The daemon's version."),
                Field("protocol", Integer(1, 1_000), "The version that both will speak."),
                Field("proof", Hex(64), "HMAC-SHA256(key, 's2edit daemon' + nonce)."),
                Field("boot", Hex(32), "Random per start of the daemon; when it changes, subscribe again from 0."),
                Field("capabilities", ListOf(Text(64), 64), "Names of optional features."),
            ),
        ),
        Message("ping", "Answers at once."),
        Message(
            "plan",
            "What a job would do, before anything is sent: where to crop, what is wrong, how long it would take.",
            fields_of(PlanRequest),
            fields_of(PlanReply),
        ),
        Message(
            "submit",
            "Hands over a job. Sending the same id with the same content again is answered with the job as it is.",
            (_JOB_FIELD, Field("edit", EDIT, "What is asked for."), _FRAMES),
            (_JOB_REPLY,),
            ("image", "object_mask", "edit_mask", "reference", "reference_mask"),
        ),
        Message("cancel", "Stops a job within one step; harmless on an ended one.", (_JOB_FIELD,), (_JOB_REPLY,)),
        Message("retry", "Queues a failed or cancelled job again, inputs and all.", (_JOB_FIELD,), (_JOB_REPLY,)),
        Message("acknowledge", "Says that the result has arrived and may be dropped.", (_JOB_FIELD,), (_JOB_REPLY,)),
        Message(
            "remove",
            "Deletes an ended job with its inputs, its result, and what was learned for it alone.",
            (_JOB_FIELD,),
        ),
        Message(
            "move",
            "Reorders the queue.",
            (_JOB_FIELD, Field("before", JOB_ID, "Put it before this job; at the end when absent.", required=False)),
            (_JOB_REPLY,),
        ),
        Message("hold", "Takes a queued job out of turn (state `paused`).", (_JOB_FIELD,), (_JOB_REPLY,)),
        Message("release", "Puts a held job back into the queue.", (_JOB_FIELD,), (_JOB_REPLY,)),
        Message("show", "One job.", (_JOB_FIELD,), (_JOB_REPLY,)),
        Message(
            "list",
            "Jobs, newest first.",
            (
                Field("states", ListOf(Choice(STATES), 6), "Only these states.", required=False),
                Field("host", Choice(HOSTS), "Only this program's.", required=False),
                Field("ref", Text(200), "Only this document's.", required=False),
                Field("limit", Integer(1, 100), "At most so many.", required=False),
                Field("before", Integer(), "Only those older: the `cursor` of the page before.", required=False),
            ),
            (
                Field("jobs", ListOf(JOB, 100), "The jobs."),
                Field("cursor", Integer(), "For the next page; absent on the last.", required=False),
            ),
        ),
        Message(
            "result",
            "The result of a job that is done.",
            (_JOB_FIELD,),
            (_JOB_REPLY, Field("record", RESULT_RECORD, "How it came about."), _FRAMES),
            reply_frames=("patch", "alpha", "mask"),
        ),
        Message(
            "thumbnail",
            "Small pictures of a job: what came in and, when done, what came out.",
            (_JOB_FIELD,),
            (_FRAMES,),
            reply_frames=("image", "preview"),
        ),
        Message(
            "log",
            "What happened to a job, line by line.",
            (_JOB_FIELD,),
            (Field("lines", ListOf(Text(1_000), 200), "The newest lines, oldest first."),),
        ),
        Message(
            "subscribe",
            "From now on, an `event` for every change of a job; first, all that changed since `after`.",
            (
                Field("after", Integer(), "Sequence number up to which the client knows everything; 0 for nothing."),
                Field("previews", Flag(), "Whether to send small previews along.", required=False),
            ),
            (
                Field("seq", Integer(), "Sequence number up to which the client knows everything then."),
                Field("jobs", ListOf(JOB, 100), "Jobs that changed since. After 0 the newest; `list` has all."),
                Field("more", Flag(), "True when there are more: subscribe again after `seq`.", required=False),
            ),
        ),
        Message("status", "The daemon, its worker and its stores.", (), (Field("status", STATUS, "The state."),)),
        Message("models", "All models of the catalogue.", (), (Field("models", ListOf(MODEL, 64), "The models."),)),
        Message(
            "model",
            "Does something with a model's weights; progress comes as `event`.",
            (_MODEL_FIELD, Field("action", Choice(MODEL_ACTIONS), "What to do.")),
            (Field("model", MODEL, "The model as it is now."),),
            admin=True,
        ),
        Message("rescan", "Looks again for weights that were added to the settings or found in caches.", admin=True),
        Message("pause_queue", "No further job is started.", admin=True),
        Message("resume_queue", "Jobs are started again.", admin=True),
        Message(
            "free_memory",
            "Unloads the model when no job is running, else right after it.",
            (Field("place", Text(64, 1), "One of `status.places`; all when absent.", required=False),),
            admin=True,
        ),
        Message("clear_cache", "Forgets all identities, on every computer that works for the daemon.", admin=True),
        Message("settings", "The daemon's settings.", (), (_SETTINGS,)),
        Message("configure", "Changes settings; all or none.", (_SETTINGS,), (_SETTINGS,), admin=True),
        Message(
            "painters",
            "Who may use this daemon beside its own user.",
            (),
            (Field("painters", ListOf(PAINTER, MAX_PAINTERS), "Their names."),),
            admin=True,
        ),
        Message(
            "painter",
            "Lets a painter in, with a lasting key of their own; tells that key; or shuts them out at once.",
            (Field("name", PAINTER, "Who."), Field("action", Choice(PAINTER_ACTIONS), "What to do.")),
            (Field("key", Hex(64), "Their key; absent for `remove`.", required=False),),
            admin=True,
        ),
        Message(
            "shutdown",
            "Stops the daemon; unfinished jobs go on at the next start.",
            (Field("when", Choice(("now", "idle")), "At once, or when the queue is empty."),),
            admin=True,
        ),
    )
}


class _Event(TypedDict):
    op: Annotated[str, Choice(("event",)), "Always `event`."]
    kind: Annotated[str, Choice(("job", "removed", "queue", "model", "status")), "What changed."]
    seq: Annotated[int, Integer(), "Sequence number; gaps mean that something was missed."]


class EventRecord(_Event, total=False):
    """What the daemon tells without being asked, once somebody has subscribed."""

    job: Annotated[JobRecord, JOB, "The job, for `job`."]
    removed: Annotated[str, JOB_ID, "The job that is gone, for `removed`."]
    model: Annotated[ModelRecord, MODEL, "The model, for `model`."]
    status: Annotated[StatusRecord, STATUS, "The state, for `status` and `queue`."]
    frames: Annotated[list[FrameRecord], ListOf(FRAME, 1), "A `preview` frame."]


EVENT = Record.of("event", EventRecord)

_ENVELOPE = (
    Field("op", Text(32, 1), "Which message."),
    Field("id", Integer(1), "The client's number for this request; its answer carries it."),
)
_REQUESTS = {op: Record(op, _ENVELOPE + message.request) for op, message in MESSAGES.items()}
_REPLIES = {op: Record(f"{op} reply", _ENVELOPE + message.reply) for op, message in MESSAGES.items()}
ERROR = Record(
    "error",
    (
        *_ENVELOPE,
        Field("code", Choice(tuple(CODES)), "For programs."),
        Field("message", Text(2_000), "One plain sentence."),
        Field("hint", Text(2_000), "What to do next."),
        Field("retry_after", Real(0, 1e6), "Seconds, for `busy`.", required=False),
    ),
)


def check_request(header: object) -> Message:
    """The message that a decoded header is a valid request for; raises WireError("bad_request") otherwise."""
    if not isinstance(header, dict):
        raise WireError("bad_request", "The header is not a map.")
    op = header.get("op")
    if not isinstance(op, str) or op not in MESSAGES:
        raise WireError(
            "bad_request", f"There is no message “{str(op)[:32]}”.", "Is the plug-in newer than the daemon?"
        )
    _REQUESTS[op].check(header, "")
    message = MESSAGES[op]
    frames = header.get("frames", [])
    assert isinstance(frames, list)
    for entry in frames:
        if entry["role"] not in message.request_frames:
            raise WireError("bad_request", f"“{op}” takes no frame “{entry['role']}”.")
    return message


def check_reply(op: str, header: dict[str, object]) -> None:
    """Raise WireError unless the header is a valid answer to `op` (tests and the daemon's debug mode use it)."""
    _REPLIES[op].check(header, "")
