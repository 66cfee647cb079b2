"""The long runs' bookkeeping: parts add up, and a second start goes on where the first one ended."""

from pathlib import Path

from tests.crash.figures import Figures
from tests.crash.journal import Journal, Part


def test_parts_add_up_and_survive_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal = Journal(path)
    journal.note(Part(1, 0, 3, 10, Figures({"kills": 20}, {"s until ready": 0.5}, "none lost")))
    journal.note(Part(1, 2, 3, 20, Figures({"kills": 20, "jobs": 5}, {"s until ready": 0.25, "MiB": 2.0}, "none lost")))
    journal.note(Part(1, 1, 9, 99, Figures({"kills": 1})))
    again = Journal(path)
    assert sorted(again.done(1, 3)) == [0, 2]
    assert again.told(1, 3) == "40 kills, 5 jobs; 0.5 s until ready, 2 MiB; none lost; 30 s (2 of 3 parts)"
    assert again.told(2, 3) == "not run"
