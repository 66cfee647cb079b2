"""The S²Edit dialog: the form, a picture of what will be sent, and what the daemon thinks of it while one types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from gi.repository import GimpUi, GLib, Gtk
from s2edit_editor import models
from s2edit_editor.desk import Desk
from s2edit_editor.form import Form as FormState
from s2edit_editor.form import Shown
from s2edit_editor.host import CHANNEL, EARLIER, PAINTED, SELECTION, MaskChoice
from s2edit_editor.masks import for_objects, mask_layer, offered_kinds, painted_for
from s2edit_editor.pixels import Box
from s2edit_editor.planning import Facts
from s2edit_editor.submission import Seen, Submission, area_in, gone, known, marked_in
from s2edit_editor.text import _
from s2edit_wire.errors import WireError
from s2edit_wire.records import PlanReply

from .asks import Asks
from .choices import Choices
from .form import Form
from .host import GimpHost
from .lost import LostRow
from .models import ModelRow
from .overview import Overview
from .reference_form import ReferenceForm
from .room import Room
from .widgets import BORDER, note, room_for

DEBOUNCE_MS = 250
LINES = 3
"""Lines of what is said below the form; more are scrolled to."""
PAINT = 1
"""The dialog's answer besides OK and CANCEL: the painter wants to paint a mask now."""


class EditDialog:
    """One open dialog.

    Args:
        host, layer: the image and the mark of what is edited.
        desk: the connection, and where submitted jobs go.
        choices: what to begin with.
        done: called when the dialog is closed, with False when it was cancelled.
    """

    def __init__(
        self,
        host: GimpHost,
        layer: str,
        desk: Desk,
        choices: Choices,
        done: Callable[[bool], None],
    ) -> None:
        self._host, self._layer, self._desk, self._done = host, layer, desk, done
        self._masks: list[MaskChoice] = []
        self._boxes: list[Box] = []
        self._mask_trouble = ""
        self._masks_of: tuple[str, str] | None = None
        self._crop: Box | None = None
        self._seen: Seen | None = None
        self._titles: dict[str, str] = {}
        self._timer = 0
        self._state = FormState()
        self.window = GimpUi.Dialog(use_header_bar=False, title=_("S²Edit"), role="s2edit")
        self.window.add_button(_("_Cancel"), Gtk.ResponseType.CANCEL)
        self._ok = self.window.add_button(_("_Edit"), Gtk.ResponseType.OK)
        self.window.set_default_response(Gtk.ResponseType.OK)
        GimpUi.window_set_transient(self.window)
        self._form = Form(self._later)
        self._models = ModelRow(desk, self.window, self._form.choose_model)
        self._reference = ReferenceForm(host, layer, self._later)
        self._lost = LostRow(desk.open)
        self._asks = Asks(desk, self._form, self._say, self._mask_made)
        self._overview = Overview(host, layer)
        self._fill()
        self._refresh_masks()
        offers = offered_kinds(host, layer)
        # What is made again keeps its mask even where a selection offers itself.
        again = choices.mask == EARLIER and choices.mark
        if choices.mask not in offers or (not again and offers[0] in (PAINTED, SELECTION)):
            choices.mask = offers[0]
        self._form.show(choices)
        self._reference.show(choices)
        self._wanted_model = choices.wish.model
        self.window.connect("response", self._responded)
        self.window.connect("focus-in-event", self._came_back)
        self._form.paint.connect("clicked", lambda _button: self.window.response(PAINT))
        self._form.propose.connect("clicked", lambda _button: self._ask("caption"))
        self._form.automatic.connect("clicked", lambda _button: self._ask("mask"))
        self.models_changed()
        self.connection_changed(desk.link, "")
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
            self._later()

    def models_changed(self) -> None:
        """There are newer words on the models, or another one is the default."""
        known = models.editors(self._desk.models.values())
        titles = {name: models.title(model) for name, model in known.items()}
        if titles != self._titles:  # a list that somebody has open is not made anew for each percent of a download
            self._titles = titles
            self._form.set_models(titles, self._wanted_model or self._desk.default)
            self._later()
        if self._models.line.know(known):
            self._later()
        self._models.show()

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
        if (choices.mask, choices.mark) != self._masks_of:
            self._read_masks(choices)
        self._room.fit()
        submission = self._submission(choices)
        seen = self._seen if self._seen is not None and self._seen.crop == self._crop else None
        model = choices.wish.model or self._desk.default
        self._models.line.choose(model)
        self._models.show()
        self._form.set_example(models.example(self._models.line.known, model))
        self._desk.ask(
            "plan", submission.plan(seen), lambda reply, _frames: self._planned(reply, submission), self._no_plan
        )
        return bool(GLib.SOURCE_REMOVE)

    def _read(self) -> Choices:
        choices = self._form.read()
        self._reference.read(choices)
        return choices

    def _submission(self, choices: Choices) -> Submission:
        order = choices.order(self._masks)
        return Submission(self._host, self._layer, order, self._desk.default, self._area, self._boxes)

    def _planned(self, reply: Mapping[str, Any], submission: Submission) -> None:
        if self._gone():
            return
        plan = cast(PlanReply, reply)
        self._form.set_candidates(plan["words"])
        self._form.show_own(plan["settings"])
        crop = submission.crop(plan)
        if self._crop != crop:
            self._crop = crop
            self._overview.show_crop(self._crop, self._masks)
        self._show(self._state.judged(self._read().wish, self._facts(), plan))
        self._overview.show_forecast(plan)
        if self._seen is None or self._seen.crop != self._crop:
            self._look(submission)
        if self._state.released():
            self.window.response(Gtk.ResponseType.OK)

    def _no_plan(self, error: WireError) -> None:
        self._show(self._state.not_judged(error))

    def _say(self, sentence: str) -> None:
        self._show(self._state.told(sentence))

    def _show(self, shown: Shown) -> None:
        self._models.line.doubt = shown.doubt
        self._models.show()
        self._form.mark(shown)
        self._message.set_text(shown.text)
        self._ok.set_sensitive(shown.sendable)

    def _facts(self) -> Facts:
        choices = self._read()
        return Facts(
            masked=[True] * len(self._masks),
            masks=len(self._masks),
            mask_trouble=self._mask_trouble,
            reference=bool(choices.reference),
            typed=self._form.typed,
            variations=len(self._form.variations()),
            model_said=self._models.line.offers_download,
        )

    def _look(self, submission: Submission) -> None:
        """See what the next plan wants to know of the crop."""
        self._seen = submission.look(self._crop) if self._crop is not None else None
        self._later()

    def _gone(self) -> bool:
        """Whether the painter has closed the picture or deleted the layer meanwhile; says so."""
        trouble = gone(self._host, self._layer)
        if trouble:
            self._show(self._state.gone(trouble))
        return bool(trouble)

    # Masks

    def _refresh_masks(self) -> None:
        channels = [choice.mark for choice in self._host.mask_choices(self._layer) if choice.kind == CHANNEL]
        self._form.set_masks(offered_kinds(self._host, self._layer), channels)
        self._masks_of = None
        self._area = area_in(self._host, self._layer)

    def _read_masks(self, choices: Choices) -> None:
        self._masks_of = (choices.mask, choices.mark)
        self._masks, self._mask_trouble = [], ""
        try:
            self._masks = for_objects(self._host, self._layer, self._area, choices.mask, choices.mark)
        except WireError as trouble:
            self._mask_trouble = f"{trouble.message} {trouble.hint}".strip()
        self._boxes = [marked_in(self._host, mask, self._area) for mask in self._masks]
        self._form.set_objects([mask.label for mask in self._masks] or [""], [mask.word for mask in self._masks])
        self._crop = None

    def _came_back(self, *_event: object) -> bool:
        """The painter may have selected or painted something meanwhile."""
        if not self._gone():
            self._refresh_masks()
            self._reference.refresh()
            if self._seen is not None:
                self._seen = self._submission(self._read()).look(self._seen.crop)
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
            except WireError as error:
                self._show(self._state.failed(f"{error.message} {error.hint}".strip()))
                return
        elif answer == PAINT:
            mask_layer(self._host, self._layer, self._next_word())
        self._close(answer in (Gtk.ResponseType.OK, PAINT))

    def _submit(self, crop: Box) -> None:
        variations = self._form.variations()
        self._read_masks(variations[0])
        for choices in variations:
            self._reference.read(choices)
        parcel = self._submission(variations[0]).take(crop)
        for choices in variations:
            varied = parcel.wishing(choices.wish, self._desk.default)
            self._desk.submit(self._host, varied, as_layer=len(variations) == 1)
        self.submitted = variations[0]

    submitted: Choices | None = None
    """What was submitted: the last values of the next run."""

    def _close(self, submitted: bool) -> None:
        if self._timer:
            GLib.source_remove(self._timer)
        self.typed = self._read()
        self._desk.drop("plan")
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
        self._asks.start(kind, self._submission(self._form.read()), crop)

    def _next_word(self) -> str:
        """The word of the first object without a mask layer of its own; "" when all have one."""
        layers = known(self._host)
        painted = [mark for mark in painted_for(self._host.layers(), self._layer) if layers[mark].visible]
        return next(iter(self._form.read().wish.words[len(painted) :]), "")

    def _mask_made(self) -> None:
        """The model's mask is on a layer now: use it."""
        self._refresh_masks()
        choices = self._form.read()
        choices.mask = offered_kinds(self._host, self._layer)[0]
        self._form.show(choices)
