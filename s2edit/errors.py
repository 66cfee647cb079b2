"""What can go wrong, as plain sentences that say what to do next. Torch-free."""

from __future__ import annotations


class S2EditError(Exception):
    """Base of every error that the method raises on purpose.

    Args:
        message: a plain sentence for the painter.
        code: short machine-readable reason, stable across versions.
        hint: what to do next, or "".
    """

    code = "s2edit"

    def __init__(self, message: str, *, code: str | None = None, hint: str = "") -> None:
        super().__init__(message)
        self.code = code or type(self).code
        self.hint = hint


class PromptError(S2EditError):
    """A prompt can't be used: `word_not_in_prompt`, `prompt_too_long`, `empty_prompt`, `special_token`,
    `unaligned_object`, `unaligned_prompts`, `objects_overlap`, `too_many_objects`, `nothing_to_change`."""

    code = "prompt"


class MaskError(S2EditError):
    """A mask can't be used: `mask_size`, `mask_empty`."""

    code = "mask"


class ImageError(S2EditError):
    """A picture can't be used: `image_shape`, `image_dtype`, `image_values`, `image_size`."""

    code = "image"


class SettingError(S2EditError):
    """A setting is unknown or out of range; the message names it."""

    code = "setting"


class CheckpointError(S2EditError):
    """Weights can't be loaded: `checkpoint_missing`, `checkpoint_incomplete`, `checkpoint_unsupported`."""

    code = "checkpoint"


class Cancelled(S2EditError):
    """The caller asked to stop; nothing was changed."""

    code = "cancelled"

    def __init__(self, message: str = "The edit was cancelled.") -> None:
        super().__init__(message)


class OutOfMemory(S2EditError):
    """The device has too little memory. The message gives figures in bytes, rounded for reading.

    Args:
        needed: bytes the plan asks for, or None when only the allocator knows.
        available: bytes the device has free, or None.
        level: the identity level that did not fit.
    """

    code = "out_of_memory"

    def __init__(self, needed: int | None, available: int | None, level: str) -> None:
        figures = ""
        if needed is not None and available is not None:
            figures = f": level “{level}” needs {needed / 2**30:.1f} GiB and {available / 2**30:.1f} GiB are free"
        super().__init__(
            f"The device has too little memory{figures}.",
            hint="Mask a smaller area, choose a lower identity level, or close other programs that use the device.",
        )
        self.needed, self.available, self.level = needed, available, level
