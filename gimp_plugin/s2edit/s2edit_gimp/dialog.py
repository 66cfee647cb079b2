"""The S²Edit dialog: the form, a picture of what will be sent, and what the daemon thinks of it while one types."""

from __future__ import annotations

from collections.abc import Callable

from gi.repository import Gdk, GimpUi, Gtk
from s2edit_editor import models
from s2edit_editor.choices import Choices
from s2edit_editor.desk import Desk
from s2edit_editor.flow import Flow
from s2edit_editor.form import Shown
from s2edit_editor.host import CHANNEL
from s2edit_editor.masks import mask_layer, next_word, offered_kinds
from s2edit_editor.order import Order
from s2edit_editor.pixels import Box
from s2edit_editor.preset_menu import PresetMenu
from s2edit_editor.text import _
from s2edit_editor.together import Together
from s2edit_editor.view import Fields, SourceLayer
from s2edit_editor.wish import Wish
from s2edit_wire.records import PlanReply

from .form import Form
from .host import GimpHost
from .lost import LostRow
from .models import ModelRow
from .overview import Overview
from .presets import offer_presets
from .prompt import sends
from .reference_form import ReferenceForm
from .room import Room
from .widgets import BORDER, ask, note, room_for

LINES = 3
"""Lines of what is said below the form; more are scrolled to."""
PAINT = 1
"""The dialog's answer besides OK and CANCEL: the painter wants to paint a mask now."""


class EditDialog:
    """One open dialog; a `view.View`.

    Args:
        host, layer: the image and the mark of what is edited.
        desk: the connection, and where submitted jobs go.
        choices: what to begin with.
        done: called when the dialog is closed, with False when it was cancelled.

    Attributes:
        flow: what happens to the form.
        submitted: what was submitted: the last values of the next run. typed: what was in the form when it closed.
    """

    def __init__(self, host: GimpHost, layer: str, desk: Desk, choices: Choices, done: Callable[[bool], None]) -> None:
        self._place, self._done = SourceLayer(host, layer), done
        self._together = Together(host, layer)
        self.submitted: Choices | None = None
        self.typed: Choices | None = None
        self.flow = flow = Flow(desk, self, still=True)
        self.window = GimpUi.Dialog(use_header_bar=False, title=_("S²Edit"), role="s2edit")
        self.window.add_button(_("_Cancel"), Gtk.ResponseType.CANCEL)
        self._ok = self.window.add_button(_("_Edit"), Gtk.ResponseType.OK)
        self.window.set_default_response(Gtk.ResponseType.OK)
        GimpUi.window_set_transient(self.window)
        self._form = Form(flow.changed, flow.choose_model)
        self._models = ModelRow(lambda: flow.act_on_model(self._ask))
        self._reference = ReferenceForm(host, layer, flow.changed)
        self._lost = LostRow(desk.open)
        self._overview = Overview(host, layer)
        self._fill()
        self.look(self._place)
        choices.choose_mask(offered_kinds(host, layer))
        self._form.show(choices)
        self._reference.show(choices)
        flow.filled(choices.wish)
        self._ok.set_tooltip_text(_("Ctrl+Enter or Shift+Enter"))
        self.window.connect("response", self._responded)
        self.window.connect("key-press-event", self._typed)
        self.window.connect("focus-in-event", self._came_back)
        self._form.paint.connect("clicked", lambda _button: self.window.response(PAINT))
        self._form.propose.connect("clicked", lambda _button: flow.ask("caption"))
        self._form.automatic.connect("clicked", lambda _button: flow.ask("mask"))
        presets = PresetMenu(flow, self)
        self._form.presets.connect("clicked", lambda button: offer_presets(button, presets))
        flow.models_changed()
        flow.linked(desk.link, "")
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

    # The flow's view

    def place(self) -> SourceLayer:
        """See `view.View`, as for all that follows."""
        return self._place

    def fields(self) -> Fields:
        """One kind of mask is chosen for all objects; each of its masks gets a field."""
        choices = self._read()
        masks, trouble = self._together.found(choices.mask, choices.mark)
        self._form.set_objects([mask.label for mask in masks] or [""], [mask.word for mask in masks])
        choices = self._read()
        wishes = tuple(self._form.variations(choices.wish))
        order = choices.order(masks)
        return Fields(order, self._form.typed, self._form.word, len(masks), trouble, wishes if len(wishes) > 1 else ())

    def look(self, place: SourceLayer) -> None:
        """Kinds of masks, and what can be taken over from."""
        channels = [choice.mark for choice in place.host.mask_choices(place.layer) if choice.kind == CHANNEL]
        self._form.set_masks(offered_kinds(*place), channels)
        self._reference.refresh()
        self._together.forget()

    def show_state(self, shown: Shown) -> None:
        """Marks at the fields, a sentence below, and the buttons."""
        self._form.mark(shown)
        self._message.set_text(shown.text)
        self._ok.set_sensitive(shown.pressable)

    def show_link(self, state: str, message: str) -> None:
        """A line of its own."""
        self._lost.show(state, message)

    def show_models(self, line: models.ChosenModel, *, listed: bool) -> None:
        """The choice and the line below the form."""
        self._form.set_models(line, listed=listed)
        self._reference.ask_what_it_shows(asked=not line.instructs)
        self._models.show(line.remark)

    def show_plan(self, plan: PlanReply) -> None:
        """Numbers, words, and the figures beside the form."""
        self._form.set_candidates(plan["words"])
        self._form.show_own(plan["settings"])
        self._overview.show_forecast(plan)
        self._room.fit()

    def show_crop(self, place: SourceLayer | None, crop: Box | None) -> None:
        """To the left of the form."""
        if place is not None and crop is not None:
            choices = self._read()
            self._overview.show_crop(crop, self._together.found(choices.mask, choices.mark)[0])

    def propose(self, word: str) -> None:
        """Into the first field."""
        self._form.propose_word(word)

    def describe(self, source: str, target: str) -> None:
        """In the form."""
        self._form.describe(source, target)

    def fill_settings(self, wish: Wish) -> None:
        """In the form."""
        self._form.fill_settings(wish)

    def take_mask(self) -> None:
        """It is a painted mask now."""
        self.look(self._place)
        choices = self._read()
        choices.mask = offered_kinds(*self._place)[0]
        self._form.show(choices)

    def handed_over(self, fields: Fields) -> None:
        """The dialog has done its work."""
        self.submitted = self._read()
        self._close(submitted=True)

    def sent(self, place: SourceLayer, order: Order) -> None:
        """The masks are hidden together with the result's layer, in one step."""

    # Doing it

    def _ask(self, question: models.LicenceQuestion, then: Callable[[], None]) -> None:
        if ask(self.window, _("Download Model"), *question):
            then()

    def _read(self) -> Choices:
        choices = self._form.read()
        self._reference.read(choices)
        return choices

    def _came_back(self, *_event: object) -> bool:
        """The painter may have selected or painted something meanwhile."""
        self.flow.look()
        return False

    def _typed(self, _window: Gtk.Window, event: Gdk.EventKey) -> bool:
        if sends(event):
            self.window.response(Gtk.ResponseType.OK)
        return sends(event)

    def _responded(self, _dialog: Gtk.Dialog, answer: int) -> None:
        self._form.commit()
        if answer == Gtk.ResponseType.OK:
            self.flow.press()
        elif answer == PAINT:
            if self.flow.begun() is not None:
                mask_layer(*self._place, next_word(*self._place, self._form.read().wish.words))
                self._close(submitted=True)
        else:
            self._close(submitted=False)

    def _close(self, *, submitted: bool) -> None:
        self.typed = self._read()
        self.flow.close()
        self.window.destroy()
        self._done(submitted)
