"""The codecs with any bytes: spoiled requests always, guided by coverage where atheris is installed."""

import importlib.util
import random
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.daemon import ROOT
from tests.fuzz import codec, mutation


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    codec.check(data)


def test_spoiled_requests() -> None:
    dice = random.Random(5)
    for number in range(1, 1_500):
        codec.check(mutation.header(number, dice))


if importlib.util.find_spec("atheris") is not None:

    @pytest.mark.parametrize("runs", [20_000])
    def test_guided_by_coverage(runs: int) -> None:
        command = [sys.executable, "-m", "tests.fuzz.guided", f"-runs={runs}", "-seed=1", "-max_len=2000"]
        # Behind a shell: the fuzzer has a limit for its memory, and a program that this process starts by itself is
        # counted the most that this process ever held (getrusage(2): it is kept across execve).
        behind = ["sh", "-c", '"$@"; exit $?', "sh", *command]
        answer = subprocess.run(behind, cwd=ROOT, capture_output=True, text=True, check=False)
        assert answer.returncode == 0, answer.stderr[-3_000:]
        assert f"Done {runs} runs" in answer.stderr
