"""What painters get, for agents: MCP tools that do what the commands do and answer with what `--json` prints.

An edit is exact and marked, and the daemon keeps its job whatever becomes of this server. The Model Context Protocol's
own SDK speaks the protocol (modelcontextprotocol.io, specification 2025-06-18, "Tools").
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, ParamSpec

from anyio import from_thread
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import Field
from s2edit_editor.wish import MOST_VARIATIONS
from s2edit_wire.errors import WireError
from s2edit_wire.records import PROFILES

from . import detect_commands, job_commands, last_resort, marking, options, targets
from .connecting import connect
from .editing import Task, open_inputs, plan_of
from .report import error_object
from .several import run_one

P = ParamSpec("P")
Told = dict[str, Any]

Image = Annotated[Path, Field(description="The picture: an absolute path. It is never overwritten.")]
Output = Annotated[Path, Field(description="The picture to write: .png, .tif, .webp or .jpg; an absolute path.")]
Source = Annotated[str, Field(description="What the picture shows, such as: a portrait of a woman with a hat")]
Target = Annotated[str, Field(description="The same words with the change: a portrait of a woman with a crown")]
Words = Annotated[
    list[str], Field(min_length=1, max_length=16, description="Words of `source` to edit; the first is the main one.")
]
Mask = Annotated[
    Path | None, Field(description="A picture of the same size, white where the object is. Without one it is found.")
]
Model = Annotated[str, Field(description="A model's id; empty for the one in the settings.")]
Profile = Annotated[str, Field(description=f"How much work to do: {', '.join(PROFILES)}.")]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1, description="Same seed, same result.")]
Knobs = Annotated[
    dict[str, bool | float | str] | None,
    Field(description="Method settings by name; `s2edit edit --set list` has all."),
]
Without = Annotated[list[str] | None, Field(description="Marks to leave out, such as: watermark.")]
JobId = Annotated[str, Field(min_length=1, max_length=32, description="A job's id, or its first digits.")]

server = MCPServer(
    "s2edit",
    version=version("s2edit"),
    instructions=(
        "S²Edit changes one thing in a picture and keeps every other pixel. Say what the picture shows (source) and "
        "what it should show (target), in the same words but for the change, and which word of the source is edited. "
        "An edit takes from seconds to many minutes: call plan first, and give wait=false where calls must be short; "
        "job_status tells how far it is, and job_result writes it. What is written says that a model had a hand in it."
    ),
)
READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
WRITES = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)


def in_plain_words(tool: Callable[P, Told]) -> Callable[P, Told]:
    """The tool with every error as one sentence, what to do next, and its code: never a traceback."""

    @wraps(tool)
    def told(*args: P.args, **kwargs: P.kwargs) -> Told:
        try:
            return tool(*args, **kwargs)
        except Exception as error:
            found = error_object(last_resort.foreseen(error))["error"]
            raise ToolError(f"{found['message']} {found['hint']} [{found['code']}]".replace("  ", " ")) from error

    return told


@server.tool(annotations=READS)
@in_plain_words
def plan(
    *,
    image: Image,
    source: Source,
    target: Target,
    words: Words,
    mask: Mask = None,
    model: Model = options.DEFAULT_MODEL,
    profile: Profile = options.DEFAULT_PROFILE,
    settings: Knobs = None,
) -> Told:
    """What an edit would do, before anything is sent: where it looks, what is wrong, how many seconds it takes."""
    task = _task(
        image=image,
        output=image.with_name(f"{image.stem}-s2edit.png"),  # it is checked that it could be written, no more
        source=source,
        target=target,
        words=words,
        mask=mask,
        model=model,
        profile=profile,
        settings=settings,
    )
    inputs = open_inputs(task)
    with connect() as client:
        answer = plan_of(replace(task, model=options.chosen_model(client, task.model)), inputs, client)
    return {"exit_code": 0, **answer, "warnings": [words for words, is_warning in inputs.remarks() if is_warning]}


@server.tool(annotations=WRITES)
@in_plain_words
def edit(
    *,
    image: Image,
    output: Output,
    source: Source,
    target: Target,
    words: Words,
    context: Context,
    mask: Mask = None,
    model: Model = options.DEFAULT_MODEL,
    profile: Profile = options.DEFAULT_PROFILE,
    seed: Seed = 0,
    settings: Knobs = None,
    without: Without = None,
    wait: Annotated[bool, Field(description="False: return once the daemon has the job.")] = True,
) -> Told:
    """Change what a picture shows, and nothing else in it, into a new file."""
    task = _task(
        image=image,
        output=output,
        source=source,
        target=target,
        words=words,
        mask=mask,
        model=model,
        profile=profile,
        seed=seed,
        settings=settings,
        without=without,
    )
    return run_one(task, wait=wait, watch=_Watch(context))


@server.tool(annotations=WRITES)
@in_plain_words
def variations(
    *,
    image: Image,
    out_dir: Annotated[Path, Field(description="The folder for the results; an absolute path.")],
    source: Source,
    target: Target,
    words: Words,
    context: Context,
    count: Annotated[int, Field(ge=2, le=MOST_VARIATIONS, description="How many, each with the next seed.")] = 4,
    mask: Mask = None,
    model: Model = options.DEFAULT_MODEL,
    profile: Profile = options.DEFAULT_PROFILE,
    seed: Seed = 0,
    settings: Knobs = None,
    without: Without = None,
) -> Told:
    """The same edit with several seeds, each into a file of its own; what is done stays where a later one fails."""
    if seed + count > 2**32:
        raise WireError("bad_setting", "The last seed would be too large.", "Begin with a smaller one.")
    if not out_dir.is_dir():
        raise WireError("bad_image", f"There is no folder “{out_dir}”.", "Make it, or choose another.")
    first = _task(
        image=image,
        output=out_dir / f"{image.stem}-{seed}.png",
        source=source,
        target=target,
        words=words,
        mask=mask,
        model=model,
        profile=profile,
        seed=seed,
        settings=settings,
        without=without,
    )
    seeds = range(seed, seed + count)
    tasks = [replace(first, seed=number, output=out_dir / f"{image.stem}-{number}.png") for number in seeds]
    for task in tasks:
        targets.check_output(task.output, task.inputs(), tuple(targets.KINDS))
    results: list[Told] = []
    for place, task in enumerate(tasks):
        try:
            results.append(run_one(task, wait=True, watch=_Watch(context, place, count)))
        except WireError as error:
            results.append({"seed": task.seed, **error_object(error)})
    failed = [result["exit_code"] for result in results if result["exit_code"]]
    return {"exit_code": failed[0] if failed else 0, "results": results}


@server.tool(annotations=READS)
@in_plain_words
def detect(
    *,
    files: Annotated[list[Path], Field(min_length=1, max_length=100, description="Pictures of any program.")],
    thorough: Annotated[bool, Field(description="Look for the watermark at every scale: takes minutes.")] = False,
) -> Told:
    """Does a picture say that a model had a hand in it? Every mark found, of any program."""
    return detect_commands.findings(files, thorough=thorough)


@server.tool(annotations=READS)
@in_plain_words
def jobs_list(limit: Annotated[int, Field(ge=1, le=100)] = 20) -> Told:
    """The daemon's jobs, newest first, those of the editors too."""
    return job_commands.listed(limit)


@server.tool(annotations=READS)
@in_plain_words
def job_status(job: JobId) -> Told:
    """One job: its state, how far it is, how long it will take, and its log."""
    return job_commands.shown(job)


@server.tool(annotations=ToolAnnotations(read_only_hint=False, destructive_hint=True, open_world_hint=False))
@in_plain_words
def job_cancel(job: JobId) -> Told:
    """Stop a job; harmless when it has ended."""
    return job_commands.changed("cancel", job)


@server.tool(annotations=WRITES)
@in_plain_words
def job_result(*, job: JobId, image: Image, output: Output, context: Context, without: Without = None) -> Told:
    """Wait for a job, and write its result into a new file; `image` is the picture that the job came from."""
    return job_commands.written(job, image, output, without=without, quiet=True, watch=_Watch(context))


class _Watch:
    """Tells the agent's program how far a job is, each step once.

    Args:
        context: of the call. place, count: of this job among those of the call.
    """

    def __init__(self, context: Context, place: int = 0, count: int = 1) -> None:
        self._context, self._place, self._count = context, place, count
        self._told = ""

    def __call__(self, job: dict[str, Any]) -> None:
        running = job["state"] == "running"
        words = f"{job['phase']} {job['step']}/{job['total']}" if running else str(job["state"])
        if words == self._told:
            return
        self._told = words
        done = job["step"] / job["total"] if running and job["phase"] == "editing" and job["total"] else 0.0
        from_thread.run(self._context.report_progress, self._place + done, self._count, words)


def _task(
    *,
    image: Path,
    output: Path,
    source: str,
    target: str,
    words: list[str],
    mask: Path | None,
    model: str,
    profile: str,
    seed: int = 0,
    settings: dict[str, bool | float | str] | None = None,
    without: list[str] | None = None,
) -> Task:
    return Task(
        kind="edit",
        image=image,
        output=output,
        layers=None,
        source=source,
        target=target,
        words=tuple(words),
        model=model,
        profile=options.check_profile(profile),
        seed=seed,
        mask=mask,
        settings=options.checked(settings or {}),
        without=marking.check(without),
    )
