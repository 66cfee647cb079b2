"""What a run is made with: the checkpoint and the settings that the command line names."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_SUBSET = {"inversion.steps": 10, "inversion.inner_steps": 2, "identity.steps": 10}
"""Settings of `--subset`: it shows that everything runs, and nothing about quality."""


def checkpoint_of(named: Path | None, domain: str) -> Path:
    """The folder of the checkpoint to edit with: the named one, else the domain's own. ValueError: not here."""
    from s2edit.research.starter import weights_folder

    checkpoint = named or weights_folder(domain)
    if named is None and not (checkpoint / "model_index.json").is_file():
        raise ValueError(
            f"The checkpoint of {domain} is not in this installation: packages leave it out. Name its folder "
            f"with --checkpoint: s2edit/research/starter/{domain}/weights of the project's repository, or one that you "
            f"trained (python -m s2edit.research.training --domain {domain} all)."
        )
    if not checkpoint.exists():
        raise ValueError(f"There is no checkpoint in “{checkpoint}”. Name the folder of one with --checkpoint.")
    return checkpoint


def overrides_of(pairs: Iterable[str], guidance: float | None = None, *, subset: bool = False) -> dict[str, Any]:
    """Settings by dotted name, from texts such as "identity.steps=100"; ValueError for one that is none."""
    found: dict[str, Any] = dict(_SUBSET) if subset else {}
    for text in pairs:
        name, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"“{text}” is no setting; write NAME=VALUE.")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    if guidance is not None:
        found["edit.guidance"] = guidance
    return found
