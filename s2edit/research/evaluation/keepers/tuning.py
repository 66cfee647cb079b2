"""Each method at its own best settings: the same number of settings is tried for every one, on the tuning portraits.

The rule: most keepers; between as many, the higher mean gain.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from s2edit.research.evaluation.charts import Dot, plot
from s2edit.research.evaluation.methods import METHODS, Method
from s2edit.research.evaluation.tables import Interval

from .scores import KeeperScore
from .tables import row

RULE = "most keepers on the tuning portraits; between as many, the higher mean gain"
_SCALES: dict[str, Sequence[float]] = {"edit.guidance": (1.5, 2, 2.5, 3.5, 6)}
_GRIDS: dict[str, tuple[dict[str, Sequence[float]], dict[str, Sequence[float]]]] = {
    # How much is learned of the picture, against how loudly the words are said.
    "s2edit": ({"identity.steps": (16, 48)}, _SCALES),
    # How long the source's maps are held on to.
    "direct+p2p": ({"edit.cross_replace": (0.4, 0.8)}, _SCALES),
    # It has nothing but its sampler.
    "inpaint": ({"inversion.steps": (18, 36)}, _SCALES),
}
"""By method: what matters to it, and w, which varies fastest since it shares what was learned and inverted."""


def candidates(name: str) -> list[Method]:
    """The method under every setting that is tried, each with a name of its own.

    Raises:
        ValueError: nothing is known to try for a method of this name.
    """
    if name not in _GRIDS:
        raise ValueError(f"There are no settings to try for “{name}”; choose from {', '.join(_GRIDS)}.")
    own, scale = _GRIDS[name]
    grid = own | scale
    settings = [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]
    return [_with(METHODS[name], changes, _called(name, changes)) for changes in settings]


def choose(scores: Sequence[KeeperScore], name: str) -> dict[str, Any]:
    """What came of the method's candidates, and the best one's settings; JSON-able.

    Only cases that all of them have count.

    Raises:
        ValueError: there is no such case.
    """
    tried = {method.name: method for method in candidates(name)}
    found = {(score.method, score.case): score for score in scores}
    cases = [case for case in dict.fromkeys(score.case for score in scores) if all((m, case) in found for m in tried)]
    if not cases:
        raise ValueError(f"No case has been made with every setting of “{name}”. The same command goes on from here.")
    rows = []
    for called, method in tried.items():
        own = [found[called, case] for case in cases]
        rows.append(
            {
                "settings": {key: value for key, value in method.changes.items() if key in _tried_keys(name)},
                "keepers": sum(score.keeper for score in own),
                "gain": round(float(np.mean([score.gain for score in own])), 4),
                "damage": round(float(np.median([score.damage for score in own])), 2),
                "sharp": round(float(np.median([score.sharp for score in own])), 3),
            }
        )
    best = max(rows, key=lambda row: (row["keepers"], row["gain"]))
    return {"settings": best["settings"], "cases": len(cases), "tried": rows}


def curves(scores: Sequence[KeeperScore], chosen: Mapping[str, Mapping[str, Any]]) -> str:
    """Keepers and gain over w as SVG, each method with its best other settings.

    Args:
        chosen: what `choose` found, by method.
    """
    lines: dict[str, dict[str, list[Dot]]] = {"keepers %": {}, "mean gain": {}}
    for name, found in chosen.items():
        own, _ = _GRIDS[name]
        for method in candidates(name):
            group = [score for score in scores if score.method == method.name]
            if group and all(method.changes[key] == found["settings"][key] for key in own):
                scale, figures = float(method.changes["edit.guidance"]), row(group)
                for title, value in (("keepers %", figures.keepers), ("mean gain", figures.gain)):
                    lines[title].setdefault(name, []).append(Dot(Interval(scale, scale, scale), value))
    return "".join(plot(line, "guidance scale w", title) for title, line in lines.items())


def write(path: Path, chosen: Mapping[str, Any], checkpoint: str) -> None:
    """Write what `settled` reads."""
    told = {"rule": RULE, "checkpoint": checkpoint, "methods": chosen}
    path.write_text(json.dumps(told, indent=1) + "\n", "utf-8")


def settled(path: Path, methods: Sequence[Method], checkpoint: str) -> list[Method]:
    """The methods, each under the settings that were found best for it on this checkpoint.

    Raises:
        ValueError: the file is none of ours, was made on another checkpoint, or does not know a method.
    """
    try:
        told = json.loads(path.read_text("utf-8"))
        chosen, of = told["methods"], told["checkpoint"]
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"“{path.name}” holds no settings that “s2edit bench keepers tune” chose.") from None
    if of != checkpoint:
        raise ValueError(f"The settings in “{path.name}” were chosen on another checkpoint. Tune anew on this one.")
    if unknown := [method.name for method in methods if method.name not in chosen]:
        raise ValueError(f"“{path.name}” has no settings for {unknown[0]}. Tune it, or leave it out.")
    return [_with(method, chosen[method.name]["settings"], method.name) for method in methods]


def _with(method: Method, changes: Mapping[str, Any], name: str) -> Method:
    return replace(method, name=name, changes={**method.changes, **changes})


def _tried_keys(name: str) -> set[str]:
    own, scale = _GRIDS[name]
    return {*own, *scale}


def _called(name: str, changes: Mapping[str, Any]) -> str:
    """Such as `s2edit guidance=2.5 steps=16`: a folder's name, too."""
    return " ".join([name, *(f"{key.rpartition('.')[2]}={value:g}" for key, value in changes.items())])
