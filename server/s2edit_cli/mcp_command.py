"""`s2edit mcp`: the tools of `mcp_server` over standard input and output, where the SDK is installed."""

from __future__ import annotations

import importlib.util

from s2edit_installer import remedies

from .exit_codes import Exit
from .report import Ended


def mcp() -> None:
    """Serve agents: plan, edit, variations, detect and jobs as MCP tools over standard input and output."""
    if importlib.util.find_spec("mcp") is None:
        words = "The Model Context Protocol's SDK is not installed here."
        raise Ended(Exit.INPUT, words, f"Run: {remedies.add_extra('mcp')}")
    from .mcp_server import server

    server.run("stdio")
