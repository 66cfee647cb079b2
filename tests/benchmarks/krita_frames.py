"""How long S²Edit keeps Krita's own thread while an edit goes its way.

    python -m tests.benchmarks.krita_frames [--rounds N] [--side PIXELS] [--json FILE]

A whole edit in the real Krita, from the words to the layer, and a look at a variation of it, several times: the longest
call of each of the plug-in's functions that Qt calls, in processor time, beside two limits: a frame of a screen that
shows sixty a second, and the 0.1 s from which somebody feels that a program hesitates (Miller 1968; Nielsen 1993).
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from tests.hosts.krita.easel import Easel
from tests.hosts.lab import Lab
from tests.hosts.screen import Screen

FRAME_MS = 1_000 / 60
FELT_MS = 100.0
PATIENCE_S = 600
_SHOWN = 12


def measured(rounds: int, side: int) -> list[dict[str, Any]]:
    """All calls of all rounds, each with `ms`, `bytes`, `place`, and the longest `parts` of it."""
    with Lab("benchmark-krita-frames") as lab:
        easel = Easel(lab, Screen(lab))
        lab.start_daemon(step_ms=20)
        told = {"S2EDIT_FRAMES_ROUNDS": str(rounds), "S2EDIT_FRAMES_SIDE": str(side)}
        report = easel.run("frames", timeout=PATIENCE_S, **told)
    for scene in report.values():
        assert "error" not in scene, scene["error"]
    return [call for scene in report.values() for call in scene["found"]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--side", type=int, default=1_024, help="width and height of the picture, all of one layer")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    calls = measured(options.rounds, options.side)
    longest: dict[str, dict[str, Any]] = {}
    for call in sorted(calls, key=lambda call: float(call["ms"])):
        most = max(call["bytes"], longest.get(call["place"], call)["bytes"])
        longest[call["place"]] = call | {"bytes": most}
    ordered = sorted(longest.values(), key=lambda call: -float(call["ms"]))
    print(f"{options.side} pixels a side, {options.rounds} rounds, {len(calls)} calls, load {os.getloadavg()[0]:.1f}")
    print(f"{'longest call of each':48}{'ms':>9}{'of a frame':>12}{'of 0.1 s':>10}{'most KiB':>9}")
    for call in ordered[:_SHOWN]:
        ms, size = float(call["ms"]), call["bytes"] / 1_024
        print(f"{call['place']:48}{ms:9.2f}{ms / FRAME_MS:11.2f}x{ms / FELT_MS:9.2f}x{size:9.0f}")
    if options.json:
        options.json.write_text(json.dumps({"limits_ms": [FRAME_MS, FELT_MS], "longest": ordered}, indent=1), "utf-8")


if __name__ == "__main__":
    main()
