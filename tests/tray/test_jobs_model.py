"""The jobs model changes in place: one signal for one change, whatever its size."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from s2edit_tray.jobs_model import JOB_ROLE, JobsModel, JobsOrder
from s2edit_wire.records import JOB


def job(number: int, state: str = "done", **more: Any) -> dict[str, Any]:
    made = {
        "job": f"{number:032x}",
        "seq": 1,
        "state": state,
        "phase": "editing",
        "step": 0,
        "total": 0,
        "position": number if state == "queued" else 0,
        "attempt": 1,
        "created": float(number),
        "acknowledged": False,
        "edit": {
            "kind": "edit",
            "model": "portraits",
            "profile": "fast",
            "source": "a man",
            "target": f"a man with hat {number}",
            "objects": [],
            "seed": 0,
            "document": {"host": "krita" if number % 2 else "gimp", "title": f"p{number}.kra"},
        },
        **more,
    }
    JOB.check(made, "job")
    return made


def shown(order: JobsOrder) -> list[int]:
    return [int(order.index(row, 0).data(JOB_ROLE)["job"], 16) for row in range(order.rowCount())]


@pytest.fixture
def model(app: QApplication) -> JobsModel:
    return JobsModel()


def test_running_first_then_the_queue_by_place_then_ended_ones_newest_first(model: JobsModel) -> None:
    order = JobsOrder(model)
    model.extend([job(1), job(2), job(5, "queued"), job(4, "queued"), job(9, "running"), job(7, "paused")])
    assert shown(order) == [9, 4, 5, 7, 2, 1]
    model.upsert(job(5, "running", seq=2))
    assert shown(order) == [5, 9, 4, 7, 2, 1]


def test_an_older_record_is_ignored(model: JobsModel) -> None:
    model.upsert(job(1, "running", seq=5))
    model.upsert(job(1, "queued", seq=4))
    kept = model.job(f"{1:032x}")
    assert kept is not None
    assert kept["state"] == "running"


def test_five_thousand_jobs_are_one_insertion_and_a_change_is_one_row(model: JobsModel) -> None:
    inserted: list[tuple[int, int]] = []
    changed: list[tuple[int, int]] = []
    resets: list[None] = []
    model.rowsInserted.connect(lambda _parent, first, last: inserted.append((first, last)))
    model.dataChanged.connect(lambda top, bottom, _roles: changed.append((top.row(), bottom.row())))
    model.modelReset.connect(lambda: resets.append(None))
    model.extend([job(number) for number in range(5_000)])
    model.upsert(job(4_321, seq=2, step=3))
    model.remove(f"{10:032x}")
    model.upsert(job(4_321, seq=3, step=4))
    assert inserted == [(0, 4_999)]
    assert changed == [(4_321, 4_321), (4_320, 4_320)]
    assert not resets
    assert model.rowCount() == 4_999


def test_another_daemons_jobs_take_the_place_of_those_known_without_a_reset(model: JobsModel) -> None:
    resets: list[None] = []
    model.modelReset.connect(lambda: resets.append(None))
    model.extend([job(1, seq=90), job(2, "running", seq=91), job(3, seq=92)])
    model.doubt()
    assert model.rowCount() == 3
    # It numbers its changes anew, and doesn't know the first one any more.
    model.upsert(job(2, "queued", seq=1))
    model.upsert(job(2, "paused", seq=0))
    model.extend([job(3, "failed", seq=2), job(4, seq=3)])
    model.settle()
    assert [(int(one["job"], 16), one["state"]) for one in model.all()] == [(2, "queued"), (3, "failed"), (4, "done")]
    assert not resets


def test_filters_by_state_program_and_text(model: JobsModel) -> None:
    order = JobsOrder(model)
    model.extend([job(1), job(2, "failed"), job(3, "queued"), job(4)])
    order.show_only(frozenset({"done"}))
    assert shown(order) == [4, 1]
    order.show_only(host="krita")
    assert shown(order) == [3, 1]
    order.show_only(text="HAT 4")
    assert shown(order) == [4]
    order.show_only(text="p2.kra")
    assert shown(order) == [2]


def test_a_tool_tip_has_both_prompts_and_what_is_happening(model: JobsModel) -> None:
    model.extend([job(3, "queued"), job(4, "failed", message="Too big.", hint="Mask less.")])
    tips = [model.index(row).data(Qt.ItemDataRole.ToolTipRole) for row in range(2)]
    assert tips[0] == "a man → a man with hat 3\nNumber 3 in the queue"
    assert tips[1].endswith("Failed: Too big. Mask less.")


def test_waiting_is_the_queue_in_order(model: JobsModel) -> None:
    model.extend([job(3, "queued"), job(1, "queued"), job(2)])
    assert model.waiting() == [f"{1:032x}", f"{3:032x}"]
