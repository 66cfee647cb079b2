"""The main path by hand in the real Krita: menu, texts, mask by brush, painting on, one undo step, .kra.

Then in a new Krita: what was not done when the last one was quit is fetched, or the same edit made with new words.
"""

from __future__ import annotations

import pytest

from ..lab import Lab
from ..scenarios import EMBEDDED, MAIN, draw_portrait, render_portrait
from ..screen import Screen
from .acts import MainPath
from .easel import Easel
from .painter import Painter

PATIENCE_S = 900
"""Seconds for one edit by the embedded model: a quiet machine takes 30, one that runs all else besides far longer."""


@pytest.mark.hosts
def test_the_main_path_by_hand() -> None:
    with Lab("krita-main") as lab:
        lab.start_daemon(step_ms=300)  # long enough to paint on meanwhile, on a busy machine too
        easel, path = Easel(lab, Screen(lab)), MainPath(lab, MAIN)
        painter = Painter(easel, draw_portrait(lab.folder / "portrait.png"))
        saved = path.work(painter)
        path.leave_at_work(painter)
        painter = Painter(easel, saved)
        path.fetch(painter)
        painter.leave()


@pytest.mark.hosts
@pytest.mark.timeout(2 * PATIENCE_S)
def test_the_embedded_model_edits_a_portrait_in_krita() -> None:
    """The same with nothing fake: the real daemon, its worker, and the embedded model."""
    with Lab("krita-embedded") as lab:
        lab.start_daemon(fake=False)
        easel, path = Easel(lab, Screen(lab)), MainPath(lab, EMBEDDED, PATIENCE_S)
        painter = Painter(easel, render_portrait(lab.folder / "portrait.png"))
        saved = path.work(painter)
        painter.leave()
        painter = Painter(easel, saved)
        path.run_again(painter)
        painter.leave()
        (second,) = lab.jobs(["done"], acknowledged=False)
        assert second["edit"]["target"] == EMBEDDED.second_target
        # The model sees the whole portrait, and the person painted on it meanwhile: it is another picture now.
        assert not lab.record(second["job"])["cached"]["identity"], (
            "what was learnt of another picture was taken for this one"
        )
