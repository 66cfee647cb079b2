"""The loop that all training stages share: a schedule, progress, checkpoints every few minutes, a stop by the clock."""

from __future__ import annotations

import math
import signal
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from s2edit.starter.checkpoint import load_state, save_state

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import torch


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


def run(stage: Stage, *, seconds: float = math.inf) -> dict[str, Any]:
    """Train from the last checkpoint to the last step, or until the time is spent or SIGTERM comes.

    Returns the facts of the checkpoint that it leaves.
    """
    import torch

    optimizer = torch.optim.AdamW(stage.parameters, lr=stage.rate, betas=stage.betas, weight_decay=stage.decay)
    facts = load_state(stage.path, stage.modules, optimizer) or {"step": 0, "seconds": 0.0}
    facts |= stage.facts
    began = saved = time.monotonic()
    spent = float(facts["seconds"])
    mean_loss = float(facts.get("loss", 0.0))

    def save() -> None:
        facts.update(seconds=spent + time.monotonic() - began, loss=mean_loss)
        save_state(stage.path, stage.modules, optimizer, facts)

    stopping: list[int] = []
    earlier = signal.signal(signal.SIGTERM, lambda number, _frame: stopping.append(number))
    progress = tqdm(
        range(int(facts["step"]), stage.steps), initial=int(facts["step"]), total=stage.steps, mininterval=10
    )
    for step in progress:
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(stage, step)
        loss = stage.step_loss(step)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(stage.parameters, 1.0)
        optimizer.step()
        stage.after_step(step)
        value = float(loss.detach())
        mean_loss = value if step == 0 else 0.98 * mean_loss + 0.02 * value
        facts["step"] = step + 1
        progress.set_postfix(loss=f"{mean_loss:.4f}", refresh=False)
        now = time.monotonic()
        if now - saved > stage.save_every:
            save()
            saved = now
        if stopping or now - began > seconds:
            break
    signal.signal(signal.SIGTERM, earlier)
    save()
    return facts
