"""The docker: the form above, the jobs below, and what its buttons do."""
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from krita import DockWidget
from s2edit_editor.form import Form as FormState
from s2edit_editor.form import described
from s2edit_editor.host import PAINTED
from s2edit_editor.masks import Selected, automatic, mask_layer, picked_up
from s2edit_editor.notes import recipe_in
from s2edit_editor.order import Order
from s2edit_editor.pixels import Box, Picture
from s2edit_editor.planning import Facts
from s2edit_editor.sending import send
from s2edit_editor.submission import Submission
from s2edit_editor.text import _ as tr
from s2edit_editor.text import is_right_to_left
from s2edit_editor.wish import Wish, one_sentence
from s2edit_wire.errors import WireError
from s2edit_wire.recipe import NAME as RECIPE
from s2edit_wire.records import PlanReply

from .composing import ComposeDialog
from .desk import Desk
from .document import node_mark
from .form import Form
from .host import KritaHost, front
from .joblist import JobList
from .layers import give_back_colour
from .preview import MaskPreview
from .qt import QApplication, QLabel, QScrollArea, Qt, QTimer, QVBoxLayout, QWidget
from .room import make_room
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
        host, layer = self._host_and_layer()
        if host is None:
            return
        row = self.form.objects.row_for_painting()
        mark = mask_layer(host, layer, row.target().word)
        row.choose_mask(next(choice for choice in host.mask_choices(layer) if choice.mark == mark))
        self._look()
        self._ask_to_paint()

    def _ask_to_paint(self) -> None:
        self._say(tr("Paint over the object, then choose “Edit”. The mask layer is not part of the picture."))

    def _say(self, sentence: str) -> None:
        self.form.show_state(self._state.told(sentence))

    def submit(self, order: Order, wishes: Sequence[Wish] = ()) -> None:
        """Send one job, or several wishes with the same pictures."""
        host, layer = self._host_and_layer()
        if host is None:
            return
        if self._state.lacks(order.wish, self._facts(order)):
            self.form.show_state(self._state.shown)
            return
        give_back_colour()
        self._say(tr("Sending…"))
        try:
            asked = Submission.of(host, layer, order, self.desk.default)
        except WireError as error:
            self._failed(error)
            return
        answer = self._described if order.wish.kind == "caption" else None
        hide = [mask.mark for mask in order.painted() if mask.kind == PAINTED]
        sent = lambda: self._sent(host, layer, hide)  # noqa: E731
        send(self.desk, asked, self._failed, wishes=wishes, answer=answer, sent=sent)

    def _sent(self, host: KritaHost, layer: str, masks: Sequence[str]) -> None:
        """The masks have done their work: out of sight, and back to the picture's own layer."""
        self._say(tr("Sent. You can go on painting."))
        if host.is_open():
            if host.active() in masks:
                host.choose(layer)
            host.show(masks, visible=False)

    def _described(self, header: Mapping[str, Any], _pictures: Mapping[str, Picture]) -> None:
        caption = str(header["record"].get("caption", ""))
        source, target = described(caption, self.form.target.text())
        self.form.source.setText(source)
        self.form.target.setText(target)

    def _failed(self, error: WireError) -> None:
        self._complained(f"{error.message} {error.hint}".strip())

    def _connect(self) -> None:
        form, desk = self.form, self.desk
        form.changed.connect(self._changed)
        form.edit_wanted.connect(self._edit)
        form.propose_wanted.connect(lambda: self._ask("caption"))
        form.paint_wanted.connect(self.paint_mask)
        form.automatic_wanted.connect(lambda: self._ask("mask"))
        form.variations_wanted.connect(self._vary)
        form.compose_wanted.connect(self._compose)
        form.model_row.action_wanted.connect(
            lambda model, action: desk.act_on_model(model, action, form.model_row.refused)
        )
        desk.told.link_changed.connect(self._linked)
        desk.told.models_changed.connect(self._models)
        desk.told.default_changed.connect(lambda: form.use_default(desk.default))
        desk.told.complained.connect(self._complained)
        desk.told.said.connect(self._say)
        desk.told.reused.connect(self._reuse)
        desk.told.layer_added.connect(self._added)
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

    def _host_and_layer(self) -> tuple[KritaHost | None, str]:
        host = front()
        layer = host.edited() if host is not None else ""
        if not layer:
            self.form.show_state(self._state.failed(tr("Open a picture and choose a layer first.")))
        return (host, layer) if layer else (None, "")

    def _ask(self, kind: str) -> None:
        self.submit(self.form.order().asking(kind))

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
        order = self.form.order()
        dialog = VariationsDialog(order.wish, self)
        if dialog.exec():
            self.submit(order, dialog.wishes())

    def _compose(self) -> None:
        dialog = ComposeDialog(self.form.order("compose"), self.form.taken, self)
        if dialog.exec():
            self.submit(dialog.order())

    def _look(self) -> None:
        """See what masks there are now, and draw the preview."""
        host = front()
        layer = host.edited() if host is not None and self.isVisible() else ""
        if host is None or not layer:
            self.preview.hide()
            return
        offered = [automatic(), *host.mask_choices(layer)]
        self.form.offer_masks(offered)
        row = self.form.objects.rows[0]
        selection = self._selected.taken(node_mark(host.document.rootNode()), offered, row.target().mask)
        if selection is not None:
            row.choose_mask(selection)
        painted = self.form.painted()
        inside = self._crop and self._crop.clipped(*host.canvas())  # of another picture, until the next plan
        if painted and inside is not None:
            self.preview.show_crop(host, layer, inside, painted)
        else:
            self.preview.hide()
        self._planning.start()

    def _added(self, job: str) -> None:
        record = self.desk.book.all.get(job)
        if record is not None:
            self._say(tr("The result is there, as a new layer."))
            if record["edit"]["kind"] == "mask":
                self._pick_up_masks()
        self._settling.start()

    def _reuse(self, wish: Wish) -> None:
        """The fields of an earlier edit, with the masks that were painted for its words."""
        self.form.fill(wish)
        self._pick_up_masks()

    def _pick_up_masks(self) -> None:
        host = front()
        offered = host.mask_choices("") if host is not None else []
        for row in self.form.objects.rows:
            word, before = row.target()
            mask, named = picked_up(word, before, offered, self.form.source.text())
            if mask != before:
                row.choose_mask(mask)
            if named != word:
                row.word_box.setEditText(named)

    def _recall(self) -> None:
        """On a result layer, what it shows: that is what would be edited."""
        host = front()
        layer = host.active() if host is not None else ""
        recipe = recipe_in(host.note(RECIPE, layer)) if host is not None and layer else None
        if recipe is not None and not self.form.target.text():
            self.form.fill(Wish.from_edit(recipe.edit).as_start())
        self._pick_up_masks()

    def _plan(self) -> None:
        """Let the daemon say what is wrong with the fields as they are, and how long it would take."""
        host = front()
        layer = host.edited() if host is not None else ""
        if host is None or not layer or self.desk.link != "ready":
            return
        try:
            asked = Submission.of(host, layer, self.form.order(), self.desk.default)
        except WireError:
            # Not painted yet is no mistake yet; whoever submits all the same is told.
            if not self._state.shown.bad:
                self._ask_to_paint()
            return
        fields = asked.plan(asked.look(self._crop) if self._crop is not None else None)

        def failed(error: WireError) -> None:
            self.form.show_state(self._state.not_judged(error))

        self.desk.ask("plan", fields, lambda reply, _pictures: self._planned(reply, asked), failed, asker=self)

    def _planned(self, reply: Mapping[str, Any], asked: Submission) -> None:
        plan = cast(PlanReply, reply)
        crop = asked.crop(plan)
        if self._crop != crop:
            self._crop = crop
            self._drawing.start()  # which plans once more, with the facts about what will be sent
        self.form.advanced.show_own(plan["settings"])
        self.form.offer_words(plan["words"])
        order = self.form.order()
        self.form.show_state(self._state.judged(order.wish, self._facts(order), plan))

    def _facts(self, order: Order) -> Facts:
        painted = [mask for mask in self.form.painted() if mask.kind == PAINTED]
        edits = order.wish.kind == "edit"  # all other kinds take no more objects than they name
        return Facts(
            masked=order.masked,
            masks=len(painted) if edits else sum(order.masked),
            reference=order.reference is not None,
            typed=one_sentence(self.form.target.text()) if edits else "",
            connected=self.desk.link == "ready",
            model_said=self.form.model_row.line.offers_download,
        )

    def _complained(self, sentence: str) -> None:
        self.form.show_state(self._state.failed(sentence))

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

    def _timer(self, milliseconds: int, act: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        timer.timeout.connect(act)
        return timer
