"""A form without a toolkit, and what its flow sent: what the tests of a flow begin with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from s2edit_editor import models
from s2edit_editor.flow import Flow
from s2edit_editor.form import Shown
from s2edit_editor.host import MaskChoice
from s2edit_editor.order import Order
from s2edit_editor.pixels import Box
from s2edit_editor.view import Fields, SourceLayer
from s2edit_editor.wish import Wish
from s2edit_wire.records import PlanReply

from tests.protocol.program import WISH, Editor


@dataclass
class Paper:
    """A form without a toolkit: what it holds, and what it was shown."""

    editor: Editor
    wish: Wish = WISH
    typed: str = WISH.target
    masks: tuple[MaskChoice, ...] = ()
    wishes: tuple[Wish, ...] = ()
    layer: str = "photo"
    states: list[Shown] = field(default_factory=list)
    plans: list[PlanReply] = field(default_factory=list)
    crops: list[Box | None] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def place(self) -> SourceLayer | None:
        return SourceLayer(self.editor.host, self.layer) if self.layer else None

    def fields(self) -> Fields:
        return Fields(
            Order(self.wish, self.masks), self.typed, " ".join(self.wish.words[:1]), len(self.masks), "", self.wishes
        )

    def look(self, place: SourceLayer) -> None:
        self.said.append("looked")

    def show_state(self, shown: Shown) -> None:
        self.states.append(shown)

    def show_link(self, state: str, message: str) -> None:
        self.said.append(state)

    def show_models(self, line: models.ChosenModel, *, listed: bool) -> None:
        self.said.append(f"model {line.chosen}" if listed else "model")

    def show_plan(self, plan: PlanReply) -> None:
        self.plans.append(plan)

    def show_crop(self, place: SourceLayer | None, crop: Box | None) -> None:
        self.crops.append(crop)

    def propose(self, word: str) -> None:
        self.wish = replace(self.wish, words=(word,))

    def describe(self, source: str, target: str) -> None:
        self.wish, self.typed = replace(self.wish, source=source, target=target), target

    def fill_settings(self, wish: Wish) -> None:
        self.wish = replace(wish, model=self.wish.model)

    def take_mask(self) -> None:
        self.said.append("mask taken")

    def handed_over(self, fields: Fields) -> None:
        self.said.append("handed over")

    def sent(self, place: SourceLayer, order: Order) -> None:
        self.said.append(f"sent {order.wish.kind}")

    @property
    def shown(self) -> Shown:
        """The last state."""
        return self.states[-1]


OPEN: list[Flow] = []


def form(editor: Editor, *, still: bool = False, **fields: Any) -> tuple[Flow, Paper]:
    """A form that hears of everything, after its first plan."""
    paper = Paper(editor, **fields)
    flow = Flow(editor.desk, paper, still=still)
    OPEN.append(flow)
    editor.desk.on_layer, editor.desk.on_end, editor.desk.on_job = flow.arrived, flow.ended, flow.job_changed
    editor.desk.on_link = flow.linked
    flow.linked(editor.desk.link, "")
    flow.models_changed()
    editor.wait(lambda: len(paper.plans) > 1 or paper.shown.text)
    return flow, paper


def jobs_of(editor: Editor, known: set[str]) -> list[str]:
    return [job for job in editor.desk.errands if job not in known]
