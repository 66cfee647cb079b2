"""The loop that all training stages share: a schedule, progress, checkpoints every few minutes, a stop by the clock."""

from __future__ import annotations

import math
import signal
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from s2edit.research.training.checkpoint import load_state, save_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import torch

_STOPS = (signal.SIGTERM, signal.SIGINT)


@dataclass
class Stage:
    """One stage of training.

    `step_loss(step)` computes the loss of that step; it draws all its randomness from the step's number, so that a run
    interrupted anywhere goes on exactly as if it had not been. `after_step` may update an average of the weights.
    """

    path: Path
    modules: dict[str, torch.nn.Module]
    parameters: list[torch.nn.Parameter]
    step_loss: Callable[[int], torch.Tensor]
    steps: int
    rate: float
    warmup: int = 100
    decay: float = 1e-2
    floor: float = 0.02
    betas: tuple[float, float] = (0.9, 0.999)
    after_step: Callable[[int], None] = lambda _step: None
    save_every: float = 180.0
    facts: dict[str, Any] = field(default_factory=dict)


def learning_rate(stage: Stage, step: int) -> float:
    """Linear warm-up, then a cosine from `rate` down to `floor * rate` at the last step."""
    if step < stage.warmup:
        return stage.rate * (step + 1) / stage.warmup
    turn = (step - stage.warmup) / max(1, stage.steps - stage.warmup)
    return stage.rate * (stage.floor + (1 - stage.floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, turn))))


@contextmanager
def _asked_to_stop() -> Iterator[list[int]]:
    """A list that SIGTERM and Ctrl+C fill, so that a stage can save what it has before it ends."""
    asked: list[int] = []
    earlier = {each: signal.signal(each, lambda number, _: asked.append(number)) for each in _STOPS}
    try:
        yield asked
    finally:
        for each, handler in earlier.items():
            signal.signal(each, handler)


def run(stage: Stage, *, seconds: float = math.inf) -> dict[str, Any]:
    """Train from the last checkpoint to the last step, or until the time is spent, or SIGTERM or Ctrl+C comes.

    Returns the facts of the checkpoint that it leaves: the stage's, `step` (steps done), `seconds` (wall time of all
    runs) and `loss` (running mean).

    Raises:
        OSError: a checkpoint can't be written; the one before is whole.
    """
    import torch

    optimizer = torch.optim.AdamW(stage.parameters, lr=stage.rate, betas=stage.betas, weight_decay=stage.decay)
    facts = load_state(stage.path, stage.modules, optimizer) or {"step": 0, "seconds": 0.0}
    facts |= stage.facts
    began = saved = time.monotonic()
    spent, first = float(facts["seconds"]), int(facts["step"])

    def save() -> None:
        facts["seconds"] = spent + time.monotonic() - began
        save_state(stage.path, stage.modules, optimizer, facts)

    with _asked_to_stop() as asked, tqdm(total=stage.steps, initial=first, mininterval=10) as progress:
        for step in range(first, stage.steps):
            loss = _step(stage, optimizer, step)
            facts["step"] = step + 1
            facts["loss"] = loss if step == 0 else 0.98 * float(facts.get("loss", 0.0)) + 0.02 * loss
            progress.set_postfix(loss=f"{facts['loss']:.4f}", refresh=False)
            progress.update()
            now = time.monotonic()
            if now - saved > stage.save_every:
                save()
                saved = now
            if asked or now - began > seconds:
                break
    save()
    return facts


def _step(stage: Stage, optimizer: torch.optim.Optimizer, step: int) -> float:
    """One step of the optimizer; returns its loss."""
    import torch

    for group in optimizer.param_groups:
        group["lr"] = learning_rate(stage, step)
    loss = stage.step_loss(step)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(stage.parameters, 1.0)
    optimizer.step()
    stage.after_step(step)
    return float(loss.detach())
