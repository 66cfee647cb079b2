"""Break the method in known ways, one at a time, and see that a test notices: `python tests/parity/mutations.py`.

Each mutation edits a copy of `s2edit/` and runs the tests that should fail. The table goes to standard output; the exit
status is 1 when a mutation survives or no longer applies.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.parity.mutation import Mutation  # noqa: E402
from tests.parity.mutations_of_flow import FLOW  # noqa: E402
from tests.parity.mutations_of_registration import REGISTRATION  # noqa: E402

MUTATIONS = [
    Mutation(
        "EOT choice: the start token's state",
        "method/identity.py",
        "sentence = plain_states[plain.sentence]",
        "sentence = plain_states[0]",
        "test_identity.py::test_losses_and_weights",
    ),
    Mutation(
        "EOT choice: the last padding state",
        "method/identity.py",
        "sentence = plain_states[plain.sentence]",
        "sentence = plain_states[-1]",
        "test_identity.py::test_losses_and_weights",
    ),
    Mutation(
        "semantic loss without the absolute value",
        "method/identity.py",
        "dim=-1).abs().mean()",
        "dim=-1).mean()",
        "test_identity.py::test_semantic_loss_by_hand",
    ),
    Mutation(
        "post-softmax masking: renormalised",
        "method/attention.py",
        'renormalise=self.semantics == "renormalise"',
        'renormalise=self.semantics != "renormalise"',
        "test_inversion.py::test_trajectory",
    ),
    Mutation(
        "post-softmax masking: inside instead of outside",
        "method/attention.py",
        "= mask.pyramid.at(*shape)\n                inside",
        "= 1 - mask.pyramid.at(*shape)\n                inside",
        "test_inversion.py::test_trajectory",
    ),
    Mutation(
        "post-softmax masking: left out beside injection",
        "method/attention.py",
        "rows[..., columns] = rows[..., columns] * inside",
        "pass",
        "test_editing.py::test_painted_edit_mask",
    ),
    Mutation(
        "post-softmax masking: what is outside lost to the softmax's sum",
        "method/attention.py",
        "(1 - found).clamp(min=0).log()",
        "-math.inf",
        "test_attention.py",
    ),
    Mutation(
        "post-softmax masking: the renormalising option left out beside injection",
        "method/attention.py",
        "rows *= before / rows.sum(dim=-1, keepdim=True)",
        "pass",
        "test_editing.py::test_renormalised_masks_beside_injection",
    ),
    Mutation(
        "clean padding: [I] left in the states after the words",
        "method/identity.py",
        "torch.cat([states[:, : prompt.end], plain_states[:, plain.end : plain.end + length]], dim=1)",
        "states",
        "test_identity.py::test_losses_and_weights",
    ),
    Mutation(
        "mask pooling: nearest neighbour",
        "method/masks.py",
        "return F.adaptive_avg_pool2d(mask[None, None], (height, width))[0, 0]",
        'return F.interpolate(mask[None, None], (height, width), mode="nearest")[0, 0]',
        "test_inversion.py::test_trajectory",
    ),
    Mutation(
        "null-text schedule: constant rate",
        "method/inversion.py",
        "rate = settings.learning_rate * (1 - index / 100)",
        "rate = settings.learning_rate",
        "test_inversion.py::test_null_text",
    ),
    Mutation(
        "null-text schedule: no warm start",
        "method/inversion.py",
        "states = null.states.detach().clone().requires_grad_()",
        "states = encoding.states.detach().clone().requires_grad_()",
        "test_inversion.py::test_null_text",
    ),
    Mutation(
        "null-text schedule: one threshold for all steps",
        "method/inversion.py",
        "if loss.item() < settings.early_stop + settings.early_stop_growth * index:",
        "if loss.item() < 0:",
        "test_inversion.py::test_null_text_stops_early",
    ),
    Mutation(
        "steps offset 0",
        "method/diffusion.py",
        "STEPS_OFFSET = 1",
        "STEPS_OFFSET = 0",
        "test_inversion.py::test_trajectory",
    ),
    Mutation(
        "alignment: later tokens keep their absolute place",
        "method/alignment.py",
        "shift = len(target.ids) - len(source.ids)",
        "shift = 0",
        "test_alignment.py",
    ),
    Mutation(
        "alignment: several pieces each get the whole attention",
        "method/alignment.py",
        "1 / len(new) if len(old) != len(new)",
        "1 if len(old) != len(new)",
        "test_alignment.py",
    ),
    Mutation(
        "guidance: one step longer",
        "method/editing.py",
        "if within(index, settings.guidance_until, steps)",
        "if within(index - 1, settings.guidance_until, steps)",
        "test_editing.py::test_guidance_that_ends_early",
    ),
    Mutation(
        "few steps: each as long as the inversion's",
        "method/diffusion.py",
        "[*self.timesteps[1:], STEPS_OFFSET - stride]",
        "[time - stride for time in self.timesteps]",
        "test_instant.py",
    ),
    Mutation(
        "few steps: the source as it was in the inversion's first ones",
        "method/diffusion.py",
        "return passed_at(self._places, trajectory)",
        "return trajectory",
        "test_instant.py",
    ),
    Mutation(
        "stratified timesteps: one part twice",
        "method/identity.py",
        "return (order + torch.rand",
        "return (order // 2 + torch.rand",
        "test_identity.py::test_stratified_timesteps_miss_no_part",
    ),
    Mutation(
        "empty prompt taught: the prompt's own prediction once more",
        "method/identity.py",
        "F.mse_loss(found[1], goal)",
        "F.mse_loss(found[0], goal)",
        "test_identity.py::test_losses_and_weights",
    ),
    Mutation(
        "empty prompt taught: at full weight",
        "method/identity.py",
        "settings.null_weight * F.mse_loss",
        "F.mse_loss",
        "test_identity.py::test_losses_and_weights",
    ),
    Mutation(
        "likeness: all of what was learned",
        "model/weights.py",
        "base + strength * delta",
        "base + delta",
        "test_levels.py::test_published_weights_come_back",
    ),
    Mutation(
        "injection bounds: cross-attention one step longer",
        "method/editing.py",
        "carries_words and within(index, settings.cross_replace, walk.steps)",
        "carries_words and within(index - 1, settings.cross_replace, walk.steps)",
        "test_editing.py::test_painted_edit_mask",
    ),
    Mutation(
        "injection bounds: binary rounding cuts a step",
        "method/editing.py",
        "int(fraction * steps + _ROUNDING)",
        "int(fraction * steps)",
        "test_schedule.py",
    ),
    Mutation(
        "injection bounds: self-attention in every step",
        "method/editing.py",
        "if within(index, settings.self_replace, walk.steps) else 0",
        "if True else 0",
        "test_editing.py::test_painted_edit_mask",
    ),
    Mutation(
        "injection bounds: a long picture's as a square one's",
        "method/editing.py",
        "return settings.self_replace_max_queries * max(height, width) // min(height, width)",
        "return settings.self_replace_max_queries",
        "test_editing.py::test_a_long_picture_is_injected_at_the_levels_of_a_square_one",
    ),
    Mutation(
        "LocalBlend threshold: of the mean",
        "method/masks.py",
        "resized > threshold * peak",
        "resized > threshold * resized.mean()",
        "test_editing.py::test_blended_latents",
    ),
    Mutation(
        "LocalBlend without the max-pool",
        "method/masks.py",
        "pooled = F.max_pool2d(attention[None, None], 3, stride=1, padding=1)",
        "pooled = attention[None, None]",
        "test_editing.py::test_blended_latents",
    ),
    Mutation(
        "source overwrite: one step late",
        "method/editing.py",
        "source = path[-2 - index].unsqueeze(0)",
        "source = path[-1 - index].unsqueeze(0)",
        "test_editing.py::test_painted_edit_mask",
    ),
    Mutation(
        "SDXL's pooled state: where transformers' pooling looks, at the largest id",
        "model/sdxl.py",
        "pooled = projected[range(len(prompts)), ends]",
        "pooled = found.text_embeds",
        "test_xl.py::test_encoding_of_prompts_with_and_without_identity",
    ),
    Mutation(
        "SDXL's pooled state: not projected",
        "model/sdxl.py",
        "pooled = projected[range(len(prompts)), ends]",
        "pooled = last[1][range(len(prompts)), ends]",
        "test_xl.py::test_encoding_of_prompts_with_and_without_identity",
    ),
    Mutation(
        "SDXL's pooled state: the empty prompt's own",
        "model/sdxl.py",
        "states, pooled = states * kept[:, None, None], pooled * kept[:, None]",
        "states = states * kept[:, None, None]",
        "test_xl.py::test_encoding_of_prompts_with_and_without_identity",
    ),
    Mutation(
        "SDXL's pooled state: [I] left in it with clean padding",
        "method/identity.py",
        "return clean.with_states(",
        "return own.with_states(",
        "test_identity.py::test_losses_and_weights",
    ),
    Mutation(
        "Eq. 1 in SDXL: the first text encoder's alone",
        "method/identity.py",
        "for states in encoded.spaces",
        "for states in encoded.spaces[:1]",
        "test_identity.py::test_losses_and_weights",
    ),
    Mutation(
        "SDXL's size and crop: in latent cells",
        "model/sdxl.py",
        "(LATENT_STRIDE * side for side in latents.shape[-2:])",
        "(side for side in latents.shape[-2:])",
        "test_inversion.py::test_trajectory",
    ),
    *FLOW,
    *REGISTRATION,
]


def survives(mutation: Mutation) -> str:
    """ "caught", "SURVIVED" or "DOES NOT APPLY"."""
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name)
        ignored = shutil.ignore_patterns("robots", "portraits", "__pycache__", "hosts", "benchmarks")
        shutil.copytree(ROOT / "s2edit", copy / "s2edit", ignore=ignored)
        for folder in ("parity", "fakes", "photographs", "unit/method"):
            shutil.copytree(ROOT / "tests" / folder, copy / "tests" / folder, ignore=ignored)
        shutil.copy(ROOT / "pyproject.toml", copy)
        file = copy / "s2edit" / mutation.file
        text = file.read_text(encoding="utf-8")
        if text.count(mutation.old) != 1:
            return "DOES NOT APPLY"
        file.write_text(text.replace(mutation.old, mutation.new), encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-x",
            "-p",
            "no:cacheprovider",
            f"tests/parity/{mutation.test}",
        ]
        environment = os.environ | {"PYTHONPATH": str(copy), "OMP_NUM_THREADS": "1"}
        found = subprocess.run(command, cwd=copy, env=environment, capture_output=True, check=False)
        return {0: "SURVIVED", 1: "caught"}.get(found.returncode, f"BROKEN ({found.returncode})")


def main() -> int:
    """Run all mutations, or those whose name contains an argument."""
    chosen = [m for m in MUTATIONS if not sys.argv[1:] or any(word in m.name for word in sys.argv[1:])]
    failed = False
    for mutation in chosen:
        outcome = survives(mutation)
        failed |= outcome != "caught"
        print(f"{outcome:15} {mutation.name:75} {mutation.file}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
