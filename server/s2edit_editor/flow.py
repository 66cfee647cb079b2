"""What happens to an edit's form, once for both editors: when it is planned, what answer counts, what is said and sent.

A view (`view.View`) has the fields and shows; it tells the flow what happened, and decides nothing. The daemon is asked
a moment after the last change; what it says of the fields as they are then is shown, and it is asked once more with
what will be sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from s2edit_wire.errors import WireError
from s2edit_wire.records import PlanReply

from . import models
from .desk import Desk
from .form import Form, MainWord, Shown, described
from .later import Later
from .order import Order
from .pixels import Box, Picture
from .planning import Facts
from .sending import send
from .submission import Seen, Submission, gone
from .text import _
from .view import Fields, SourceLayer, View
from .wish import Wish

PAUSE_S = 0.3
"""Seconds without a change after which the fields are planned."""
SETTLED_S = 2.0
"""Seconds after which a new layer is no longer the active one by itself."""
TWICE_S = 0.4
"""Seconds in which a second press is the same wish."""
_QUESTIONS = frozenset({"caption", "mask"})
"""Kinds of jobs whose buttons rest while one is under way."""
_NEVER = "-"
"""Stands for the job of a question that was not sent."""


class Flow:
    """One form.

    Args:
        desk: the connection, and where jobs go.
        view: the form.
        still: whether the document changes only where `look` tells of it, so that a look at it can be kept.

    Attributes:
        state: what is wrong and said. line: the chosen model, and what is to be said of it.
        crop: what would be sent, as the last plan has it.
    """

    def __init__(self, desk: Desk, view: View, *, still: bool = False) -> None:
        self._desk, self._view, self._still = desk, view, still
        self.state, self.line = Form(), models.ChosenModel()
        self.crop: Box | None = None
        self._word = MainWord()
        self._kept: tuple[tuple[object, ...], Submission, str] | None = None
        self._seen: Seen | None = None
        self._drawn: tuple[object, ...] = ()
        self._asks: dict[str, str] = {}
        self._sending = self._closed = False
        self._goes_on = ""  # the layer for which “Edit” was pressed before it was described
        self._planning = Later(desk.loop, PAUSE_S, self.plan)
        self._settling = Later(desk.loop, SETTLED_S, self._look)
        self._pressed = Later(desk.loop, TWICE_S, lambda: None)
        self._drawing = Later(desk.loop, 0.0, self._draw)  # once, however many plans came at one time

    def close(self) -> None:
        """The form is gone: answers that still come are dropped, jobs go on."""
        self._closed = True
        for later in (self._planning, self._settling, self._pressed, self._drawing):
            later.stop()
        self._desk.drop("plan", self)

    # What the view tells

    def changed(self) -> None:
        """A field changed: what went wrong with other fields is said no longer, and a plan comes once typing pauses."""
        self.state.changed()
        self._planning.start()

    def filled(self, wish: Wish) -> None:
        """The fields are those of an earlier edit."""
        self._word.recall(next(iter(wish.words), ""))
        self.choose_model(wish.model)

    def look(self) -> None:
        """See what is in the document: after a stroke, on another layer, and when the painter comes back."""
        self.state.changed()
        self._look()

    def _look(self) -> None:
        self._kept = self._seen = None
        place = self._place()
        if place is not None:
            self._view.look(place)
            self._planning.start()
        self._draw()

    def _draw(self) -> None:
        place = self._place()
        self._view.show_crop(place, self._inside(place) if place is not None else None)

    def press(self) -> None:
        """“Edit” was pressed, or its key; a double click is one wish. Without a connection a line tells of that.

        One sentence is enough: where only the change is said, the picture is described first, and the edit follows.
        """
        if self._sending or self._pressed.waiting or self._desk.link != "ready":
            return
        self._pressed.start()
        fields = self._fields()
        place = self._place()
        if fields.only_the_change and place is not None:
            self.ask("caption")
            self._goes_on = place.layer if "caption" in self._under_way() else ""
            return
        self.submit(fields.order, fields.wishes)

    def ask(self, kind: str) -> None:
        """Have the picture described (`caption`), or the object found (`mask`); once at a time."""
        if kind not in self._under_way():
            self.submit(self._fields().order.asking(kind))

    def submit(self, order: Order, wishes: Sequence[Wish] = ()) -> None:
        """Send one job, or several wishes with the same pictures: planned once more, as it is now."""
        order, wishes = self._for_model(order, wishes)
        kind, fields, place = order.wish.kind, self._fields(), self.begun()
        if place is None:
            return
        if self.state.lacks(order.wish, self._facts(fields, order, len(wishes))):
            self._show(self.state.shown)
            return
        try:
            asked = Submission.of(*place, order, self._desk.default)
        except WireError as error:
            self.failed(error.sentence)
            return
        self._sending = True
        if kind in _QUESTIONS:
            self._asks[kind] = ""
        self.told(_("Looking at the picture…") if kind in _QUESTIONS else _("Sending…"))

        def handed(jobs: Sequence[str]) -> None:
            self._handed(kind, jobs, fields)

        def failed(error: WireError) -> None:
            self._handed(kind, (), fields)
            self.failed(error.sentence)

        def sent() -> None:
            if not self._closed:
                if kind not in _QUESTIONS:
                    self.told(_("Sent. You can go on painting."))
                self._view.sent(place, order)

        answer = self._described if kind == "caption" else None
        wanted = lambda: not self._closed  # noqa: E731
        send(self._desk, asked, failed, wishes=wishes, answer=answer, wanted=wanted, handed=handed, sent=sent)

    def _handed(self, kind: str, jobs: Sequence[str], fields: Fields) -> None:
        """What is sent has these jobs now; none when it was not sent."""
        self._sending = False
        if kind in _QUESTIONS:
            self._asks[kind] = jobs[0] if jobs else _NEVER
        elif jobs and not self._closed:
            self._view.handed_over(fields)

    def _fields(self) -> Fields:
        """What the form's fields hold for the chosen model: one that takes an instruction has no use for the others."""
        fields = self._view.fields()
        order, wishes = self._for_model(fields.order, fields.wishes)
        return replace(fields, order=order, word="" if order.wish.instructs else fields.word, wishes=tuple(wishes))

    def _for_model(self, order: Order, wishes: Sequence[Wish]) -> tuple[Order, Sequence[Wish]]:
        if not self.line.instructs or order.wish.kind not in ("edit", "compose"):
            return order, wishes
        return order.instructing(), [wish.instructing() for wish in wishes]

    def begun(self) -> SourceLayer | None:
        """What something shall be done with now; None where there is nothing, which is said."""
        if self._view.place() is None:
            self.failed(_("Open a picture and choose a layer first."))
        return self._place()

    # What the desk tells

    def linked(self, state: str, message: str) -> None:
        """The connection's state, with a sentence."""
        self._view.show_link(state, message)
        self._show(self.state.connection(ready=state == "ready"))
        if state == "ready":
            self._planning.start()

    def models_changed(self) -> None:
        """There are newer words on the models, or another one is the default."""
        listed, ready = self.line.know(models.editors(self._desk.models.values()), self._desk.default)
        self._view.show_models(self.line, listed=listed)
        if listed or ready:
            self._planning.start()

    def choose_model(self, model: str) -> None:
        """A model was chosen by its id, "" for the default one."""
        self.line.choose(model)
        self._view.show_models(self.line, listed=False)

    def act_on_model(self, ask: Callable[[models.LicenceQuestion, Callable[[], None]], None]) -> None:
        """The button beside the model was pressed.

        Args:
            ask: asks a question, and acts after a yes.
        """
        remark, chosen = self.line.remark, self.line.chosen
        if remark.instead:
            self.choose_model(remark.instead)
            self.changed()
            return
        action, question = self.line.asked(remark.action)

        def go() -> None:
            self._desk.act_on_model(chosen, action, self._model_refused)

        if question is None:
            go()
        else:  # only a “yes” is told to the daemon, which records it
            ask(question, go)

    def job_changed(self, job: str) -> None:
        """Something about a job changed: of one that was asked for here, whether it is still under way."""
        if job in self._asks.values():
            self._show(self.state.shown)

    def arrived(self, job: str) -> None:
        """A result is a layer now."""
        record = self._desk.book.all.get(job)
        if record is None or self._closed:
            return
        self.told(_("The result is there, as a new layer."))
        if record["edit"]["kind"] == "mask":
            self._view.take_mask()
        self._settling.start()

    def ended(self, job: str, sentence: str) -> None:
        """A job of this run ended without becoming a layer by itself."""
        if job == self._asks.get("caption"):
            self._goes_on = ""
        record = self._desk.book.all.get(job)
        (self.failed if record is not None and record["state"] == "failed" else self.told)(sentence)

    def told(self, sentence: str) -> None:
        """Say that something went on as it should."""
        self._show(self.state.told(sentence))

    def failed(self, sentence: str) -> None:
        """Say what went wrong; nothing follows by itself then."""
        self._goes_on = ""
        self._show(self.state.failed(sentence))

    # Planning

    def plan(self) -> None:
        """Let the daemon say what is wrong with the fields as they are, and how long it would take."""
        place = self._place()
        if place is None or self._desk.link != "ready":
            return
        fields = self._fields()
        try:
            asked, trouble = self._asked(place, fields)
        except WireError as error:  # such as an empty layer: no mistake yet; whoever submits all the same is told
            self._show(self.state.told(error.sentence))
            return
        request = asked.plan(self._looked(asked))

        def came(reply: Mapping[str, Any], _pictures: object) -> None:
            self._planned(cast(PlanReply, reply), asked, trouble)

        def failed(error: WireError) -> None:
            self._show(self.state.not_judged(error))

        self._desk.ask("plan", request, came, failed, asker=self)

    def _planned(self, plan: PlanReply, asked: Submission, trouble: str) -> None:
        place = self._place()
        if place is None or place.layer != asked.layer:
            return
        self._view.show_plan(plan)
        fields = self._fields()
        word = self._word.proposed(fields.order.wish.source, fields.typed, plan["words"], fields.word)
        if word:
            self._view.propose(word)
            fields = self._fields()
        crop, before = asked.crop(plan), self.crop
        if self._drawn != (crop, *asked.order.painted()):
            self.crop, self._drawn = crop, (crop, *asked.order.painted())
            self._drawing.start()
        if before != crop:
            self._planning.start()  # once more, with the facts about what will be sent
        facts = self._facts(replace(fields, trouble=fields.trouble or trouble), fields.order, len(fields.wishes))
        self._show(self.state.judged(fields.order.wish, facts, plan))
        if self._goes_on == asked.layer and asked.order.wish.source:  # the object's word is proposed by now
            self._goes_on = ""
            self.submit(fields.order, fields.wishes)

    def _asked(self, place: SourceLayer, fields: Fields) -> tuple[Submission, str]:
        """The document as it is to be planned; a mask that can't be had is left out, and the reason said beside it."""
        order = fields.order
        key = (place.layer, order.whole, *order.painted())
        if self._still and self._kept is not None and self._kept[0] == key:
            return replace(self._kept[1], order=order), self._kept[2]
        trouble = fields.trouble
        try:
            asked = Submission.of(*place, order, self._desk.default)
        except WireError as error:
            if error.code != "bad_mask":
                raise
            trouble = error.sentence
            asked = Submission.of(*place, Order(order.wish, whole=order.whole), self._desk.default)
        self._kept = None if trouble else (key, asked, trouble)
        return asked, trouble

    def _looked(self, asked: Submission) -> Seen | None:
        if self.crop is None:
            return None
        if not (self._still and self._seen is not None and self._seen.crop == self.crop):
            self._seen = asked.look(self.crop)
        return self._seen

    def _facts(self, fields: Fields, order: Order, wishes: int) -> Facts:
        own = order.wish.kind == fields.order.wish.kind  # another kind takes no more objects than it names
        return Facts(
            masked=order.masked,
            masks=fields.masks if own else sum(order.masked),
            mask_trouble=fields.trouble if own else "",
            reference=order.reference is not None,
            typed=fields.typed if own else "",
            variations=max(1, wishes),
            connected=self._desk.link == "ready",
            model_said=self.line.offers_download,
        )

    def _place(self) -> SourceLayer | None:
        """What would be edited; None when that is nothing, and when it is gone, which is said."""
        place = None if self._closed else self._view.place()
        trouble = gone(*place) if place is not None else ""
        if trouble:
            self._show(self.state.gone(trouble))
        return None if trouble else place

    def _inside(self, place: SourceLayer) -> Box | None:
        """The last plan's crop, if it is of this canvas: else it was another picture's."""
        return self.crop and self.crop.clipped(*place.host.canvas())

    # Saying

    def _show(self, shown: Shown) -> None:
        if self._closed:
            return
        if self.line.doubt != shown.doubt:
            self.line.doubt = shown.doubt
            self._view.show_models(self.line, listed=False)
        self._view.show_state(replace(shown, asking=frozenset(self._under_way())))

    def _under_way(self) -> list[str]:
        """What was asked and is not answered yet."""
        return [kind for kind, job in self._asks.items() if not job or self._desk.is_coming(job)]

    def _described(self, header: Mapping[str, Any], _pictures: Mapping[str, Picture]) -> None:
        if not self._closed:
            caption = str(header["record"].get("caption", ""))
            self._view.describe(*described(caption, self._fields().typed))
            self.told("")
            self._planning.start()

    def _model_refused(self, error: WireError) -> None:
        self.line.refused(error)
        if not self._closed:
            self._view.show_models(self.line, listed=False)
