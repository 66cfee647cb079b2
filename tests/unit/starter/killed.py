"""A tiny training stage; `python -m tests.unit.starter.killed CHECKPOINT` is killed while it saves one."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

from s2edit.research.training import checkpoint
from s2edit.research.training.loop import Stage, run

STEPS, KILLED_AT = 8, 5
"""In all, and the one whose checkpoint is cut in the middle."""


def stage(path: Path) -> Stage:
    """Saves after every step."""
    torch.manual_seed(0)
    network = torch.nn.Linear(6, 2)

    def step_loss(step: int) -> torch.Tensor:
        batch = torch.randn(4, 6, generator=torch.Generator().manual_seed(step))
        loss: torch.Tensor = network(batch).square().mean()
        return loss

    return Stage(
        path=path,
        modules={"network": network},
        parameters=list(network.parameters()),
        step_loss=step_loss,
        steps=STEPS,
        rate=1e-2,
        save_every=-1,
    )


def _train_until_killed(path: Path) -> None:
    saved = []

    def cut(tensors: dict[str, torch.Tensor], part: Path, metadata: dict[str, str]) -> None:
        save_file(tensors, part, metadata)
        saved.append(part)
        if len(saved) == KILLED_AT:
            os.truncate(part, part.stat().st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)

    checkpoint.save_file = cut  # type: ignore[attr-defined]
    run(stage(path))


if __name__ == "__main__":
    torch.set_num_threads(1)
    _train_until_killed(Path(sys.argv[1]))
