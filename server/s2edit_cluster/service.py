"""This computer's part as a service of systemd, brought up with the computer."""

from __future__ import annotations

import getpass
import ipaddress
from pathlib import Path

from s2edit_wire import programs
from s2edit_wire.errors import WireError

from .node import END_S

_USERS = """[Unit]
Description=S²Edit: this computer's part in a studio
{order}
[Service]
ExecStart={command}
Environment={home}
UMask=0077
KillMode=mixed
TimeoutStopSec={end:.0f}
Restart=on-failure
RestartSec=10
{rest}
[Install]
WantedBy={target}
"""
_SYSTEMS = """User={user}
IPAddressDeny=any
IPAddressAllow=localhost
IPAddressAllow={network}
"""


def unit(state: Path, network: str = "") -> str:
    """The unit's text: of the user's own systemd, or of the computer's, which also shuts the ports to others.

    Args:
        state: the state folder. network: `192.168.0.0/24`: who is not in it reaches nothing that Ray listens at, by the
            kernel's doing (systemd.resource-control, `IPAddressDeny`), for which a user's own systemd has no right.

    Raises:
        WireError: that is no network.
    """
    words = {
        "command": programs.in_systemd_unit([*programs.command("cli", "cluster", "run")]),
        "home": programs.systemd_quoted(f"S2EDIT_HOME={state}"),
        "end": 2 * END_S,
    }
    if not network:
        return _USERS.format(**words, order="", rest="", target="default.target")
    try:
        checked = ipaddress.ip_network(network)
    except ValueError as error:
        raise WireError(
            "bad_setting", f"“{network[:64]}” is no network.", "Give the studio's own, such as 192.168.0.0/24."
        ) from error
    order = "After=network-online.target\nWants=network-online.target\n"
    rest = _SYSTEMS.format(user=getpass.getuser(), network=checked)
    return _USERS.format(**words, order=order, rest=rest, target="multi-user.target")
