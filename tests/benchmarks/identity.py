"""What each control of identity fine-tuning does inside the networks: `python -m tests.benchmarks.identity`.

The ablation's scores say whether a control helps, this says why: where the identity went (can the fine-tuned networks
predict the picture's noise without the token [I] as well as with it?), how far semantic control (Eq. 1) came, what it
cost the prompt (how far the target prompt's own text states moved), and how much of the picture M covers.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from s2edit.job import Job
from s2edit.method.attention import TokenMask
from s2edit.method.identity import semantic_loss
from s2edit.method.prompts import Prompt
from s2edit.requests import EditRequest, ObjectSpec, never_cancelled, no_progress
from s2edit.research.baselines import Workbench
from s2edit.research.evaluation.cases import TUNING_FIRST, Case, cases
from s2edit.research.evaluation.methods import METHODS
from s2edit.research.starter import recommended, weights_folder
from s2edit.settings import Settings
from s2edit.stages import Stages, Subject

VARIANTS = {
    "no fine-tuning": ("direct+p2p", {}),
    "fine-tuning alone": ("ift", {}),
    "+ spatial": ("ift+spc", {}),
    "+ semantic": ("ift+sec", {}),
    "+ both": ("s2edit", {}),
    "+ both, prompt detached": ("s2edit", {"identity.detach_prompt": True}),
}
TITLES = ("noise error with [I]", "without [I]", "cos(e_P, e_[I])", "text states moved", "share of M")
TIMES = range(50, 1_000, 100)


def main() -> int:
    """Print the table: means over so many tuning portraits."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--portraits", type=int, default=3)
    chosen = list(cases(parser.parse_args().portraits, 1, first=TUNING_FIRST))
    workbench = Workbench(weights_folder(), device="cpu", threads=1)
    print("| variant | " + " | ".join(TITLES) + " |\n|---" + "|---" * len(TITLES) + "|")
    for title, (method, changes) in VARIANTS.items():
        settings = METHODS[method].settings("balanced", recommended(), changes)
        measured = np.mean([list(measure(workbench, case, settings)) for case in chosen], axis=0)
        print(f"| {title} | " + " | ".join(f"{value:.3g}" for value in measured) + " |", flush=True)
    return 0


def measure(workbench: Workbench, case: Case, settings: Settings) -> Iterator[float]:
    """The figures of one portrait, in the order of `TITLES`."""
    job = Job(no_progress, never_cancelled)
    full = METHODS["s2edit"].settings("balanced", recommended())  # its prompts have [I], whether it is learned or not
    objects = (ObjectSpec(case.noun, None),)
    source, target = case.prompts
    request = EditRequest(
        image=case.image, source=source, target=target, objects=objects, settings=full, seed=case.seed
    )
    scene = workbench.scene(request, job)
    stages, plan, subject = scene.stages, scene.work.plan, scene.work.subjects[0]
    stages.restore()
    before = text_states(stages, plan.plain)
    identity, _ = stages.identity(scene.work.subjects, settings, case.seed, job)
    masks = stages.masks(identity, subject.prompt, subject.words(), settings)
    yield noise_error(stages, subject, subject.prompt, masks)
    yield noise_error(stages, subject, subject.plain, [])
    states, plain = text_states(stages, subject.prompt), text_states(stages, subject.plain)
    yield float(semantic_loss(states, plain, subject.prompt, subject.plain, detach=False))
    yield float(((text_states(stages, plan.plain) - before).norm(dim=-1) / before.norm(dim=-1)).mean())
    yield float(identity.masks[0][0].mean())


def text_states(stages: Stages, prompt: Prompt) -> Tensor:
    """Last hidden states of a prompt, L×D."""
    with torch.no_grad():
        return stages.checkpoint.encode([prompt]).encoding.states[0]


def noise_error(stages: Stages, subject: Subject, prompt: Prompt, masks: list[TokenMask]) -> float:
    """Mean squared error of the predicted noise over `TIMES`, the same noise for all."""
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        encoding = stages.checkpoint.encode([prompt]).encoding
    errors = []
    for time in TIMES:
        noise = torch.randn(subject.mean.shape, generator=generator)
        noisy = stages.checkpoint.process.noisy(subject.mean, noise, torch.tensor([time]))
        with torch.no_grad():
            errors.append(float(F.mse_loss(stages.denoiser(noisy, time, encoding, masks=masks), noise)))
    return float(np.mean(errors))


if __name__ == "__main__":
    sys.exit(main())
