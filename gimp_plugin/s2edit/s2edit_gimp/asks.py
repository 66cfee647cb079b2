"""Small requests from the dialog's buttons: describe the picture, find the object."""

from __future__ import annotations

from collections.abc import Callable

from s2edit_editor.delivery import pictures_of
from s2edit_editor.masks import mask_layer
from s2edit_editor.pixels import Box
from s2edit_editor.submission import Submission, gone
from s2edit_editor.text import _
from s2edit_wire.client import Incoming

from .form import Form
from .jobs import Jobs


class Asks:
    """Jobs whose answer goes into the form or onto a mask layer.

    Args:
        jobs: the connection.
        form: takes a description; its buttons rest while a request runs.
        say: shows a sentence when something went wrong.
        masked: called when the found object is on a mask layer.
    """

    def __init__(self, jobs: Jobs, form: Form, say: Callable[[str], None], masked: Callable[[], None]) -> None:
        self._jobs, self._form, self._say, self._masked = jobs, form, say, masked
        self._closed = False

    def close(self) -> None:
        """The dialog is gone: answers that still come are dropped."""
        self._closed = True

    def start(self, kind: str, submission: Submission, crop: Box) -> None:
        """Send the crop to be described (`caption`) or searched for the object (`mask`)."""
        asked = submission.asking(kind)
        button = self._form.propose if kind == "caption" else self._form.automatic
        button.set_sensitive(False)
        self._say(_("Looking at the picture…"))

        def came(answer: Incoming) -> None:
            if self._closed:
                return
            button.set_sensitive(True)
            trouble = gone(asked.host, asked.layer)
            self._say(trouble)
            if trouble:
                return
            if kind == "caption":
                self._form.set_source(str(answer.header["record"].get("caption", "")))
            else:
                mask = pictures_of(answer.header, answer.frames)["mask"]
                word = next(iter(asked.order.wish.words), "")
                mask_layer(asked.host, asked.layer, word, (crop, bytes(mask.data)))
                self._masked()

        def failed(message: str) -> None:
            if self._closed:
                return
            button.set_sensitive(True)
            self._say(message)

        self._jobs.submit(asked.take(crop), on_result=came).on_trouble = failed
