"""Help in the form that the `s2edit` command's own has: a line of usage, then boxes of options and commands."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

_Row = tuple[str, str, str]
"""Name, value and words."""


class BoxedParser(argparse.ArgumentParser):
    """A parser, and by it those of its commands, whose help is laid out like that of Typer."""

    def format_help(self) -> str:
        """The help, as wide as the terminal, and without colours where there is none."""
        console = Console(highlight=False)
        boxes = list(self._boxes())
        more = " COMMAND [ARGS]..." if len(boxes) > 1 else ""
        with console.capture() as captured:
            console.print(Text(f"\n Usage: {self.prog} [OPTIONS]{more}\n", "bold"))
            if self.description:
                console.print(Padding(Text(f"{self.description}\n"), (0, 1)))
            for title, rows in boxes:
                console.print(_box(title, rows))
            if self.epilog:
                console.print(Padding(Text(self.epilog), (1, 1)))
        return captured.get()

    def _boxes(self) -> Iterable[tuple[str, list[_Row]]]:
        yield "Options", [_row(action) for action in self._actions if action.option_strings]
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                yield "Commands", [(choice.dest, "", _sentence(choice.help)) for choice in action._choices_actions]


def _row(action: argparse.Action) -> _Row:
    value = "" if action.nargs == 0 else str(action.metavar or action.dest.upper())
    words = _sentence(action.help)
    return ", ".join(reversed(action.option_strings)), value, f"{words} [required]" if action.required else words


def _sentence(words: str | None) -> str:
    return f"{words[0].upper()}{words[1:]}." if words else ""


def _box(title: str, rows: list[_Row]) -> Panel:
    table = Table.grid(padding=(0, 2))
    for name, value, words in rows:
        table.add_row(Text(name, "bold cyan"), Text(value, "bold yellow"), Text(words))
    return Panel(table, title=title, title_align="left", border_style="dim")
