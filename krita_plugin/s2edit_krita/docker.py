"""The docker: the form above, the jobs below, and what its buttons do."""
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from krita import DockWidget
from s2edit_editor.area import crop_on_canvas
from s2edit_editor.form import Form as FormState
from s2edit_editor.host import PAINTED, MaskChoice
from s2edit_editor.masks import Selected, automatic, picked_up
from s2edit_editor.pixels import Box
from s2edit_editor.planning import Facts
from s2edit_editor.text import _ as tr
from s2edit_editor.text import is_right_to_left
from s2edit_editor.wish import Wish, one_sentence
from s2edit_wire.errors import WireError
from s2edit_wire.records import PlanReply

from . import history, masks, recipes
from .composing import ComposeDialog
from .desk import Desk
from .document import active, canvas, is_open, node_mark, source_layer
from .form import Form
from .joblist import JobList
from .layers import add_object_mask, give_back_colour, hide_object_masks, take_brush
from .order import Order
from .preview import MaskPreview
from .qt import QApplication, QLabel, QScrollArea, Qt, QTimer, QVBoxLayout, QWidget
from .room import make_room
from .submitting import add_facts, area_for, plan_fields, submit
from .variations import VariationsDialog

DOCKER_ID = "s2edit_docker"
_PLAN_MS = 350
_STROKE_MS = 400
_SETTLE_MS = 2_000
_RUNNING_HEIGHT = 130
"""Pixels of the list of what runs, at most: one job, and the beginning of the next."""


class Docker(DockWidget):
    """One per window; Krita makes it, so what it needs comes through the class.

    Attributes:
        desk, extension: the plug-in's only ones, set before the first docker is made.
    """

    desk: Desk
    extension: Any

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle(tr("S²Edit"))
        if is_right_to_left():
            self.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        body = QWidget(self)
        self.link = QLabel(body)
        self.link.setWordWrap(True)
        self.link.setObjectName("s2edit_link")
        self.form = Form(body)
        self.preview = MaskPreview(body)
        self.form.below_masks.addWidget(self.preview)  # what is above it keeps its place while somebody paints
        # What runs is in sight, below what is typed into: that keeps its place when a job starts.
        self.queue = JobList(self.desk, ("queue",), self)
        self._running = QScrollArea(self)
        self._running.setWidgetResizable(True)
        self._running.setFrameShape(QScrollArea.Shape.NoFrame)
        self._running.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._running.setWidget(self.queue)
        self._running.hide()
        self.queue.rebuilt.connect(self._show_running)
        self.jobs = JobList(self.desk, ("history", "others"), body)
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
        outer.addWidget(self.form.footer)
        self.setWidget(whole)
        self._crop: Box | None = None
        self._selected = Selected()
        self._colour: Any = None
        self._state = FormState()
        self._planning = self._timer(_PLAN_MS, self._plan)
        self._looking = self._timer(_STROKE_MS, self._look)
        self._drawing = self._timer(0, self._look)  # however many plans came at once
        # A new layer is the active one for a moment; the preview shall show the painter's own.
        self._settling = self._timer(_SETTLE_MS, self._look)
        self._pressed = self._timer(QApplication.doubleClickInterval(), lambda: None)
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
        document, layer = self._document_and_layer()
        if document is None or layer is None:
            return
        number, row = self.form.objects.row_for_painting()
        word = row.target().word or tr("object")
        node = add_object_mask(document, layer, word)
        self._colour = take_brush(number) or self._colour
        register = history.load(document)
        register.masks[node_mark(node)] = history.MaskLayer(word, node_mark(layer))
        history.store(document, register)
        row.choose_mask(MaskChoice(PAINTED, node_mark(node), node.name(), word))
        self._look()
        self._ask_to_paint()

    def _ask_to_paint(self) -> None:
        self._say(tr("Paint over the object, then choose “Edit”. The mask layer is not part of the picture."))

    def _say(self, sentence: str) -> None:
        self.form.show_state(self._state.told(sentence))

    def submit(self, order: Order) -> None:
        """Send one job."""
        document, layer = self._document_and_layer()
        if document is None or layer is None:
            return
        if not order.wish.words and order.wish.kind != "caption" and self._state.lacks(order.wish, self._facts(order)):
            self.form.show_state(self._state.shown)
            return
        if self._colour is not None:
            give_back_colour(self._colour)
            self._colour = None
        self._say(tr("Sending…"))
        submit(self.desk, document, order, lambda _job: self._sent(document, layer, order))

    def _sent(self, document: Any, layer: Any, order: Order) -> None:
        """The masks have done their work: out of sight, and back to the picture's own layer."""
        self._say(tr("Sent. You can go on painting."))
        if not is_open(document):
            return
        hide_object_masks(document, [mask.mark for mask in order.painted() if mask.kind == PAINTED], layer)

    def _connect(self) -> None:
        form, desk = self.form, self.desk
        form.changed.connect(self._changed)
        form.edit_wanted.connect(self._edit)
        form.propose_wanted.connect(self._propose)
        form.paint_wanted.connect(self.paint_mask)
        form.automatic_wanted.connect(self._automatic)
        form.variations_wanted.connect(self._vary)
        form.compose_wanted.connect(self._compose)
        form.model_row.action_wanted.connect(
            lambda model, action: desk.act_on_model(model, action, form.model_row.refused)
        )
        desk.link_changed.connect(self._linked)
        desk.models_changed.connect(self._models)
        desk.default_told.connect(form.use_default)
        desk.complained.connect(self._complained)
        desk.said.connect(self._say)
        desk.captioned.connect(self.form.source.setText)
        desk.reused.connect(self._reuse)
        desk.layer_added.connect(self._added)
        self.extension.menus.stroke_ended.connect(self._looking.start)
        self.visibilityChanged.connect(self._seen)
        self._linked(desk.link, "")
        self._models()

    def _show_running(self) -> None:
        self._running.setFixedHeight(min(_RUNNING_HEIGHT, self.queue.sizeHint().height()))
        self._running.setVisible(not self.queue.empty)

    def _seen(self, shown: bool) -> None:
        if shown:
            self.desk.open()
            self._look()

    def _document_and_layer(self) -> tuple[Any, Any]:
        document = active()
        layer = source_layer(document) if document is not None else None
        if layer is None:
            self.form.show_state(self._state.failed(tr("Open a picture and choose a layer first.")))
        return document, layer

    def _propose(self) -> None:
        order = self.form.order("caption")
        self.submit(replace(order, wish=replace(order.wish, words=()), masks=()))

    def _automatic(self) -> None:
        order = self.form.order("mask")
        wish = replace(order.wish, words=order.wish.words[:1])
        self.submit(replace(order, wish=wish, masks=(automatic(),)[: len(wish.words)], edit_mask=None))

    def _changed(self) -> None:
        """What went wrong with other fields is said no longer."""
        self._state.changed()
        self._planning.start()

    def _edit(self) -> None:
        """A double click is one wish."""
        if not self._pressed.isActive():
            self._pressed.start()
            self.submit(self.form.order())

    def _vary(self) -> None:
        dialog = VariationsDialog(self.form.order(), self)
        if dialog.exec():
            for order in dialog.orders():
                self.submit(order)

    def _compose(self) -> None:
        dialog = ComposeDialog(self.form.order("compose"), self.form.taken, self)
        if dialog.exec():
            self.submit(dialog.order())

    def _look(self) -> None:
        """See what masks there are now, and draw the preview."""
        document = active()
        layer = source_layer(document) if document is not None and self.isVisible() else None
        if document is None or layer is None:
            self.preview.hide()
            return
        offered = masks.sources(document, layer)
        self.form.offer_masks(offered)
        row = self.form.objects.rows[0]
        selection = self._selected.taken(node_mark(document.rootNode()), offered, row.target().mask)
        if selection is not None:
            row.choose_mask(selection)
        painted = self.form.painted()
        inside = self._crop and self._crop.clipped(*canvas(document))  # of another picture, until the next plan
        if painted and inside is not None:
            self.preview.show_crop(document, layer, inside, painted)
        else:
            self.preview.hide()
        self._planning.start()

    def _added(self, job: str) -> None:
        if job in self.desk.jobs:
            self._say(tr("The result is there, as a new layer."))
            if self.desk.jobs[job]["edit"]["kind"] == "mask":
                self._pick_up_masks()
        self._settling.start()

    def _reuse(self, wish: Wish) -> None:
        """The fields of an earlier edit, with the masks that were painted for its words."""
        self.form.fill(wish)
        self._pick_up_masks()

    def _pick_up_masks(self) -> None:
        document = active()
        if document is None:
            return
        offered = masks.sources(document, None)
        for row in self.form.objects.rows:
            word, before = row.target().word, row.target().mask
            mask, named = picked_up(word, before, offered, self.form.source.text())
            if mask != before:
                row.choose_mask(mask)
            if named != word:
                row.word_box.setEditText(named)

    def _recall(self) -> None:
        """On a result layer, what it shows: that is what would be edited."""
        document = active()
        node = document.activeNode() if document is not None else None
        if node is not None and not self.form.target.text():
            values = recipes.values_of_layer(document, node_mark(node))
            if values:
                self.form.fill(values)
        self._pick_up_masks()

    def _plan(self) -> None:
        """Let the daemon say what is wrong with the fields as they are, and how long it would take."""
        document = active()
        order = self.form.order()
        if document is None or self.desk.link != "ready":
            return
        try:
            layer = source_layer(document)
            if layer is None:
                return
            within = area_for(document, layer, order)
            fields = plan_fields(document, order, within)
        except WireError:
            # Not painted yet is no mistake yet; whoever submits all the same is told.
            if not self._state.shown.bad:
                self._ask_to_paint()
            return
        if self._crop is not None:
            add_facts(fields, document, None if order.whole else layer, self._crop)
        self.desk.request(
            "plan",
            fields,
            lambda reply, _frames: self._planned(reply, within),
            failed=lambda error: self.form.show_state(self._state.not_judged(error)),
        )

    def _planned(self, reply: dict[str, Any], within: Box) -> None:
        crop = crop_on_canvas(within, reply["crop"])
        if self._crop != crop:
            self._crop = crop
            self._drawing.start()  # which plans once more, with the facts about what will be sent
        self.form.advanced.show_own(reply.get("settings", {}))  # a daemon of before this field
        self.form.offer_words(reply["words"])
        order = self.form.order()
        self.form.show_state(self._state.judged(order.wish, self._facts(order), cast(PlanReply, reply)))

    def _facts(self, order: Order) -> Facts:
        return Facts(
            masked=order.masked,
            masks=len([mask for mask in self.form.painted() if mask.kind == PAINTED]),
            reference=order.reference is not None,
            typed=one_sentence(self.form.target.text()) if order.wish.kind == "edit" else "",
            connected=self.desk.link == "ready",
            model_said=bool(self.form.model_row.remark.action),
        )

    def _complained(self, message: str, hint: str) -> None:
        self.form.show_state(self._state.failed(f"{message} {hint}".strip()))

    def _linked(self, state: str, message: str) -> None:
        words = {"ready": "", "connecting": tr("Connecting to S²Edit…"), "lost": message}[state]
        self.link.setText(words)
        self.link.setVisible(bool(words))
        self.form.show_state(self._state.connection(ready=state == "ready"))
        if state == "ready":
            self._planning.start()

    def _models(self) -> None:
        self.form.offer_models(list(self.desk.models.values()))
        self._planning.start()

    def _timer(self, milliseconds: int, act: Any) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        timer.timeout.connect(act)
        return timer
