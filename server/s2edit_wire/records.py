"""The records that messages are made of: a job as clients see it, an object of an edit, a model, the daemon's state."""

from __future__ import annotations

from .errors import CODES
from .kinds import Anything, Choice, Field, Flag, Hex, Integer, ListOf, MapOf, Real, Record, Scalar, Text
from .knobs import GUIDANCE, knobs
from .limits import MAX_OBJECTS, MAX_PROMPT, MAX_SIDE

JOB_KINDS = ("edit", "compose", "mask", "caption")
STATES = ("queued", "paused", "running", "done", "failed", "cancelled")
ENDED = frozenset({"done", "failed", "cancelled"})
PHASES = ("waiting", "loading", "identity", "inversion", "editing", "compositing")
PROFILES = ("faithful", "balanced", "fast")
HOSTS = ("gimp", "krita", "cli", "tray", "other")
MODEL_STATES = ("ready", "absent", "partial", "downloading", "paused", "broken")

JOB_ID = Hex(32)
MODEL_ID = Text(100, 1)
TIME = Real(0, 1e11)
BOX = ListOf(Integer(0, MAX_SIDE), 4, 4)
_GUIDANCE = knobs()[GUIDANCE]

OBJECT = Record(
    "object",
    (
        Field("word", Text(100, 1), "The word in the source prompt that names the object."),
        Field("masked", Flag(), "Whether an `object_mask` frame with this object's index follows."),
    ),
)

DOCUMENT = Record(
    "document",
    (
        Field("host", Choice(HOSTS), "Which program the job comes from."),
        Field("title", Text(300), "The document's name as its title bar shows it; never a path.", required=False),
        Field("layer", Text(300), "The layer's name.", required=False),
        Field("ref", Text(200), "The client's own mark to find document and layer again.", required=False),
        Field("canvas", ListOf(Integer(1, MAX_SIDE), 2, 2), "Width and height of the whole picture.", required=False),
        Field("crop", BOX, "x, y, width, height of `image` in the picture.", required=False),
    ),
)

EDIT = Record(
    "edit",
    (
        Field("kind", Choice(JOB_KINDS), "`edit`, `compose` from a reference, or only the `mask` or a `caption`."),
        Field("model", MODEL_ID, "A model's id, from `models`."),
        Field("profile", Choice(PROFILES), "How much work the method does."),
        Field("source", Text(MAX_PROMPT), "What the picture shows; may be empty for `caption`."),
        Field("target", Text(MAX_PROMPT), "What it should show; for `compose`, the mixed prompt.", required=False),
        Field("reference_prompt", Text(MAX_PROMPT), "`compose`: what the reference shows.", required=False),
        Field("objects", ListOf(OBJECT, MAX_OBJECTS), "What is edited; the first is the main object."),
        Field(
            "guidance",
            Real(_GUIDANCE.low, _GUIDANCE.high),
            "Guidance scale w; the model's own when absent.",
            required=False,
        ),
        Field("seed", Integer(0, 2**32 - 1), "Seed of everything random."),
        Field(
            "settings",
            MapOf(Scalar()),
            "Method settings by dotted name (`blend.feather`); absent: the model's own.",
            required=False,
        ),
        Field("document", DOCUMENT, "Where the picture comes from.", required=False),
    ),
)

JOB = Record(
    "job",
    (
        Field("job", JOB_ID, "The id that the client made."),
        Field("seq", Integer(), "Sequence number of the job's last change."),
        Field("state", Choice(STATES), "Where it is."),
        Field("phase", Choice(PHASES), "What the worker is doing."),
        Field("step", Integer(), "Steps done in this phase."),
        Field("total", Integer(), "Steps in this phase, 0 when not known yet."),
        Field("eta", Real(0, 1e9), "Seconds until the whole job ends, once known.", required=False),
        Field("position", Integer(), "Place in the queue, 0 when running or ended."),
        Field("attempt", Integer(), "How often a worker has started on it."),
        Field("created", TIME, "When it was accepted, seconds since 1970."),
        Field("started", TIME, "When its last attempt started.", required=False),
        Field("finished", TIME, "When it ended.", required=False),
        Field("edit", EDIT, "What was asked for."),
        Field("error", Choice(tuple(CODES)), "Why it failed.", required=False),
        Field("message", Text(2_000), "The same as a sentence.", required=False),
        Field("hint", Text(2_000), "What to do next.", required=False),
        Field("result_sha256", Hex(64), "Digest of the result's frames.", required=False),
        Field("acknowledged", Flag(), "Whether a client has said that it has the result."),
    ),
)

PROBLEM = Record(
    "problem",
    (
        Field("field", Text(64), "Which input: `source`, `target`, `object`, `mask`, `model`, `image`."),
        Field("code", Choice(tuple(CODES)), "The error that submitting would give."),
        Field("message", Text(2_000), "A plain sentence."),
        Field("word", Text(200), "The word it is about.", required=False),
        Field("blocking", Flag(), "False for a warning: the job can be submitted all the same."),
    ),
)

FORECAST = Record(
    "forecast",
    (
        Field("first_s", Real(0, 1e9), "Seconds for a first edit, loading included."),
        Field("next_s", Real(0, 1e9), "Seconds when the identity is cached."),
        Field("memory", Integer(), "Bytes that the job needs on the device at its peak."),
        Field("memory_free", Integer(), "Bytes free on the device."),
        Field("cached", Flag(), "Whether the identity of this very request is cached."),
        Field("measured", Flag(), "Whether the times come from jobs on this machine, or are an estimate."),
    ),
)

MODEL = Record(
    "model",
    (
        Field("id", MODEL_ID, "What requests call it."),
        Field("title", Text(200), "What people call it."),
        Field("purpose", Text(1_000), "What it is for, and what it is not for."),
        Field("role", Choice(("editor", "captioner", "decoder", "metric")), "What kind of weights."),
        Field("domain", Choice(("cartoon", "photo", "any")), "Which pictures it knows."),
        Field("state", Choice(MODEL_STATES), "Whether it can be used."),
        Field("size", Integer(), "Bytes on disk when whole."),
        Field("present", Integer(), "Bytes that are here."),
        Field("native", Integer(1, 4_096), "Pixels along the side it was trained at."),
        Field("memory", Integer(), "Bytes it needs on the device for a full edit."),
        Field("licence", Text(200), "Name of the licence."),
        Field("licence_accepted", Flag(), "Whether it was accepted (or asks for nothing)."),
        Field("gated", Flag(), "Whether the source wants a token."),
        Field("embedded", Flag(), "Whether it came with S²Edit."),
        Field("examples", ListOf(Text(MAX_PROMPT), 32), "Source prompts that it understands."),
        Field("message", Text(2_000), "What is wrong, for `broken` and stopped downloads.", required=False),
        Field("rate", Real(0, 1e12), "Bytes a second while downloading.", required=False),
    ),
)

STATUS = Record(
    "status",
    (
        Field("version", Text(64), "The daemon's version."),
        Field("pid", Integer(), "Its process."),
        Field("uptime", TIME, "Seconds since it started."),
        Field("device", Text(200), "`cpu`, `cuda:0 (name)`, `mps`; empty until the worker has told."),
        Field("worker", Choice(("stopped", "starting", "idle", "busy")), "The worker's state."),
        Field("worker_pid", Integer(), "Its process, 0 when stopped."),
        Field("model", Text(100), "The model in memory, empty when none."),
        Field("memory_used", Integer(), "Bytes that the worker holds on the device."),
        Field("memory_free", Integer(), "Bytes free there."),
        Field("queue_paused", Flag(), "Whether the queue is stopped."),
        Field("jobs", MapOf(Integer()), "How many jobs are in each state."),
        Field("cache_bytes", Integer(), "Size of the identity cache."),
        Field("result_bytes", Integer(), "Size of stored inputs and results."),
        Field("offline", Flag(), "Whether connections off this machine are forbidden."),
        Field("weights_bytes", Integer(), "Size of downloaded weights."),
    ),
)

RESULT_RECORD = Anything()
"""What the worker wrote about an edit: settings, seed, hashes, phases with seconds, U-Net forwards, changed box."""
