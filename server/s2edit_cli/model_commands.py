"""`s2edit models …`: weights that are here or can be had."""

from __future__ import annotations

import select
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn
from rich.table import Column, Table
from s2edit_wire.client import Client
from s2edit_wire.errors import WireError

from . import options
from .connecting import connect
from .report import ERR, OUT, plain, print_object, print_row, say, size

app = typer.Typer(help="Weights that are here or can be had.", no_args_is_help=True)
ModelId = Annotated[str, typer.Argument(metavar="ID", help="A model's id.", show_default=False)]


@app.command("list")
def list_models(json_: options.Json = False) -> None:
    """All models of the catalogue, with the memory of a full edit on the device (counted or estimated, not measured).

    One line each with tabs between when it is not a terminal that reads.
    """
    with connect() as client:
        models = client.request("models").header["models"]
    if json_:
        print_object({"exit_code": 0, "models": models})
        return
    rows = [_columns(model) for model in models]
    if not OUT.is_terminal:
        for row in rows:
            print_row(*row)
        return
    table = Table(Column("id", no_wrap=True), "state", "size", "memory", "licence", "what it is for", box=None)
    for row in rows:
        table.add_row(*map(plain, row))
    OUT.print(table)


@app.command()
def download(
    model: ModelId,
    accept_licence: Annotated[bool, typer.Option("--accept-licence", help="You have read and accept it.")] = False,
    json_: options.Json = False,
) -> None:
    """Fetch a model's weights; goes on where it stopped before."""
    with connect() as client:
        # Before the order, so that no news is missed.
        client.request("subscribe", {"after": 0})
        if accept_licence:
            client.request("model", {"model": model, "action": "accept_licence"})
        try:
            now = client.request("model", {"model": model, "action": "download"}).header["model"]
        except WireError as error:
            if error.code != "licence_required":
                raise
            # Whoever is in a window is asked; here it is an option.
            hint = f"{error.hint} If you accept it: s2edit models download {model} --accept-licence".strip()
            raise WireError(error.code, error.message, hint) from error
        done = _watch(client, now, quiet=json_)
    if done["state"] != "ready":
        raise WireError(
            "download_failed",
            done.get("message") or f"The download is {done['state']}.",
            f"What has arrived is kept. Go on with: s2edit models download {model}",
        )
    _tell(done, json_)


@app.command()
def verify(model: ModelId, json_: options.Json = False) -> None:
    """Compare a model's files with their checksums."""
    _act(model, "verify", json_)


@app.command()
def remove(model: ModelId, yes: options.Yes = False, json_: options.Json = False) -> None:
    """Delete a model's downloaded files."""
    options.make_sure(f"Delete the downloaded files of {model}?", yes=yes, asks=not json_)
    _act(model, "remove", json_)


def _act(model: str, action: str, as_json: bool) -> None:
    with connect() as client:
        answer = client.request("model", {"model": model, "action": action}, timeout=600)
    _tell(answer.header["model"], as_json)


def _columns(model: dict[str, Any]) -> tuple[str, ...]:
    licence = model["licence"] + ("" if model["licence_accepted"] else " (not accepted yet)")
    return model["id"], model["state"], size(model["size"]), size(model["memory"]), licence, model["purpose"]


def _watch(client: Client, model: dict[str, Any], *, quiet: bool) -> dict[str, Any]:
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(binary_units=True))
    with Progress(*columns, console=ERR, transient=True, disable=quiet or not ERR.is_terminal) as progress:
        task = progress.add_task(plain(model["title"]).plain, total=model["size"])
        while model["state"] == "downloading":
            progress.update(task, completed=model["present"], total=model["size"])
            select.select([client.fileno()], [client.fileno()] if client.wants_write else [], [], 1.0)
            for incoming in client.pump():
                news = incoming.header.get("model")
                if incoming.op == "event" and news is not None and news["id"] == model["id"]:
                    model = news
    return model


def _tell(model: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_object({"exit_code": 0, "model": model})
    else:
        say(f"{model['title']}: {model['state']}, {size(model['present'])} of {size(model['size'])}")
        if "message" in model:
            say(model["message"])
