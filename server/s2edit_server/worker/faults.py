"""Which error of the method is which error on the wire: data, and the few lines that look it up. Torch-free."""

from __future__ import annotations

import errno

from s2edit_wire.errors import WireError

from s2edit.errors import S2EditError

WIRE_CODES: dict[str, str] = {
    "PromptError": "bad_prompt",
    "MaskError": "bad_mask",
    "ImageError": "bad_image",
    "CheckpointError": "model_failed",
    "SettingError": "bad_setting",
    "OutOfMemory": "out_of_memory",
    "Cancelled": "cancelled",
}
"""By the name of the method's exception class, or of its nearest base that is listed here."""

_MEMORY_HINT = "Mask a smaller area, choose the profile “fast”, or close other programs that use the device."
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def to_wire(error: BaseException) -> WireError:
    """The error as clients see it; everything unforeseen is `internal`, without its text (which may name a path)."""
    if isinstance(error, WireError):
        return error
    if isinstance(error, S2EditError):
        code = next(
            (WIRE_CODES[base.__name__] for base in type(error).__mro__ if base.__name__ in WIRE_CODES), "internal"
        )
        return WireError(code, str(error), error.hint)
    if is_out_of_memory(error):
        return WireError("out_of_memory", f"The device ran out of memory{_figures(error)}.", _MEMORY_HINT)
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        return WireError("disk_full", "There is no room on the disk for the result.", "Free some space and try again.")
    return WireError("internal", "A fault in S²Edit stopped the job.", "The worker's log has the details.")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the device or the host had no memory left, in whichever of the ways torch says so.

    torch raises OutOfMemoryError for CUDA, but a plain RuntimeError from its CPU allocator and on MPS.
    """
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and ("can't allocate memory" in text or "out of memory" in text)


def _figures(error: BaseException) -> str:
    """The part of torch's message that has the figures, as ": …", or ""."""
    for sentence in str(error).replace("\n", " ").split(". "):
        if "tried to allocate" in sentence.lower():
            return ": " + sentence.strip(" .")[:200].replace("Tried", "tried")
    return ""
