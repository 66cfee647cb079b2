"""`s2edit jobs …`: what the daemon has done and is doing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Column, Table
from s2edit_wire.client import Client
from s2edit_wire.errors import WireError
from s2edit_wire.records import ENDED

from . import marking, options
from .connecting import connect
from .editing import fetch, open_for_result
from .follow import Follower
from .report import OUT, duration, plain, print_object, print_row, say

app = typer.Typer(help="What the daemon has done and is doing.", no_args_is_help=True)


@app.command("list")
def list_jobs(
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many jobs to show.")] = 20,
    json_: options.Json = False,
) -> None:
    """Jobs, newest first; one line each with tabs between when it is not a terminal that reads."""
    told = listed(limit)
    jobs = told["jobs"]
    if json_:
        print_object(told)
        return
    if not OUT.is_terminal:
        # One line a job, whole and with tabs between: for grep, cut and awk.
        for job in jobs:
            print_row(job["job"], *_columns(job))
        return
    table = Table(Column("job", no_wrap=True), Column("state", no_wrap=True), "edit", "from", "when", box=None)
    for job in jobs:
        table.add_row(job["job"][:8], *map(plain, _columns(job)))
    OUT.print(table)


@app.command()
def show(job: options.JobId, json_: options.Json = False) -> None:
    """One job, with its log."""
    told = shown(job)
    if json_:
        print_object(told)
        return
    record, lines = told["job"], told["log"]
    edit = record["edit"]
    say(f"{record['job']}  {_state(record)}")
    say(f"{edit['kind']} with {edit['model']}, {edit['profile']}, seed {edit['seed']}")
    say(f"“{edit['source']}” → “{edit.get('target', '')}”")
    if "message" in record:
        say(record["message"])
    for line in lines:
        say(line, "dim")


@app.command()
def cancel(job: options.JobId, json_: options.Json = False) -> None:
    """Stop a job; harmless when it has ended."""
    _change("cancel", job, json_)


@app.command()
def retry(job: options.JobId, json_: options.Json = False) -> None:
    """Queue a failed or cancelled job again."""
    _change("retry", job, json_)


@app.command()
def remove(
    jobs: Annotated[list[str], typer.Argument(metavar="JOB...", help="Jobs’ ids, or their first digits.")],
    yes: options.Yes = False,
    json_: options.Json = False,
) -> None:
    """Delete ended jobs with their pictures and results."""
    with connect() as client:
        ids = list(dict.fromkeys(_full_id(client, job) for job in jobs))
        what = f"job {ids[0]}" if len(ids) == 1 else f"{len(ids)} jobs"
        lost = _lost_with(client, ids)
        options.make_sure(f"Delete {what} with pictures and results?", yes=yes, asks=not json_, lost=lost)
        for job in ids:
            client.request("remove", {"job": job})
    if json_:
        print_object({"exit_code": 0, "removed": ids})
    else:
        say(f"Deleted {what}.")


@app.command()
def result(
    job: options.JobId,
    image: Annotated[Path, typer.Argument(help="The picture that the job came from.", show_default=False)],
    output: options.Output,
    layers: options.Layers = None,
    without: options.Without = None,
    tell_prompt: options.TellPrompt = False,
    json_: options.Json = False,
) -> None:
    """Wait for a job of this command and write its result into its picture."""
    outcome = written(job, image, output, layers, without=without, tell_prompt=tell_prompt, quiet=json_)
    if json_:
        print_object(outcome)
    else:
        say(f"Wrote “{output}”.")
        for sentence in [*outcome["warnings"], *outcome["marks"]["sentences"]]:
            say(sentence)


def listed(limit: int) -> dict[str, Any]:
    """The object that `jobs list --json` prints."""
    with connect() as client:
        return {"exit_code": 0, "jobs": client.request("list", {"limit": limit}).header["jobs"]}


def shown(job: str) -> dict[str, Any]:
    """The object that `jobs show --json` prints."""
    with connect() as client:
        full = _full_id(client, job)
        record = client.request("show", {"job": full}).header["job"]
        return {"exit_code": 0, "job": record, "log": client.request("log", {"job": full}).header["lines"]}


def changed(op: str, job: str) -> dict[str, Any]:
    """The object that `jobs cancel --json` and `jobs retry --json` print."""
    with connect() as client:
        return {"exit_code": 0, "job": client.request(op, {"job": _full_id(client, job)}).header["job"]}


def written(
    job: str,
    image: Path,
    output: Path,
    layers: Path | None = None,
    *,
    without: list[str] | None = None,
    tell_prompt: bool = False,
    quiet: bool,
    watch: Callable[[dict[str, Any]], None] | None = None,
) -> dict[str, Any]:
    """Wait for a job and write its result; returns the object that `jobs result --json` prints.

    Args:
        job: its id or the first digits. quiet, watch: as of `Follower`.
    Raises:
        WireError, Ended, Unreachable: nothing was written.
    """
    wanted = {"without": marking.check(without, made=True), "tell_prompt": tell_prompt}
    picture = open_for_result(image, output, layers, [image])
    with connect() as client:
        full = _full_id(client, job)
        record = client.request("show", {"job": full}).header["job"]
        canvas = record["edit"].get("document", {}).get("canvas")
        if canvas is not None and tuple(canvas) != picture.size:
            raise WireError(
                "bad_image",
                f"The job came from a picture of {canvas[0]} × {canvas[1]} pixels.",
                "Give the picture that the job came from.",
            )
        follower = Follower(client, record, quiet=quiet, watch=watch)
        ended = follower.run()
        # The follower's client, which is another one when the connection was lost meanwhile.
        return fetch(follower.client, ended, picture, output, layers, **wanted)


def _lost_with(client: Client, ids: list[str]) -> str:
    """What of these jobs nobody has fetched yet, as a sentence. Raises WireError when one can't be deleted at all."""
    records = [client.request("show", {"job": job}).header["job"] for job in ids]
    for record in records:
        if record["state"] not in ENDED:
            words = f"Job {record['job'][:8]} is {record['state']}; nothing was deleted."
            raise WireError("wrong_state", words, f"Cancel it first: s2edit jobs cancel {record['job'][:8]}")
    waiting = [record["job"][:8] for record in records if record["state"] == "done" and not record["acknowledged"]]
    if not waiting:
        return ""
    return f"Nobody has fetched the result of {', '.join(waiting)} yet; it would be lost."


def _change(op: str, job: str, as_json: bool) -> None:
    told = changed(op, job)
    if as_json:
        print_object(told)
    else:
        say(f"{told['job']['job']}  {_state(told['job'])}")


def _full_id(client: Client, start: str) -> str:
    """The one job whose id begins so."""
    if len(start) == 32:
        return start
    cursor: dict[str, Any] = {}
    found: list[str] = []
    while True:
        page = client.request("list", {"limit": 100, **cursor}).header
        found += [job["job"] for job in page["jobs"] if job["job"].startswith(start)]
        if "cursor" not in page:
            break
        cursor = {"before": page["cursor"]}
    if len(found) != 1:
        words = "No job’s id begins" if not found else "Several jobs’ ids begin"
        raise WireError("unknown_job", f"{words} with “{start}”.", "See: s2edit jobs list")
    return found[0]


def _columns(job: dict[str, Any]) -> tuple[str, str, str, str]:
    edit = job["edit"]
    changes = f"{edit['source']} → {edit['target']}" if edit.get("target") else edit["source"]
    return _state(job), changes, edit.get("document", {}).get("title", ""), _when(job["created"])


def _state(job: dict[str, Any]) -> str:
    if job["state"] == "running":
        left = f", {duration(job['eta'])} left" if "eta" in job else ""
        return f"{job['phase']} {job['step']}/{job['total']}{left}"
    if job["state"] == "queued":
        return f"queued, place {job['position']}"
    return str(job["state"])


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M")
