"""Small requests from the dialog's buttons: describe the picture, find the object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from s2edit_editor.desk import Desk
from s2edit_editor.masks import mask_layer
from s2edit_editor.pixels import Box, Picture
from s2edit_editor.submission import Submission, gone
from s2edit_editor.text import _

from .form import Form


class Asks:
    """Jobs whose answer goes into the form or onto a mask layer.

    Args:
        desk: the connection.
        form: takes a description; its buttons rest while a request runs.
        say: shows a sentence when something went wrong.
        masked: called when the found object is on a mask layer.
    """

    def __init__(self, desk: Desk, form: Form, say: Callable[[str], None], masked: Callable[[], None]) -> None:
        self._desk, self._form, self._say, self._masked = desk, form, say, masked
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

        def came(header: Mapping[str, Any], pictures: Mapping[str, Picture]) -> None:
            if self._closed:
                return
            button.set_sensitive(True)
            trouble = gone(asked.host, asked.layer)
            self._say(trouble)
            if trouble:
                return
            if kind == "caption":
                self._form.set_source(str(header["record"].get("caption", "")))
            else:
                word = next(iter(asked.order.wish.words), "")
                mask_layer(asked.host, asked.layer, word, (crop, bytes(pictures["mask"].data)))
                self._masked()

        def failed(message: str) -> None:
            if self._closed:
                return
            button.set_sensitive(True)
            self._say(message)

        self._desk.submit(asked.host, asked.take(crop), answer=came, failed=failed)
