"""The docker: the form above, the jobs below, and what its buttons do."""
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from krita import DockWidget
from s2edit_editor import models
from s2edit_editor.flow import Flow
from s2edit_editor.form import Shown
from s2edit_editor.host import PAINTED
from s2edit_editor.later import Later
from s2edit_editor.masks import Selected, automatic, mask_layer, picked_up
from s2edit_editor.notes import recipe_in
from s2edit_editor.order import Order
from s2edit_editor.pixels import Box
from s2edit_editor.preset_menu import PresetMenu
from s2edit_editor.text import _ as tr
from s2edit_editor.text import is_right_to_left
from s2edit_editor.view import Fields, SourceLayer
from s2edit_editor.wish import Wish
from s2edit_wire.recipe import NAME as RECIPE
from s2edit_wire.records import PlanReply

from .composing import ComposeDialog
from .desk import KritaDesk
from .document import node_mark
from .form import Form
from .host import front
from .joblist import JobList
from .layers import give_back_colour
from .preview import MaskPreview
from .previewbar import PreviewBar
from .qt import QLabel, QScrollArea, Qt, QVBoxLayout, QWidget
from .questions import ask
from .room import make_room
from .variations import VariationsDialog

DOCKER_ID = "s2edit_docker"
_STROKE_S = 0.4
"""Seconds after a stroke until what it has changed is looked at."""
_RUNNING_HEIGHT = 130
"""Pixels of the list of what runs, at most: one job, and the beginning of the next."""


class Docker(DockWidget):
    """One per window; Krita makes it, so what it needs comes through the class.

    Attributes:
        desk, extension: the plug-in's only ones, set before the first docker is made.
    """

    desk: KritaDesk
    extension: Any

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle(tr("S²Edit"))
        if is_right_to_left():
            self.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        body = QWidget(self)
        self.link = QLabel(body)
        self.link.setWordWrap(True)
        self.link.setTextFormat(Qt.TextFormat.PlainText)
        self.link.setObjectName("s2edit_link")
        self.form = Form(body)
        self.preview = MaskPreview(body)
        self.form.below_masks.addWidget(self.preview)  # what is above it keeps its place while somebody paints
        # What runs is in sight, below what is typed into: that keeps its place when a job starts.
        self.previewing = PreviewBar(self.desk, self)
        self.previewed = self.previewing.preview
        self.queue = JobList(self.desk, ("queue",), self.previewed, self)
        self._running = QScrollArea(self)
        self._running.setWidgetResizable(True)
        self._running.setFrameShape(QScrollArea.Shape.NoFrame)
        self._running.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._running.setWidget(self.queue)
        self._running.hide()
        self.queue.rebuilt.connect(self._show_running)
        self.jobs = JobList(self.desk, ("history", "others"), self.previewed, body)
        layout = QVBoxLayout(body)
        layout.setContentsMargins(4, 4, 4, 4)
        for widget in (self.link, self.form, self.jobs):
            layout.addWidget(widget)
        layout.addStretch(1)
        # What is pressed most stays in sight, however small the docker is.
        whole = QWidget(self)
        outer = QVBoxLayout(whole)
        outer.setContentsMargins(0, 0, 0, 4)
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(body)
        bar = area.verticalScrollBar()
        area.setMinimumWidth(body.minimumSizeHint().width() + (bar.sizeHint().width() if bar is not None else 0))
        outer.addWidget(area, 1)
        outer.addWidget(self._running)
        outer.addWidget(self.previewing)
        outer.addWidget(self.form.footer)
        self.setWidget(whole)
        self._selected = Selected()
        self.flow = Flow(self.desk, self)
        self.form.presets.does = PresetMenu(self.flow, self)
        self._stroked = Later(self.desk.loop, _STROKE_S, self._look)
        self._connect()

    def canvasChanged(self, _canvas: Any) -> None:
        """Krita calls this when another document or view comes to the front."""
        self._look()
        for jobs in (self.queue, self.jobs):
            jobs.rebuild_soon()

    def begin(self) -> None:
        """S²Edit… was chosen in a menu: connect and put the cursor where typing starts."""
        self.desk.open()
        make_room(self)
        self._recall()
        self._look()
        self.form.source.setFocus()

    def paint_mask(self) -> None:
        """Make a mask layer for the next object and take the brush."""
        place = self.flow.begun()
        if place is None:
            return
        row = self.form.objects.row_for_painting()
        mark = mask_layer(place.host, place.layer, row.target().word)
        row.choose_mask(next(choice for choice in place.host.mask_choices(place.layer) if choice.mark == mark))
        self._look()
        self.flow.told(tr("Paint over the object, then choose “Edit”. The mask layer is not part of the picture."))

    def submit(self, order: Order, wishes: Sequence[Wish] = ()) -> None:
        """Send one job, or several wishes with the same pictures."""
        self.flow.submit(order, wishes)

    # The flow's view

    def place(self) -> SourceLayer | None:
        """See `view.View`, as for all that follows."""
        host = front()
        layer = host.edited() if host is not None else ""
        return SourceLayer(host, layer) if host is not None and layer else None

    def fields(self) -> Fields:
        """The form's."""
        return self.form.fields()

    def look(self, place: SourceLayer) -> None:
        """A selection that is new becomes the main object's mask."""
        offered = [automatic(), *place.host.mask_choices(place.layer)]
        self.form.offer_masks(offered)
        row = self.form.objects.rows[0]
        host = front()
        document = node_mark(host.document.rootNode()) if host is not None else ""
        selection = self._selected.taken(document, offered, row.target().mask)
        if selection is not None:
            row.choose_mask(selection)

    def show_state(self, shown: Shown) -> None:
        """In the form."""
        self.form.show_state(shown)

    def show_link(self, state: str, message: str) -> None:
        """A line of its own above the form, while there is something to say."""
        words = {"ready": "", "connecting": tr("Connecting to S²Edit…"), "lost": message}[state]
        self.link.setText(words)
        self.link.setVisible(bool(words))

    def show_models(self, line: models.ChosenModel, *, listed: bool) -> None:
        """In the form."""
        self.form.show_models(line, listed=listed)

    def show_plan(self, plan: PlanReply) -> None:
        """Numbers and words; the forecast comes with the state."""
        self.form.advanced.show_own(plan["settings"])
        self.form.objects.offer_words(plan["words"])

    def show_crop(self, place: SourceLayer | None, crop: Box | None) -> None:
        """Only where something is painted."""
        painted = self.form.painted()
        if place is not None and crop is not None and painted and self.isVisible():
            self.preview.show_crop(place.host, place.layer, crop, painted)
        else:
            self.preview.hide()

    def propose(self, word: str) -> None:
        """Into the first row."""
        main = self.form.objects.rows[0].word_box
        if not main.hasFocus():
            main.setEditText(word)

    def describe(self, source: str, target: str) -> None:
        """In the form."""
        self.form.source.setText(source)
        self.form.target.setText(target)

    def fill_settings(self, wish: Wish) -> None:
        """In the form."""
        self.form.fill_settings(wish)

    def take_mask(self) -> None:
        """Masks that were painted, or found, for the objects' words."""
        host = front()
        offered = host.mask_choices("") if host is not None else []
        for row in self.form.objects.rows:
            word, before = row.target()
            mask, named = picked_up(word, before, offered, self.form.source.text())
            if mask != before:
                row.choose_mask(mask)
            if named != word:
                row.word_box.setEditText(named)

    def handed_over(self, _fields: Fields) -> None:
        """The form stays as it is; the painter has the own colour again."""
        give_back_colour()

    def sent(self, place: SourceLayer, order: Order) -> None:
        """The masks have done their work: out of sight, and back to the picture's own layer."""
        masks = [mask.mark for mask in order.painted() if mask.kind == PAINTED]
        if place.host.is_open():
            if place.host.active() in masks:
                place.host.choose(place.layer)
            place.host.show(masks, visible=False)

    # What happens

    def _connect(self) -> None:
        form, desk, flow = self.form, self.desk, self.flow
        form.changed.connect(flow.changed)
        form.filled.connect(flow.filled)
        form.edit_wanted.connect(flow.press)
        form.propose_wanted.connect(lambda: flow.ask("caption"))
        form.paint_wanted.connect(self.paint_mask)
        form.automatic_wanted.connect(lambda: flow.ask("mask"))
        form.variations_wanted.connect(self._vary)
        form.compose_wanted.connect(self._compose)
        form.model_chosen.connect(flow.choose_model)
        form.model_row.pressed.connect(lambda: flow.act_on_model(self._ask))
        desk.told.link_changed.connect(flow.linked)
        desk.told.models_changed.connect(flow.models_changed)
        desk.told.default_changed.connect(flow.models_changed)
        desk.told.complained.connect(flow.failed)
        desk.told.said.connect(flow.told)
        desk.told.ended.connect(flow.ended)
        desk.told.job_changed.connect(flow.job_changed)
        desk.told.reused.connect(self._reuse)
        desk.told.layer_added.connect(flow.arrived)
        for changed in (desk.told.layer_added, desk.told.job_removed):
            changed.connect(lambda _job: self.previewed.look())
        self.extension.menus.stroke_ended.connect(self._stroked.start)
        self.visibilityChanged.connect(self._seen)
        flow.linked(desk.link, "")
        flow.models_changed()

    def _ask(self, question: models.LicenceQuestion, then: Callable[[], None]) -> None:
        ask(self, "s2edit_accept", then, *question)

    def _show_running(self) -> None:
        self._running.setFixedHeight(min(_RUNNING_HEIGHT, self.queue.sizeHint().height()))
        self._running.setVisible(not self.queue.empty)

    def _seen(self, shown: bool) -> None:
        if shown:
            self.desk.open()
            self._look()
        else:
            self.previewed.dismiss()  # its buttons are out of sight

    def _look(self) -> None:
        self.previewed.look()
        if self.isVisible():
            self.flow.look()

    def _vary(self) -> None:
        order = self.form.order()
        dialog = VariationsDialog(order.wish, self)
        if dialog.exec():
            self.submit(order, dialog.wishes())

    def _compose(self) -> None:
        dialog = ComposeDialog(self.form.order("compose"), self.form.taken, self)
        if dialog.exec():
            self.submit(dialog.order())

    def _reuse(self, wish: Wish) -> None:
        """The fields of an earlier edit, with the masks that were painted for its words."""
        self.form.fill(wish)
        self.take_mask()

    def _recall(self) -> None:
        """On a result layer, what it shows: that is what would be edited."""
        host = front()
        layer = host.active() if host is not None else ""
        recipe = recipe_in(host.note(RECIPE, layer)) if host is not None and layer else None
        if recipe is not None and not self.form.target.text():
            self.form.fill(Wish.from_edit(recipe.edit).as_start())
        self.take_mask()
