"""Reads single arguments of the command line; argparse tells what is wrong with one."""

from __future__ import annotations

import argparse
from collections.abc import Callable


def count(least: int) -> Callable[[str], int]:
    """A whole number from `least` on."""

    def read(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"“{text}” is no whole number from {least} on.")
        return int(text)

    return read


def scale(text: str) -> float:
    """A guidance scale; what range is of use, the settings know."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"“{text}” is no guidance scale; write a number, such as 4.5.") from None


def scales(text: str) -> list[float]:
    """Guidance scales with commas between them."""
    return [scale(part) for part in text.split(",") if part.strip()]


def part(text: str) -> tuple[int, int]:
    """K and N of "K/N"."""
    number, _, parts = text.partition("/")
    if not (number.isdecimal() and parts.isdecimal() and 1 <= int(number) <= int(parts)):
        raise argparse.ArgumentTypeError(f"“{text}” is no part; write K/N, such as 1/2 and 2/2.")
    return int(number), int(parts)
