"""An editor with one document in memory, as its desk knows it: what tests of the desk and of sending begin with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from s2edit_editor.desk import Desk
from s2edit_editor.jobs import Job
from s2edit_editor.order import Order
from s2edit_editor.pixels import Box
from s2edit_editor.rows import row
from s2edit_editor.submission import Parcel, Submission
from s2edit_editor.wish import Wish
from s2edit_wire.errors import WireError

from tests.fakes.editor import FakeHost
from tests.protocol.loop import Loop

LAYER, CROP = Box(10, 5, 80, 60), Box(30, 20, 40, 32)
WISH = Wish(
    model="portraits", profile="fast", source="a woman with a hat", target="a woman with a crown", words=("hat",)
)
PATIENCE_S = 60.0


@dataclass
class Editor:
    """A program with one document, its loop, and what it heard."""

    loop: Loop = field(default_factory=Loop)
    host: FakeHost = field(default_factory=lambda: FakeHost().with_layer("photo", LAYER))
    free: bool = True
    heard: list[tuple[str, str]] = field(default_factory=list)
    front: FakeHost | None = None
    """Where a result goes when its own document is closed and the painter asks for it."""

    def __post_init__(self) -> None:
        self.desk = Desk("krita", "1", self.loop, self.home, lambda: self.free)
        self.desk.on_trouble = lambda error, job: self.heard.append(("trouble", error.message))
        self.desk.on_end = lambda job, said: self.heard.append(("end", said))
        self.desk.on_layer = lambda job: self.heard.append(("layer", job))
        self.desk.on_removed = lambda job: self.heard.append(("removed", job))
        self.desk.open()

    def refused(self, error: WireError) -> None:
        self.heard.append(("refused", error.message))

    def home(self, _job: Job, asked: bool) -> FakeHost | None:
        return self.host if self.host.open else self.front if asked else None

    def wait(self, condition: Callable[[], object]) -> None:
        self.loop.run_until(condition, PATIENCE_S)

    def parcel(self, **settings: object) -> Parcel:
        """What is submitted, with settings for the fake worker."""
        wish = replace(WISH, settings={f"fake.{name}": value for name, value in settings.items()})  # type: ignore[misc]
        return Submission.of(self.host, "photo", Order(wish), "portraits").take(CROP)

    def submit(self, *, as_layer: bool = True, **settings: object) -> str:
        return self.desk.submit(self.host, self.parcel(**settings), as_layer=as_layer)

    def ended(self, job: str) -> None:
        self.wait(
            lambda: job in self.desk.book.all and self.desk.book.all[job]["state"] in ("done", "failed", "cancelled")
        )

    def actions(self, job: str) -> tuple[str, ...]:
        return row(self.desk, job, there=job in self.host.results()).actions
