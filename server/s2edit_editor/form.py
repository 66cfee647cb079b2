"""The state of an edit's form, once for both editors: what is wrong, what is said, whether it can be sent.

An editor's view tells it what happened and shows the record that comes out; it decides nothing. What somebody is told
after a press stays until they change a field, however many plans come meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from s2edit_wire.errors import WireError
from s2edit_wire.records import PlanReply

from .planning import Facts, Verdict, first_lack, judge
from .sentences import object_of
from .wish import Wish, target_of


@dataclass(frozen=True)
class Shown:
    """What a form shows.

    Args:
        marks: sentence by field (`source`, `target`, `object`, …) that has a mark; doubted: those of these fields whose
            mark is a doubt, which blocks nothing and must not look like an error.
        word: the object's word that is meant, "" for the first.
        text: what is said near the buttons; bad: whether that tells why it can't be sent, or what went wrong.
        time: how long it would take.
        doubt: what is said of the model, and blocks nothing.
        pressable: whether “Edit” may be pressed: what is missing is said then.
        asking: what was asked of the daemon (`caption`, `mask`) and is not answered yet: these buttons rest.
    """

    marks: dict[str, str] = field(default_factory=dict)
    doubted: frozenset[str] = frozenset()
    word: str = ""
    text: str = ""
    bad: bool = False
    time: str = ""
    doubt: str = ""
    pressable: bool = False
    asking: frozenset[str] = frozenset()


class MainWord:
    """The main object's word: proposed from the difference of the two sentences, until somebody chooses another."""

    def __init__(self) -> None:
        self._proposed = ""

    def recall(self, word: str) -> None:
        """It is that of an earlier edit: nobody typed it here, and it gives way once the description has it no more."""
        self._proposed = word

    def proposed(self, source: str, typed: str, words: Sequence[str], now: str) -> str:
        """What to put into the field, "" to leave it.

        Args:
            source: the description. typed: the wish as it was typed. words: what can name an object.
            now: what is in the field.
        """
        about = object_of(source, target_of(source, typed), words)
        free = not now or (now == self._proposed and now not in words)
        if not about or not free:
            return ""
        self._proposed = about
        return about


def described(caption: str, typed: str) -> tuple[str, str]:
    """Description and wish once the picture was described: where nothing is wished yet, the wish begins as that."""
    return caption, typed if typed.strip() else caption


class Form:
    """Collects what happens to a form.

    Attributes:
        shown: what its view shows now.
    """

    def __init__(self) -> None:
        self._verdict = Verdict(blocked=True)
        self._said, self._trouble = "", ""
        self._connected = self._gone = False

    @property
    def shown(self) -> Shown:
        """The form as it is."""
        verdict = self._verdict
        told = self._trouble or self._said
        return Shown(
            marks=verdict.marks,
            doubted=verdict.doubted,
            word=verdict.word,
            text=told or verdict.sentence,
            time="" if told else verdict.time,
            bad=bool(self._trouble) or (not told and verdict.bad),
            doubt=verdict.doubt,
            pressable=self._connected and not self._gone,
        )

    def connection(self, *, ready: bool) -> Shown:
        """Whether the daemon answers now; there is a line about that elsewhere."""
        if ready != self._connected:
            self._connected, self._trouble = ready, ""
        return self.shown

    def changed(self) -> Shown:
        """A field changed, and a plan of it will come: what went wrong with other fields is said no longer."""
        self._trouble = ""
        return self.shown

    def judged(self, wish: Wish, facts: Facts, plan: PlanReply | None) -> Shown:
        """The plan of these fields came; None to judge by the fields alone."""
        self._verdict = judge(wish, facts, plan)
        if self._gone:
            self._gone, self._trouble = False, ""
        if self._verdict.time or (self._verdict.sentence and not facts.mask_trouble):
            self._said = ""
        return self.shown

    def not_judged(self, error: WireError) -> Shown:
        """There will be no plan."""
        return self.failed(error.sentence) if self._connected else self.shown

    def told(self, sentence: str) -> Shown:
        """Something went on as it should: said until a plan has something to say."""
        self._said, self._trouble = sentence, ""
        return self.shown

    def failed(self, sentence: str) -> Shown:
        """Something went wrong; "" once it is well again."""
        self._trouble = sentence
        return self.shown

    def gone(self, sentence: str) -> Shown:
        """What was to be edited is there no more: nothing can be sent."""
        self._gone, self._verdict = True, Verdict(blocked=True)
        return self.failed(sentence)

    def lacks(self, wish: Wish, facts: Facts) -> bool:
        """Whether a press sends nothing because of what the fields lack; says what that is, as one sentence."""
        self._verdict = judge(wish, facts, None)
        self._trouble = first_lack(wish, facts, None)
        return bool(self._trouble)
