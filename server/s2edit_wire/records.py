"""The records that messages are made of: a job as clients see it, an object of an edit, a model, the daemon's state.

Each is declared once: a TypedDict whose annotations also hold the runtime check and PROTOCOL.md's words. Type checkers
see a misspelt key, `Record.of` makes the check. Optional fields stand in the class with `total=False`, since editors'
Pythons begin at 3.10, before `NotRequired`.
"""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from .errors import CODES
from .kinds import Anything, Choice, Flag, Hex, Integer, ListOf, MapOf, Real, Record, Scalar, Text
from .knobs import GUIDANCE, Value, knobs
from .limits import MAX_OBJECTS, MAX_PROMPT, MAX_SIDE

JOB_KINDS = ("edit", "compose", "mask", "caption")
STATES = ("queued", "paused", "running", "done", "failed", "cancelled")
ENDED = frozenset({"done", "failed", "cancelled"})
PHASES = ("waiting", "loading", "identity", "inversion", "editing", "compositing")
PROFILES = ("faithful", "balanced", "fast", "instant")
HOSTS = ("gimp", "krita", "cli", "tray", "other")
WORKER_STATES = ("stopped", "starting", "idle", "busy")
MODEL_STATES = ("ready", "absent", "partial", "downloading", "paused", "broken")

JOB_ID = Hex(32)
MODEL_ID = Text(100, 1)
TIME = Real(0, 1e11)
BOX = ListOf(Integer(0, MAX_SIDE), 4, 4)
_GUIDANCE = knobs()[GUIDANCE]


class ObjectRecord(TypedDict):
    """One object of an edit."""

    word: Annotated[str, Text(100, 1), "The word in the source prompt that names the object."]
    masked: Annotated[bool, Flag(), "Whether an `object_mask` frame with this object's index follows."]


OBJECT = Record.of("object", ObjectRecord)


class _Document(TypedDict):
    host: Annotated[str, Choice(HOSTS), "Which program the job comes from."]


class DocumentRecord(_Document, total=False):
    """Where a picture comes from."""

    title: Annotated[str, Text(300), "The document's name as its title bar shows it; never a path."]
    layer: Annotated[str, Text(300), "The layer's name."]
    ref: Annotated[str, Text(200), "The client's own mark to find document and layer again."]
    canvas: Annotated[list[int], ListOf(Integer(1, MAX_SIDE), 2, 2), "Width and height of the whole picture."]
    crop: Annotated[list[int], BOX, "x, y, width, height of `image` in the picture."]


DOCUMENT = Record.of("document", DocumentRecord)


class _Edit(TypedDict):
    kind: Annotated[str, Choice(JOB_KINDS), "`edit`, `compose` from a reference, or only the `mask` or a `caption`."]
    model: Annotated[str, MODEL_ID, "A model's id, from `models`."]
    profile: Annotated[str, Choice(PROFILES), "How much work the method does."]
    source: Annotated[
        str, Text(MAX_PROMPT), "What the picture shows; may be empty for `caption`; empty for a model that `instructs`."
    ]
    objects: Annotated[
        list[ObjectRecord],
        ListOf(OBJECT, MAX_OBJECTS),
        "What is edited; the first is the main object. None for a model that `instructs`.",
    ]
    seed: Annotated[int, Integer(0, 2**32 - 1), "Seed of everything random."]


class EditRecord(_Edit, total=False):
    """What is asked for."""

    target: Annotated[
        str,
        Text(MAX_PROMPT),
        "What it should show; for `compose`, the mixed prompt; for a model that `instructs`, the instruction.",
    ]
    reference_prompt: Annotated[str, Text(MAX_PROMPT), "`compose`: what the reference shows."]
    guidance: Annotated[float, Real(_GUIDANCE.low, _GUIDANCE.high), "Guidance scale w; the model's own when absent."]
    settings: Annotated[
        dict[str, Value], MapOf(Scalar()), "Method settings by dotted name (`blend.feather`); absent: the model's own."
    ]
    document: Annotated[DocumentRecord, DOCUMENT, "Where the picture comes from."]
    watermark: Annotated[bool, Flag(), "False: the pixels get no watermark that says “made with AI”; else they do."]


EDIT = Record.of("edit", EditRecord)


class _Job(TypedDict):
    job: Annotated[str, JOB_ID, "The id that the client made."]
    seq: Annotated[int, Integer(), "Sequence number of the job's last change."]
    state: Annotated[str, Choice(STATES), "Where it is."]
    phase: Annotated[str, Choice(PHASES), "What the worker is doing."]
    step: Annotated[int, Integer(), "Steps done in this phase."]
    total: Annotated[int, Integer(), "Steps in this phase, 0 when not known yet."]
    position: Annotated[int, Integer(), "Place in the queue, 0 when running or ended."]
    attempt: Annotated[int, Integer(), "How often a worker has started on it."]
    created: Annotated[float, TIME, "When it was accepted, seconds since 1970."]
    edit: Annotated[EditRecord, EDIT, "What was asked for."]
    acknowledged: Annotated[bool, Flag(), "Whether a client has said that it has the result."]


class JobRecord(_Job, total=False):
    """A job as clients see it."""

    owner: Annotated[str, Text(32), "The painter whose job it is; absent for the daemon's own user's."]
    place: Annotated[str, Text(64), "Where it runs, of `status.places`; absent where there is one place only."]
    eta: Annotated[float, Real(0, 1000000000.0), "Seconds until the whole job ends, once known."]
    started: Annotated[float, TIME, "When its last attempt started."]
    finished: Annotated[float, TIME, "When it ended."]
    error: Annotated[str, Choice(tuple(CODES)), "Why it failed."]
    message: Annotated[str, Text(2000), "The same as a sentence; of a finished job, what is odd about its result."]
    hint: Annotated[str, Text(2000), "What to do next."]
    result_sha256: Annotated[str, Hex(64), "Digest of the result's frames."]


JOB = Record.of("job", JobRecord)


class _Problem(TypedDict):
    field: Annotated[str, Text(64), "Which input: `source`, `target`, `object`, `mask`, `model`, `image`."]
    code: Annotated[str, Choice(tuple(CODES)), "The error that submitting would give."]
    message: Annotated[str, Text(2000), "A plain sentence."]
    blocking: Annotated[bool, Flag(), "False for a warning: the job can be submitted all the same."]


class ProblemRecord(_Problem, total=False):
    """What is wrong or doubtful with a plan."""

    word: Annotated[str, Text(200), "The word it is about."]


PROBLEM = Record.of("problem", ProblemRecord)


class ForecastRecord(TypedDict):
    """Time and memory of a planned job."""

    first_s: Annotated[float, Real(0, 1000000000.0), "Seconds for a first edit, loading included."]
    next_s: Annotated[float, Real(0, 1000000000.0), "Seconds when the identity is cached."]
    memory: Annotated[
        int, Integer(), "Bytes that the job needs on the device at its peak; counted or estimated, not measured."
    ]
    memory_free: Annotated[int, Integer(), "Bytes free on the device."]
    cached: Annotated[bool, Flag(), "Whether the identity of this very request is cached."]
    measured: Annotated[bool, Flag(), "Whether the times come from jobs on this machine, or are an estimate."]


FORECAST = Record.of("forecast", ForecastRecord)


class ResolutionRecord(TypedDict):
    """How finely a planned edit can be drawn."""

    size: Annotated[
        list[int],
        ListOf(Integer(1, MAX_SIDE), 2, 2),
        "Width and height of what was painted, in the model's pixels; `model_size` when nothing was.",
    ]
    finest: Annotated[float, Real(1, MAX_SIDE), "Width of the finest thing it draws, in the picture's pixels."]
    framed: Annotated[
        bool, Flag(), "Whether the model looks for its figure by itself: `size` is then the least, `finest` the most."
    ]


RESOLUTION = Record.of("resolution", ResolutionRecord)


class _Model(TypedDict):
    id: Annotated[str, MODEL_ID, "What requests call it."]
    title: Annotated[str, Text(200), "What people call it."]
    purpose: Annotated[str, Text(1000), "What it is for, and what it is not for."]
    role: Annotated[str, Choice(("editor", "captioner", "decoder", "upscaler", "metric")), "What kind of weights."]
    domain: Annotated[str, Choice(("cartoon", "photo", "any")), "Which pictures it knows."]
    state: Annotated[str, Choice(MODEL_STATES), "Whether it can be used."]
    size: Annotated[int, Integer(), "Bytes on disk when whole."]
    present: Annotated[int, Integer(), "Bytes that are here."]
    native: Annotated[int, Integer(1, 4096), "Pixels along the side it was trained at."]
    memory: Annotated[
        int, Integer(), "Bytes it needs on the device for a full edit; counted or estimated, not measured."
    ]
    licence: Annotated[str, Text(200), "Name of the licence."]
    licence_accepted: Annotated[bool, Flag(), "Whether it was accepted (or asks for nothing)."]
    gated: Annotated[bool, Flag(), "Whether the source wants a token."]
    embedded: Annotated[bool, Flag(), "Whether it came with S²Edit."]
    examples: Annotated[list[str], ListOf(Text(MAX_PROMPT), 32), "Source prompts that it understands."]


class ModelRecord(_Model, total=False):
    """A model of the catalogue."""

    engine: Annotated[str, Text(100), "Of an editor: the kind of model that computes its edits, for people."]
    instructs: Annotated[
        bool, Flag(), "True: it takes one instruction as `target`, an `edit_mask`, and up to three `reference` frames."
    ]
    message: Annotated[str, Text(2000), "What is wrong, for `broken` and stopped downloads."]
    rate: Annotated[float, Real(0, 1000000000000.0), "Bytes a second while downloading."]


MODEL = Record.of("model", ModelRecord)


class _Place(TypedDict):
    name: Annotated[str, Text(64, 1), "What it is called: `card 0`, `worker 1`."]
    device: Annotated[str, Text(200), "What it computes on; empty until its worker has told."]
    worker: Annotated[str, Choice(WORKER_STATES), "Its worker's state."]
    worker_pid: Annotated[int, Integer(), "Its worker's process, 0 when stopped."]
    model: Annotated[str, Text(100), "The model in memory there, empty when none."]
    memory_used: Annotated[int, Integer(), "Bytes that its worker holds on the device."]
    memory_free: Annotated[int, Integer(), "Bytes free there."]


class PlaceRecord(_Place, total=False):
    """Where one job at a time can run."""

    job: Annotated[str, JOB_ID, "What runs there."]


PLACE = Record.of("place", PlaceRecord)


class _Status(TypedDict):
    version: Annotated[str, Text(64), "The daemon's version."]
    pid: Annotated[int, Integer(), "Its process."]
    uptime: Annotated[float, TIME, "Seconds since it started."]
    device: Annotated[str, Text(200), "`cpu`, `cuda:0 (name)`, `mps`; empty until the worker has told."]
    worker: Annotated[str, Choice(WORKER_STATES), "The worker's state."]
    worker_pid: Annotated[int, Integer(), "Its process, 0 when stopped."]
    model: Annotated[str, Text(100), "The model in memory, empty when none."]
    memory_used: Annotated[int, Integer(), "Bytes that the worker holds on the device."]
    memory_free: Annotated[int, Integer(), "Bytes free there."]
    queue_paused: Annotated[bool, Flag(), "Whether the queue is stopped."]
    jobs: Annotated[dict[str, int], MapOf(Integer()), "How many jobs are in each state."]
    cache_bytes: Annotated[int, Integer(), "Size of the identity cache."]
    result_bytes: Annotated[int, Integer(), "Size of stored inputs and results."]
    offline: Annotated[bool, Flag(), "Whether connections off this machine are forbidden."]
    weights_bytes: Annotated[int, Integer(), "Size of downloaded weights."]


class StatusRecord(_Status, total=False):
    """The daemon, its worker and its stores."""

    places: Annotated[list[PlaceRecord], ListOf(PLACE, 64), "Where jobs run, if that is more than one place."]
    notices: Annotated[list[str], ListOf(Text(500), 8), "What people have to know: a damaged file was put aside."]


STATUS = Record.of("status", StatusRecord)


class _PlanRequest(TypedDict):
    kind: Annotated[str, Choice(JOB_KINDS), "Which kind of job."]
    model: Annotated[str, MODEL_ID, "Which model."]
    profile: Annotated[str, Choice(PROFILES), "Which profile."]
    canvas: Annotated[list[int], ListOf(Integer(1, MAX_SIDE), 2, 2), "Width and height of the picture."]


class PlanRequest(_PlanRequest, total=False):
    """What `plan` asks about."""

    mask_box: Annotated[list[int], BOX, "Bounding box of all painted masks; whole picture when absent."]
    source: Annotated[str, Text(MAX_PROMPT), "Source prompt, to be checked."]
    target: Annotated[str, Text(MAX_PROMPT), "Target prompt, to be checked."]
    reference_prompt: Annotated[str, Text(MAX_PROMPT), "`compose`: what the reference shows, to be checked."]
    objects: Annotated[list[ObjectRecord], ListOf(OBJECT, MAX_OBJECTS), "The objects, to be checked."]
    settings: Annotated[dict[str, Value], MapOf(Scalar()), "As in `submit`: only those changed by hand."]
    image_sha256: Annotated[str, Hex(64), "Digest of the crop, to learn whether it is cached."]
    photo: Annotated[float, Real(0, 1), "How photo-like the client finds the picture, 0 to 1."]


class _PlanReply(TypedDict):
    crop: Annotated[list[int], BOX, "x, y, width, height that the client should send."]
    model_size: Annotated[list[int], ListOf(Integer(1, MAX_SIDE), 2, 2), "Height and width the model works at."]
    problems: Annotated[list[ProblemRecord], ListOf(PROBLEM, 32), "What is wrong or doubtful."]
    words: Annotated[list[str], ListOf(Text(100), 64), "Words of the source prompt that can name the object."]
    settings: Annotated[
        dict[str, Value], MapOf(Scalar()), "Every setting in force: sent, else the model's and profile's own."
    ]
    forecast: Annotated[ForecastRecord, FORECAST, "Time and memory."]


class PlanReply(_PlanReply, total=False):
    """What `plan` answers. A daemon of an earlier day leaves the last out."""

    resolution: Annotated[ResolutionRecord, RESOLUTION, "How finely it can be drawn."]


class ResultRecord(TypedDict, total=False):
    """What the worker wrote about a result, as far as clients read it; a newer worker may write more."""

    caption: str  # of a caption, what the picture shows
    settings: dict[str, Value]
    seed: int
    model_hash: str
    model_size: list[int]
    inputs: dict[str, str]  # SHA-256 of what was sent: `image`, `object_mask.0`, …
    masks: dict[str, Any]
    phases: dict[str, float]
    box: list[int]  # x, y, w, h of what shows; zeros where nothing does
    fades: bool  # whether the change goes on beyond what the model was shown
    guidance: float  # w of the attempt that was taken
    registration: dict[str, Any]  # of an instruction: `matched`; how far the answer lay off, `moved` px; or `why`
    unet_forwards: dict[str, int]
    cached: dict[str, bool]
    watermark: dict[str, Any]  # `carried`; the detector's `score` on the fresh mark, the edit's `pixels`, `why` not


RESULT_RECORD = Anything()
"""The runtime check of `ResultRecord`: only the worker writes it."""
