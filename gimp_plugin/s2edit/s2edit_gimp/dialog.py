"""The S²Edit dialog: the form, a picture of what will be sent, and what the daemon thinks of it while one types."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import cast

from gi.repository import Gimp, GimpUi, GLib, Gtk
from s2edit_editor import models
from s2edit_editor.form import Form as FormState
from s2edit_editor.form import Shown
from s2edit_editor.photo import likeness, step_of
from s2edit_editor.pixels import Box as Area
from s2edit_editor.planning import Facts
from s2edit_editor.text import _
from s2edit_wire.client import Incoming
from s2edit_wire.errors import WireError
from s2edit_wire.records import ModelRecord, PlanReply

from .asks import Asks
from .choices import Choices
from .form import Form
from .jobs import Jobs
from .lost import LostRow
from .mask_sources import (
    MASK_LAYERS,
    SELECTION,
    Coverage,
    NoMask,
    available,
    collect,
    mask_layers,
    paint_layer,
)
from .models import ModelRow
from .overview import Overview
from .pixels import Box, read_colour, read_thinned
from .reference import given_reference
from .reference_form import ReferenceForm
from .room import Room
from .snapshot import CannotEdit, area, crop_of, gone, plan_fields, take
from .widgets import BORDER, note, room_for

DEBOUNCE_MS = 250
LINES = 3
"""Lines of what is said below the form; more are scrolled to."""
PAINT = 1
"""The dialog's answer besides OK and CANCEL: the painter wants to paint a mask now."""
MOST_DIGESTED = 4_000_000
"""Pixels of a crop whose digest is worth its time, to learn whether the daemon has it cached."""


class EditDialog:
    """One open dialog.

    Args:
        image, layer: what is edited.
        jobs: the connection, and where submitted jobs go.
        choices: what to begin with.
        done: called when the dialog is closed, with False when it was cancelled.
    """

    def __init__(
        self,
        image: Gimp.Image,
        layer: Gimp.Drawable,
        jobs: Jobs,
        choices: Choices,
        done: Callable[[bool], None],
    ) -> None:
        self._image, self._layer, self._jobs, self._done = image, layer, jobs, done
        self._earlier = choices.earlier
        self._masks: list[Coverage] = []
        self._mask_trouble = ""
        self._masks_of: tuple[str, str] | None = None
        self._crop: Box | None = None
        self._digest: tuple[Box, str, float] | None = None
        self._timer = 0
        self._ticket = 0
        self._state = FormState()
        self.window = GimpUi.Dialog(use_header_bar=False, title=_("S²Edit"), role="s2edit")
        self.window.add_button(_("_Cancel"), Gtk.ResponseType.CANCEL)
        self._ok = self.window.add_button(_("_Edit"), Gtk.ResponseType.OK)
        self.window.set_default_response(Gtk.ResponseType.OK)
        GimpUi.window_set_transient(self.window)
        self._form = Form(self._later)
        self._models = ModelRow(jobs, self.window, self._later, self._form.choose_model)
        self._reference = ReferenceForm(image, layer, self._later)
        self._lost = LostRow(jobs.session.start)
        self._asks = Asks(image, layer, jobs, self._form, self._say, self._mask_made)
        self._overview = Overview(layer)
        self._fill()
        self._refresh_masks()
        offers = available(image, layer)
        # What is made again keeps its mask even where a selection offers itself.
        if choices.mask not in offers or (choices.earlier is None and offers[0] in (MASK_LAYERS, SELECTION)):
            choices.mask = offers[0]
        self._form.show(choices)
        self._reference.show(choices)
        self._wanted_model = choices.wish.model
        self.window.connect("response", self._responded)
        self.window.connect("focus-in-event", self._came_back)
        self._form.paint.connect("clicked", lambda _button: self.window.response(PAINT))
        self._form.propose.connect("clicked", lambda _button: self._ask("caption"))
        self._form.automatic.connect("clicked", lambda _button: self._ask("mask"))
        jobs.session.request("settings", on_reply=self._got_settings)
        self.window.show_all()
        self._room.fit()
        self._form.focus()

    def _fill(self) -> None:
        """Picture and figures to the left, the form to the right."""
        box = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=BORDER)
        box.set_border_width(BORDER)
        right = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=BORDER)
        self._message = note()
        self._form.widget.pack_start(self._reference.widget, False, False, 0)
        self._room = Room(self._form.widget, self.window)
        right.pack_start(self._room.widget, True, True, 0)
        for widget in (self._models.widget, room_for(self._message, LINES), self._lost.widget):
            right.pack_start(widget, False, False, 0)
        box.pack_start(self._overview.widget, False, False, 0)
        box.pack_start(right, True, True, 0)
        self.window.get_content_area().add(box)

    def connection_changed(self, state: str, message: str) -> None:
        """Say what the connection does; nothing can be submitted without one."""
        self._lost.show(state, message)
        self._show(self._state.connection(ready=state == "ready"))
        if state == "ready":
            self._models.ask()
            self._later()

    def model_changed(self, model: ModelRecord) -> None:
        """A model is being downloaded."""
        self._models.changed(model)

    # What the daemon thinks of it

    def _got_settings(self, answer: Incoming) -> None:
        self._default = models.default_model(answer.header["settings"], "gimp")
        self._models.ask(lambda titles: self._form.set_models(titles, self._wanted_model or self._default))

    _default = models.LAST_RESORT

    def _later(self) -> None:
        """Plan anew once typing pauses."""
        if self._timer:
            GLib.source_remove(self._timer)
        self._timer = GLib.timeout_add(DEBOUNCE_MS, self._plan)
        self._state.changed()

    def _plan(self) -> bool:
        self._timer = 0
        if self._gone():
            return bool(GLib.SOURCE_REMOVE)
        choices = self._read()
        if (choices.mask, choices.channel) != self._masks_of:
            self._read_masks(choices)
        self._room.fit()
        within = self._area
        fields = plan_fields(within, choices, self._masks, self._default)
        if self._digest is not None and self._digest[0] == self._crop:
            fields["photo"] = self._digest[2]
            if self._digest[1]:
                fields["image_sha256"] = self._digest[1]
        model = choices.wish.model or self._default
        self._models.choose(model)
        self._form.set_example(self._models.example(model))
        self._jobs.session.forget(self._ticket)
        self._ticket = self._jobs.session.request(
            "plan", fields, (), lambda answer: self._planned(answer, within), self._no_plan
        )
        return bool(GLib.SOURCE_REMOVE)

    def _read(self) -> Choices:
        choices = self._form.read()
        self._reference.read(choices)
        return choices

    def _planned(self, answer: Incoming, within: Box) -> None:
        if self._gone():
            return
        plan = cast(PlanReply, answer.header)
        self._form.set_candidates(plan["words"])
        self._form.show_own(plan["settings"])
        crop = crop_of(within, plan)
        if self._crop != crop:
            self._crop = crop
            self._overview.show_crop(self._crop, self._masks)
        self._show(self._state.judged(self._read().wish, self._facts(), plan))
        self._overview.show_forecast(plan["forecast"])
        if self._digest is None or self._digest[0] != self._crop:
            self._digest_crop(self._crop)
        if self._state.released():
            self.window.response(Gtk.ResponseType.OK)

    def _no_plan(self, error: WireError) -> None:
        self._show(self._state.not_judged(error))

    def _say(self, sentence: str) -> None:
        self._show(self._state.told(sentence))

    def _show(self, shown: Shown) -> None:
        self._models.advise(shown.doubt)
        self._form.mark(shown)
        self._message.set_text(shown.text)
        self._ok.set_sensitive(shown.sendable)

    def _facts(self) -> Facts:
        choices = self._read()
        return Facts(
            masked=[True] * len(self._masks),
            masks=len(self._masks),
            mask_trouble=self._mask_trouble,
            reference=choices.has_reference,
            typed=self._form.typed,
            variations=len(self._form.variations()),
            model_said=self._models.offers_download,
        )

    def _digest_crop(self, crop: Box) -> None:
        small = crop[2] * crop[3] <= MOST_DIGESTED
        digest = hashlib.sha256(read_colour(self._layer, crop).data).hexdigest() if small else ""
        looked_at = read_thinned(self._layer, crop, step_of(Area(*crop)))
        self._digest = (crop, digest, likeness(looked_at))
        self._later()

    def _gone(self) -> bool:
        """Whether the painter has closed the picture or deleted the layer meanwhile; says so."""
        trouble = gone(self._image, self._layer)
        if trouble:
            self._show(self._state.gone(trouble))
        return bool(trouble)

    # Masks

    def _refresh_masks(self) -> None:
        channels = [channel.get_name() for channel in self._image.get_channels()]
        self._form.set_masks(available(self._image, self._layer), channels)
        self._masks_of = None
        self._area = area(self._image, self._layer)

    def _read_masks(self, choices: Choices) -> None:
        self._masks_of = (choices.mask, choices.channel)
        self._mask_trouble = ""
        try:
            self._masks = collect(self._image, self._layer, choices.mask, choices.channel, self._earlier)
        except NoMask as trouble:
            self._masks, self._mask_trouble = [], str(trouble)
        self._form.set_objects([mask.title for mask in self._masks] or [""], [mask.word for mask in self._masks])
        self._crop = None

    def _came_back(self, *_event: object) -> bool:
        """The painter may have selected or painted something meanwhile."""
        if not self._gone():
            self._refresh_masks()
            self._reference.refresh()
            if self._digest is not None:
                self._digest_crop(self._digest[0])
            self._later()
        return False

    # Doing it

    def _responded(self, _dialog: Gtk.Dialog, answer: int) -> None:
        self._form.commit()
        if answer in (Gtk.ResponseType.OK, PAINT) and self._gone():
            return
        if answer == Gtk.ResponseType.OK:
            # What was chosen a moment ago may want another crop: then the press waits.
            if not self._state.press() or self._crop is None:
                return
            try:
                self._submit(self._crop)
            except CannotEdit as error:
                self._show(self._state.failed(str(error)))
                return
        elif answer == PAINT:
            paint_layer(self._image, self._layer, self._next_word())
        self._close(answer in (Gtk.ResponseType.OK, PAINT))

    def _submit(self, crop: Box) -> None:
        variations = self._form.variations()
        self._read_masks(variations[0])
        for choices in variations:
            self._reference.read(choices)
        reference = given_reference(variations[0])
        shot = take(self._image, self._layer, variations[0], self._masks, crop, self._default, reference)
        for choices in variations:
            varied = shot.with_choices(choices, self._default)
            self._jobs.submit(varied, automatic=len(variations) == 1, mask_from=choices.mask)
        self.submitted = variations[0]

    submitted: Choices | None = None
    """What was submitted: the last values of the next run."""

    def _close(self, submitted: bool) -> None:
        if self._timer:
            GLib.source_remove(self._timer)
        self.typed = self._read()
        self._jobs.session.forget(self._ticket)
        self._asks.close()
        self.window.destroy()
        self._done(submitted)

    typed: Choices | None = None
    """What was in the form when the dialog closed."""

    def _ask(self, kind: str) -> None:
        """Have the picture described, or the object found."""
        if self._gone():
            return
        crop = self._crop or self._area
        self._asks.start(kind, self._form.read(), crop, self._default)

    def _next_word(self) -> str:
        """The word of the first object without a mask layer of its own; "" when all have one."""
        painted = [mask for mask in mask_layers(self._image, self._layer) if mask.get_visible()]
        return next(iter(self._form.read().wish.words[len(painted) :]), "")

    def _mask_made(self) -> None:
        """The model's mask is on a layer now: use it."""
        self._refresh_masks()
        choices = self._form.read()
        choices.mask = available(self._image, self._layer)[0]
        self._form.show(choices)
