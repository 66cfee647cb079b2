"""The switch in Krita's configuration that turns the plug-in on; every other byte of the file stays."""

from __future__ import annotations

SECTION = "[python]"
LINE = "enable_s2edit_krita"


def enable(text: str) -> tuple[str, bool]:
    """(the configuration with the plug-in on, whether the section had to be made)."""
    lines = text.splitlines(keepends=True)
    start = _section(lines)
    if start is None:
        gap = "" if not text or text.endswith("\n\n") else "\n" if text.endswith("\n") else "\n\n"
        return f"{text}{gap}{SECTION}\n{LINE}=true\n", True
    for index in range(start + 1, _end(lines, start)):
        if _is_ours(lines[index]):
            lines[index] = f"{LINE}=true\n"
            return "".join(lines), False
    if not lines[start].endswith("\n"):
        lines[start] += "\n"
    lines.insert(start + 1, f"{LINE}=true\n")
    return "".join(lines), False


def disable(text: str, *, section_made: bool) -> str:
    """The configuration without the switch, and without the section if it was made for it and holds nothing else."""
    lines = text.splitlines(keepends=True)
    start = _section(lines)
    if start is None:
        return text
    end = _end(lines, start)
    kept = [line for line in lines[start + 1 : end] if not _is_ours(line)]
    if section_made and not any(line.strip() for line in kept):
        before = lines[:start]
        if before and not before[-1].strip():
            before.pop()
        return "".join(before + lines[end:])
    return "".join([*lines[: start + 1], *kept, *lines[end:]])


def is_enabled(text: str) -> bool:
    """Whether the plug-in is on."""
    lines = text.splitlines()
    start = _section(lines)
    return start is not None and any(
        _is_ours(line) and line.partition("=")[2].strip() == "true" for line in lines[start + 1 : _end(lines, start)]
    )


def _section(lines: list[str]) -> int | None:
    return next((index for index, line in enumerate(lines) if line.strip() == SECTION), None)


def _end(lines: list[str], start: int) -> int:
    return next((index for index in range(start + 1, len(lines)) if lines[index].startswith("[")), len(lines))


def _is_ours(line: str) -> bool:
    return line.partition("=")[0].strip() == LINE
