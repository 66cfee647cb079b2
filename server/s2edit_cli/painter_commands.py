"""`s2edit painter …`: who may use this computer's S²Edit from their own, beside its own user."""

from __future__ import annotations

from typing import Annotated

import typer

from . import options
from .connecting import connect
from .report import print_object, say

app = typer.Typer(help="Let others use this computer's S²Edit from theirs.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="Small letters, digits, dots, dashes, underscores; first a letter.")]


@app.command("list")
def list_painters(json_: options.Json = False) -> None:
    """Who is let in; one name on each line."""
    with connect() as client:
        names = client.request("painters").header["painters"]
    if json_:
        print_object({"exit_code": 0, "painters": names})
        return
    for name in names:
        say(name)


@app.command()
def add(name: Name, json_: options.Json = False) -> None:
    """Let a painter in; nobody sees their jobs but they and you."""
    with connect() as client:
        client.request("painter", {"name": name, "action": "add"})
    # All that such a login can do is to be told that painter's connection data, and to have the socket forwarded.
    entry = f'restrict,port-forwarding,command="s2edit daemon connection --start --painter {name}"'
    if json_:
        print_object({"exit_code": 0, "painter": name, "authorized_keys": entry})
        return
    say(f"{name} is let in. Put this before {name}'s public key, on one line of ~/.ssh/authorized_keys here:")
    say(entry)


@app.command()
def remove(name: Name, json_: options.Json = False) -> None:
    """Shut a painter out at once; their jobs stay. Take their line out of ~/.ssh/authorized_keys, too."""
    with connect() as client:
        client.request("painter", {"name": name, "action": "remove"})
    if json_:
        print_object({"exit_code": 0, "painter": name})
    else:
        say(f"{name} is shut out.")
