"""Downloads that go wrong, watched and mended from the models page: never a bad file under its final name.

Each either goes on where it was or says why it doesn't, on the model's card.
"""

from __future__ import annotations

import random
import resource
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from s2edit_tray.window import Window

from tests.fakes.daemon import RunningDaemon
from tests.fakes.hub import FakeHub
from tests.fakes.hub_model import FILES, WEIGHTS, tensor_file

from .cards import Answers, offers, press, shown, words

Until = Callable[..., None]
CONTENT = FILES[WEIGHTS]


@pytest.fixture
def daemon_module() -> str:
    return "tests.fakes.hasty_daemon"


class Watch:
    """The download, seen from the card, the disk and the hub.

    Args:
        content: what alone may ever be seen under the weights' final name.
    """

    def __init__(self, page: Window, daemon: RunningDaemon, hub: FakeHub, until: Until) -> None:
        self.card = shown(page)
        self.file = daemon.folder / "weights" / "model" / "0123456789ab" / WEIGHTS
        self.content = CONTENT
        self.seen: list[int] = []
        """Bytes that were here, as the page was told."""
        self._page, self._hub, self._until = page, hub, until

    def until(self, condition: Callable[[], object], timeout: float = 60.0) -> None:
        """Wait, and look at the disk and at the page's figures all the while."""

        def look() -> object:
            if self.file.exists():
                assert self.file.read_bytes() == self.content, "a bad file has the final name"
            here = self._page.weights_view._models["model"]["present"]
            if not self.seen or here != self.seen[-1]:
                self.seen.append(here)
            return condition()

        self._until(look, timeout)

    def says(self, text: str) -> Callable[[], bool]:
        return lambda: text in words(self.card)

    def offers(self, text: str) -> Callable[[], bool]:
        return lambda: offers(self.card, text)

    def ranges(self) -> list[str]:
        """What was asked of the store, in order."""
        return [
            asked for method, path, asked, _ in self._hub.requests if method == "GET" and path.startswith("/store/")
        ]

    def ready(self) -> None:
        """It ends well."""
        self.until(self.says("Ready"))
        assert self.file.read_bytes() == self.content
        assert {path.suffix for path in self.file.parent.iterdir()} == {".safetensors", ".json"}, "parts are left"


@pytest.fixture
def watch(
    hub: FakeHub, page: Window, daemon_process: RunningDaemon, until: Until, answers: Answers
) -> Watch:  # `answers` accepts the licence
    return Watch(page, daemon_process, hub, until)


def test_cut_at_200_random_offsets(watch: Watch, hub: FakeHub) -> None:
    cuts = sorted(random.Random(3).sample(range(1, len(CONTENT)), 200))
    hub.faults.cut = list(cuts)
    press(watch.card, "Download")
    watch.ready()
    assert watch.ranges() == ["", *(f"bytes={cut}-" for cut in cuts)], "each went on where it broke"
    assert watch.seen == sorted(watch.seen), "the page's figures never go back"


def reached(watch: Watch, aim: int) -> bool:
    return watch.seen[-1] >= aim or watch.says("Ready")()


def test_paused_and_resumed_by_hand_at_random_moments(watch: Watch, hub: FakeHub) -> None:
    moments = random.Random(4)
    hub.faults.slow = 0.1
    press(watch.card, "Download")
    for _ in range(8):
        watch.until(lambda: offers(watch.card, "Pause") or watch.says("Ready")())
        aim = watch.seen[-1] + moments.randrange(1, 400_000)
        watch.until(partial(reached, watch, aim))
        if watch.says("Ready")():
            break
        press(watch.card, "Pause")
        # It may have arrived at this very moment.
        watch.until(lambda: offers(watch.card, "Resume") or watch.says("Ready")())
        if offers(watch.card, "Resume"):
            press(watch.card, "Resume")
    hub.faults.slow = 0
    watch.ready()
    assert len(watch.ranges()) > 1


def stop_midway(watch: Watch, hub: FakeHub) -> None:
    # Slow enough that it can't be over before a busy machine comes to press the button.
    hub.faults.slow = 0.2
    press(watch.card, "Download")
    watch.until(lambda: watch.seen[-1] > 500_000)
    press(watch.card, "Pause")
    watch.until(watch.offers("Resume"))
    hub.faults.slow = 0


def test_a_changed_etag_starts_over(watch: Watch, hub: FakeHub) -> None:
    stop_midway(watch, hub)
    hub.store_etag = '"two"'
    press(watch.card, "Resume")
    watch.ready()


def test_another_file_at_the_hub_drops_the_part(watch: Watch, hub: FakeHub) -> None:
    stop_midway(watch, hub)
    hub.files[WEIGHTS] = watch.content = tensor_file(3_000_000, seed=9)
    press(watch.card, "Resume")
    watch.ready()


def test_a_flipped_byte_is_fetched_again_and_one_that_stays_is_refused(watch: Watch, hub: FakeHub) -> None:
    hub.faults.flip, hub.faults.flips_left = 2_345_678, 3
    press(watch.card, "Download")
    watch.until(watch.says("arrived damaged twice"))
    assert not watch.file.exists()
    assert not offers(watch.card, "Verify")
    press(watch.card, "Resume" if offers(watch.card, "Resume") else "Download")
    # The third wrong one, and then the right one.
    watch.ready()
    assert hub.faults.flips_left == 0


def test_a_full_disk_is_told_of_and_the_download_goes_on_when_there_is_room(
    watch: Watch, hub: FakeHub, daemon_process: RunningDaemon
) -> None:
    """Full at 1.2 MB: the kernel's limit on the size of a file, which the daemon takes for what a full disk says."""
    assert daemon_process.process is not None
    _soft, hard = resource.prlimit(daemon_process.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(daemon_process.process.pid, resource.RLIMIT_FSIZE, (1_200_000, hard))
    press(watch.card, "Download")
    watch.until(watch.says("There is no room for these weights. Free some space"))
    part = Path(f"{watch.file}.partial")
    kept = part.stat().st_size
    assert 0 < kept <= 1_200_000
    resource.prlimit(daemon_process.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
    press(watch.card, "Resume")
    watch.ready()
    assert watch.ranges()[-1] == f"bytes={kept}-"
