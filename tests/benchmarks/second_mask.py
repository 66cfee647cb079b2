"""What [I] does to a flow model's velocities outside M, by mask: `python -m tests.benchmarks.second_mask`.

On the tiny checkpoints of klein's and Z-Image's topology, with random weights: how much of it a mask lets through is
the topology's, how large it is isn't. The state at [I]'s own place is moved, nothing else, so that the text encoder has
no part in it. The figure is the mean change outside M, of that without a mask.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch

from s2edit.method.attention import TokenMask
from s2edit.method.diffusion import Denoiser
from s2edit.method.masks import MaskPyramid
from s2edit.model.backbone import Encoding
from tests.fakes.tiny import flow_loaded
from tests.parity.tiny_flow import build_klein, build_z_image

SIZE = (16, 16)
TIMES = (0.3, 0.6, 0.9)


@torch.no_grad()
def leaks(folder: Path) -> dict[str, float]:
    """By mask, the mean change of velocities outside M when [I]'s state moves."""
    model = flow_loaded(folder)
    denoiser = Denoiser(model)
    plain = model.tokenizer.encode("a photo of a lady, smiling")
    prompt = model.tokenizer.with_identity(plain, [plain.positions("lady")[0]])
    encoding = model.encode([prompt]).encoding
    moved = encoding.states.clone()
    moved[:, prompt.identity[0]] *= -1
    mask = torch.zeros(8 * SIZE[0], 8 * SIZE[1])
    mask[32:96, 32:96] = 1
    outside = torch.ones(SIZE, dtype=torch.bool)
    outside[4:12, 4:12] = False
    masks = [TokenMask((0,), prompt.identity, MaskPyramid(mask))]
    noise = torch.randn(len(TIMES), model.channels, *SIZE, generator=torch.Generator().manual_seed(0))
    found: dict[str, float] = {}
    for name, used, second in (("none", [], False), ("Eq. 3", masks, False), ("second mask too", masks, True)):
        denoiser.control.second_mask = second
        changes = []
        for k, time in enumerate(TIMES):
            both = [
                denoiser(noise[k : k + 1], time, Encoding(states, lengths=encoding.lengths), masks=used)
                for states in (encoding.states, moved)
            ]
            changes.append((both[0] - both[1])[..., outside].abs().mean())
        found[name] = float(torch.stack(changes).mean())
    return found


def main() -> None:
    torch.set_num_threads(1)
    print("| of what [I] does outside M without a mask | Eq. 3 | second mask too |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as made:
        for title, build in (("FLUX.2 klein", build_klein), ("Z-Image", build_z_image)):
            found = leaks(build(Path(made) / title, size=128))
            shares = " | ".join(f"1/{found['none'] / found[name]:.1f}" for name in ("Eq. 3", "second mask too"))
            print(f"| {title} | {shares} |")


if __name__ == "__main__":
    main()
