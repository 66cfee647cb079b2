"""Exit codes, in one place: `--help`, the README and the commands read this table."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """What the command's exit status says."""

    DONE = 0
    INTERNAL = 1
    USAGE = 2
    INPUT = 3
    NO_DAEMON = 4
    FAILED = 5
    CANCELLED = 6
    RUNNING = 7
    NOT_NOW = 8


MEANING: dict[Exit, str] = {
    Exit.DONE: "done",
    Exit.INTERNAL: "a fault in S²Edit itself; with `detect`: no mark was found; with `doctor`: something is wrong",
    Exit.USAGE: "wrong arguments",
    Exit.INPUT: "a picture, mask, prompt, word, setting, model or job id that cannot be used; nothing was changed",
    Exit.NO_DAEMON: "the daemon does not run and could not be started, or is not ours",
    Exit.FAILED: "the job failed",
    Exit.CANCELLED: "the job was cancelled",
    Exit.RUNNING: "left running; `s2edit jobs result` fetches it",
    Exit.NOT_NOW: "busy, offline, no room, or a licence not accepted yet: try again after what the message says",
}

_BY_ERROR: dict[str, Exit] = {
    **dict.fromkeys(
        ("bad_request", "too_large", "unknown_job", "wrong_state", "job_conflict", "unknown_model"), Exit.INPUT
    ),
    **dict.fromkeys(("bad_prompt", "bad_mask", "bad_image", "bad_setting", "not_allowed"), Exit.INPUT),
    **dict.fromkeys(("model_failed", "out_of_memory", "worker_crashed"), Exit.FAILED),
    **dict.fromkeys(("busy", "disk_full", "licence_required", "offline", "download_failed"), Exit.NOT_NOW),
    **dict.fromkeys(("unsupported_version", "unreachable"), Exit.NO_DAEMON),
    "cancelled": Exit.CANCELLED,
}


def exit_for(code: str) -> Exit:
    """The exit code for an error code of the wire (`s2edit_wire.errors.CODES`)."""
    return _BY_ERROR.get(code, Exit.INTERNAL)


def table() -> str:
    """The codes as lines `N  meaning`."""
    return "\n".join(f"{int(code)}  {MEANING[code]}" for code in Exit)
