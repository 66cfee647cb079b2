"""The scene `frames` several times in one Krita: see `tests.benchmarks.krita_frames`."""

from __future__ import annotations

import os
from typing import Any

import scenes_frames
import stage


def run(report: dict[str, Any], done: Any) -> None:
    rounds = int(os.environ["S2EDIT_FRAMES_ROUNDS"])

    def round_of(number: int) -> Any:
        def scene(docker: Any) -> stage.Scene:
            return (yield from scenes_frames.scene_frames(docker))

        scene.__name__ = f"scene_{number}"
        return scene

    stage.act(report, done, [round_of(number) for number in range(rounds)])
