"""Ways to lay an instruction model's answer wrongly over its source; see `mutations`."""

from __future__ import annotations

from tests.parity.mutation import Mutation

_TESTS = "../unit/method/test_registration.py"
REGISTRATION = [
    Mutation(
        "registration: whatever fits best, be it at several places",
        "picture/registration.py",
        "if guesses[1][0] > _AMBIGUOUS * guesses[0][0]:",
        "if guesses[1][0] > 2 * guesses[0][0]:",
        f"{_TESTS}::test_what_fits_at_several_places_is_refused",
    ),
    Mutation(
        "registration: other pictures are answers, too",
        "picture/registration.py",
        "_AGREEING = 16, 0.5, 8, 0.55",
        "_AGREEING = 16, 0.5, 8, 0.0",
        f"{_TESTS}::test_other_portraits_and_photographs_are_no_answers",
    ),
    Mutation(
        "registration: what is inside the mask counts",
        "picture/registration.py",
        "if inside is None else 1 - inside.float()",
        "if inside is None else 0 * inside + 1.0",
        f"{_TESTS}::test_little_is_left_outside_the_mask",
    ),
    Mutation(
        "registration: both sides stretched alike",
        "picture/registration.py",
        "* (1 + parameters[1]) + parameters[3]",
        "* (1 + parameters[0]) + parameters[3]",
        f"{_TESTS}::test_what_was_shifted_stretched_and_tinted_comes_back",
    ),
    Mutation(
        "registration: as the colours are, tint and all",
        "picture/registration.py",
        "    return rest / (spread + _FLAT**2).sqrt()",
        "    return picture",
        f"{_TESTS}::test_what_was_shifted_stretched_and_tinted_comes_back",
    ),
    Mutation(
        "tint: gain and offset alone",
        "picture/tint.py",
        "(evened + resample(slow, (height, width)))",
        "(evened + 0 * resample(slow, (height, width)))",
        f"{_TESTS}::test_what_was_shifted_stretched_and_tinted_comes_back",
    ),
    Mutation(
        "tint: of what was asked for, too",
        "picture/tint.py",
        "trusted = agrees * (_TINT**2 / (_TINT**2 + away)) ** 2",
        "trusted = agrees",
        f"{_TESTS}::test_a_flat_part_that_was_recoloured_is_no_tint",
    ),
    Mutation(
        "an instruction's answer: where the model put it",
        "instruct.py",
        "answer, seen = found.laid(answer)",
        "_, seen = found.laid(answer)",
        "../unit/method/test_instruct.py::test_a_shifted_answer_changes_only_what_was_asked",
    ),
    Mutation(
        "an instruction's answer: its border repeated where it shows nothing",
        "instruct.py",
        "edit_mask = np.minimum(painted,",
        "edit_mask = np.maximum(painted,",
        "../unit/method/test_instruct.py::test_edges_that_a_shifted_answer_does_not_show_are_kept",
    ),
]
