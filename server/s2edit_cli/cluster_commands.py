"""`s2edit cluster …`: several computers' cards behind one daemon (extra `s2edit[cluster]`)."""

from __future__ import annotations

import importlib.util
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from s2edit_wire import living
from s2edit_wire.errors import Unreachable, WireError
from s2edit_wire.paths import state_folder

from . import options
from .connecting import connect
from .painter_commands import app as painters
from .report import print_object, say

app = typer.Typer(help="Have the cards of several computers work behind one daemon.", no_args_is_help=True)
app.add_typer(painters, name="painter")
Address = Annotated[str, typer.Argument(help="This computer's IPv4 address in the studio's network.")]
Port = Annotated[int, typer.Option(min=1024, max=65_000, help="The first of 50 ports that are used here.")]
Seats = Annotated[int, typer.Option(min=-1, max=16, help="How many of its cards serve; all unless given.")]


@app.callback()
def _installed() -> None:
    """Have the cards of several computers work behind one daemon."""
    if importlib.util.find_spec("ray") is None:
        raise WireError("bad_setting", "What joins computers is not installed.", 'Run: pip install "s2edit[cluster]"')


@app.command()
def head(address: Address, port: Port = 7300, seats: Seats = -1, json_: options.Json = False) -> None:
    """Make this computer a new studio's head: its daemon owns all jobs."""
    from s2edit_cluster import membership

    state = state_folder()
    cards = _cards(state) if seats < 0 else seats
    studio = membership.make_head(state, address, port, cards)
    _begin(state)
    _restart(state)
    told = studio.folder / membership.JOIN_FILE
    if json_:
        print_object({"exit_code": 0, "join_file": str(told), "seats": cards})
        return
    say(f"This computer is a studio's head; {cards} of its cards serve. For every other computer:")
    say(f"  scp {told} HOST: && ssh HOST s2edit cluster join {membership.JOIN_FILE} ITS-ADDRESS")
    say("Whoever has that file can run programs on all of them: delete it there when they have joined.")
    last = port + membership.PORTS - 1
    say(f"The ports {port} to {last} have to be open between these computers, and to nobody else.")


@app.command()
def join(
    file: Annotated[Path, typer.Argument(help="join.s2edit, as the head wrote it.")],
    address: Address,
    port: Port = 7300,
    seats: Seats = -1,
    json_: options.Json = False,
) -> None:
    """Have this computer's cards work for the studio whose head wrote FILE."""
    from s2edit_cluster import membership

    state = state_folder()
    invitation = membership.read_invitation(file)
    cards = max(1, _cards(state)) if seats < 0 else seats
    membership.join(state, invitation, address, port, cards)
    _begin(state)
    if json_:
        print_object({"exit_code": 0, "head": invitation.head, "seats": cards})
    else:
        say(f"This computer has joined the studio of {invitation.head} with {cards} of its cards.")


@app.command()
def leave(json_: options.Json = False) -> None:
    """Take this computer out of its studio; jobs of other computers go on, its own are done again elsewhere."""
    from s2edit_cluster import membership, node

    state = state_folder()
    studio = membership.found_studio(state)
    was_head = studio.is_head
    ran = was_head and _stop(state)  # first: its bridge would bring this computer's part up again
    node.end(studio)
    membership.forget(state)
    if ran:
        connect().close()
    if json_:
        print_object({"exit_code": 0})
    else:
        say("This computer is in no studio any more.")


@app.command()
def start(json_: options.Json = False) -> None:
    """Bring this computer's part up, after it was restarted."""
    from s2edit_cluster import node

    node.start(state_folder())
    status(json_)


@app.command()
def run() -> None:
    """Keep this computer's part up until SIGTERM; for services: ExecStart=s2edit cluster run."""
    from s2edit_cluster import node

    raise typer.Exit(node.run(state_folder()))


@app.command()
def service(
    network: Annotated[
        str,
        typer.Option(help="Of the whole computer, and closed to who is not in this network: 192.168.0.0/24."),
    ] = "",
) -> None:
    """Print a systemd unit that brings this computer's part up with the computer."""
    from s2edit_cluster import membership
    from s2edit_cluster.service import unit

    state = state_folder()
    membership.found_studio(state)
    typer.echo(unit(state, network), nl=False)


@app.command()
def status(json_: options.Json = False) -> None:
    """This computer's part, and on the head every place with what it does."""
    from s2edit_cluster import membership, node

    studio = membership.found_studio(state_folder())
    member, is_up = studio.member, node.runs(studio) and node.is_up(studio)
    told = {"head": member.head, "address": member.address, "port": member.port, "seats": member.seats, "up": is_up}
    places, notices = [], []
    if studio.is_head:
        with suppress(Unreachable), connect(start=False) as client:
            answer = client.request("status").header["status"]
            places, notices = answer.get("places", []), answer.get("notices", [])
    if json_:
        print_object({"exit_code": 0, **told, "places": places, "notices": notices})
        return
    role = "the head" if studio.is_head else f"a computer of {member.head}'s"
    what = f"{member.seats} cards: {'up' if is_up else 'down'}"
    say(f"This is {role}, {member.address}, ports from {member.port}, {what}.")
    for place in places:
        words = (place["worker"], place["device"], place["model"], place.get("job", ""))
        say(f"{place['name']:24} " + ", ".join(word for word in words if word))
    for notice in notices:
        say(notice)


def _cards(state: Path) -> int:
    """How many cards work here by the settings; 0 where only the processor would."""
    from s2edit_server.pool import wanted_cards
    from s2edit_server.settings import SettingsFile

    return len(wanted_cards(SettingsFile(state / "settings.json").now))


def _begin(state: Path) -> None:
    """Bring this computer's part up, or leave all as it was."""
    from s2edit_cluster import membership, node

    try:
        node.start(state)
    except (Unreachable, WireError):
        membership.forget(state)
        raise


def _restart(state: Path) -> None:
    """Have the daemon look anew where its places are; jobs go on."""
    _stop(state)
    connect().close()


def _stop(state: Path) -> bool:
    """End the daemon; returns whether it ran."""
    if not living.runs(state):
        return False
    with connect(start=False) as client:
        client.request("shutdown", {"when": "now"})
    living.wait_for_end(state, 30.0)
    return True
