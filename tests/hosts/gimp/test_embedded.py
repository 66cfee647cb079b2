"""The painter's main path in the real GIMP with nothing fake: the real daemon, its worker, and the embedded model."""

from __future__ import annotations

import pytest

from ..lab import Lab
from ..scenarios import EMBEDDED, render_portrait
from ..screen import Screen
from .acts import main_path
from .gimp import GimpDesk
from .person import Person

pytestmark = pytest.mark.hosts


def test_the_embedded_model_edits_a_portrait_in_gimp() -> None:
    with Lab("gimp-embedded") as lab:
        lab.start_daemon(fake=False)
        person = Person(GimpDesk(lab), Screen(lab), render_portrait(lab.folder / "portrait.png"))
        main_path(person, EMBEDDED, 400)
        # The picture was saved with the first result in it, and not since the second.
        (first,), (second,) = (lab.jobs(["done"], acknowledged=saved) for saved in (True, False))
        assert first["edit"]["target"] == EMBEDDED.target
        assert first["edit"]["profile"] == EMBEDDED.profile
        assert second["edit"]["target"] == EMBEDDED.second_target
        learnt = [lab.record(job["job"])["cached"]["identity"] for job in (first, second)]
        # The model sees the whole portrait, and the person painted on it meanwhile: it is another picture now.
        assert learnt == [False, False], "what was learnt of another picture was taken for this one"
