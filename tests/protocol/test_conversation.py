"""PROTOCOL.md's example is what a client and the daemon really say to each other."""

from __future__ import annotations

from s2edit_wire import document

from .conversation import held


def test_the_example_is_what_is_said() -> None:
    anew = "Write it anew: python -m tests.protocol.conversation"
    assert held() == document.CONVERSATION.read_text(encoding="utf-8"), anew
