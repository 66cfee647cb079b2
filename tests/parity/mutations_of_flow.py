"""Ways to break what flow models do: see `mutations`."""

from __future__ import annotations

from tests.parity.mutation import Mutation

FLOW = [
    Mutation(
        "joint attention: Eq. 3 left out",
        "method/joint_attention.py",
        "_valued(value, control, layout), control, masks, present)",
        "_valued(value, control, layout), control, [], present)",
        "test_klein.py::test_velocities_under_masks",
    ),
    Mutation(
        "second mask: other words look at [I]",
        "method/joint_attention.py",
        "kept[row, 0, others, position] = 0",
        "pass",
        "test_klein.py::test_velocities_under_masks",
    ),
    Mutation(
        "second mask: [I] looks at the picture outside M",
        "method/joint_attention.py",
        "kept[row, 0, own, first:last] *= inside",
        "pass",
        "test_klein.py::test_velocities_under_masks",
    ),
    Mutation(
        "joint injection: queries alone",
        "method/joint_attention.py",
        "return found[0], found[1]",
        "return found[0], key",
        "test_klein.py::test_injected_queries_and_keys_reweighted_words_and_maps",
    ),
    Mutation(
        "a flow backwards: by the velocity of where a step leads",
        "method/flow.py",
        "return self._arrivals[index]",
        "return self.timesteps[index]",
        "test_klein.py::test_trajectory",
    ),
    Mutation(
        "klein's schedule: shifted for cells, not for tokens",
        "model/klein.py",
        "size[0] * size[1] // PATCH**2",
        "size[0] * size[1]",
        "test_klein.py::test_a_plain_picture_is_the_pipelines",
    ),
    Mutation(
        "klein's latents: decoded as they are normalised",
        "model/klein.py",
        "unpatched(patched(latent) * std + mean)",
        "latent",
        "test_klein.py::test_a_plain_picture_is_the_pipelines",
    ),
    Mutation(
        "klein's prompts: with room for thoughts",
        "method/chat.py",
        "_END if thinking else _END + _NO_THOUGHTS",
        "_END",
        "test_klein.py::test_plain_prompts_are_encoded_as_diffusers_does",
    ),
    Mutation(
        "Eq. 1 in klein: the template's end for the sentence",
        "method/chat.py",
        "self.sentence_before = 1",
        "self.sentence_before = 0",
        "test_klein.py::test_encoding_with_identity",
    ),
    Mutation(
        "flow: the noise for the velocity",
        "method/flow.py",
        "return noise - latents",
        "return noise",
        "test_flow_identity.py::test_losses_and_what_is_learned",
    ),
    Mutation(
        "flow: training's times unshifted",
        "method/flow.py",
        "logits = normal + mu + ",
        "logits = normal + ",
        "test_flow_identity.py::test_times_are_logit_normal_and_shifted",
    ),
    Mutation(
        "T-LoRA: the whole rank at every noise level",
        "model/low_rank.py",
        "counted = ((1 - sigmas) * (rank - least)).floor() + least",
        "counted = torch.full_like(sigmas, rank)",
        "test_flow_identity.py::test_losses_and_what_is_learned",
    ),
    Mutation(
        "FlowEdit: the target without the source's noise",
        "method/flow_edit.py",
        "target = edited + source - latent",
        "target = edited",
        "test_flow_editing.py::test_flow_edit",
    ),
    Mutation(
        "Z-Image's times: from noise to picture, as elsewhere",
        "model/z_image.py",
        "(1000 - times.to(latents) * 1000) / 1000",
        "times.to(latents)",
        "test_z_image.py::test_a_plain_picture_is_the_pipelines",
    ),
    Mutation(
        "Z-Image's words: where they would stand if the picture weren't filled up",
        "model/z_image.py",
        "start = count + -count % _MULTIPLE",
        "start = count",
        "test_z_image.py::test_velocities_under_masks",
    ),
]
