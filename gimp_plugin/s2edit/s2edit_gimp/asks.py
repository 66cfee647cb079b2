"""Small requests from the dialog's buttons: describe the picture, find the object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from gi.repository import Gimp
from s2edit_editor.text import _
from s2edit_wire.client import Incoming

from .choices import Choices
from .delivery import frames_by_role
from .form import Form
from .jobs import Jobs
from .mask_sources import mask_layer_from
from .pixels import Box
from .snapshot import gone, take


class Asks:
    """Jobs whose answer goes into the form or onto a mask layer.

    Args:
        image, layer: what is edited.
        jobs: the connection.
        form: takes a description; its buttons rest while a request runs.
        say: shows a sentence when something went wrong.
        masked: called when the found object is on a mask layer.
    """

    def __init__(
        self,
        image: Gimp.Image,
        layer: Gimp.Drawable,
        jobs: Jobs,
        form: Form,
        say: Callable[[str], None],
        masked: Callable[[], None],
    ) -> None:
        self._image, self._layer, self._jobs, self._form = image, layer, jobs, form
        self._say, self._masked = say, masked
        self._closed = False

    def close(self) -> None:
        """The dialog is gone: answers that still come are dropped."""
        self._closed = True

    def start(self, kind: str, choices: Choices, crop: Box, model: str) -> None:
        """Send the crop to be described (`caption`) or searched for the object (`mask`)."""
        choices = replace(choices, wish=replace(choices.wish, kind=kind))
        shot = take(self._image, self._layer, choices, [], crop, model)
        button = self._form.propose if kind == "caption" else self._form.automatic
        button.set_sensitive(False)
        self._say(_("Looking at the picture…"))

        def came(answer: Incoming) -> None:
            if self._closed:
                return
            button.set_sensitive(True)
            trouble = gone(self._image, self._layer)
            self._say(trouble)
            if trouble:
                return
            if kind == "caption":
                self._form.set_source(str(answer.header["record"].get("caption", "")))
            else:
                word = next(iter(choices.wish.words), "")
                mask_layer_from(self._image, self._layer, word, frames_by_role(answer)["mask"], crop)
                self._masked()

        def failed(message: str) -> None:
            if self._closed:
                return
            button.set_sensitive(True)
            self._say(message)

        self._jobs.submit(shot, on_result=came).on_trouble = failed
