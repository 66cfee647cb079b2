"""Kinds of layers, places of results, and the docker's further jobs, acted out by script: see `test_kinds`."""

from __future__ import annotations

import os
from typing import Any

import scenes_docker
import scenes_frames
import scenes_layers
import scenes_preview
import scenes_results
import stage


def run(report: dict[str, Any], done: Any) -> None:
    files = (scenes_layers, scenes_docker, scenes_results, scenes_preview, scenes_frames)
    found = [scene for one in files for scene in vars(one).items()]
    # To look at a few by hand: S2EDIT_SCENES=selected,variations
    wanted = os.environ.get("S2EDIT_SCENES", "").split(",")
    named = {name[6:]: scene for name, scene in found if name.startswith("scene_")}
    stage.act(report, done, [named[name] for name in (wanted if wanted != [""] else named)])
