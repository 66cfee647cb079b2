"""The cache survives torn files, quotas and company."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from s2edit.cache import DiskCache, array_digest, digest
from s2edit.cache_files import forget_others


def entry(value: float, size: int = 1000) -> dict[str, torch.Tensor]:
    return {"delta": torch.full((size,), value, dtype=torch.float16), "mask": torch.ones(2, 3)}


def test_round_trip(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path)
    assert cache.get("a") is None
    cache.put("a", entry(0.5))
    found = DiskCache(tmp_path).get("a")
    assert found is not None
    assert torch.equal(found["delta"], entry(0.5)["delta"])
    assert "a" in cache
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize("keep", [0, 5, 200, 2000])
def test_torn_file_counts_as_absent(tmp_path: Path, keep: int) -> None:
    cache = DiskCache(tmp_path)
    cache.put("a", entry(0.5))
    (file,) = tmp_path.glob("*.safetensors")
    with file.open("r+b") as stream:
        stream.truncate(keep)
    assert cache.get("a") is None
    assert "a" not in cache
    cache.put("a", entry(0.25))
    assert cache.get("a") is not None


def test_altered_file_counts_as_absent(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path)
    cache.put("a", entry(0.5))
    (file,) = tmp_path.glob("*.safetensors")
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    assert cache.get("a") is None


def test_least_recently_used_goes_first(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, quota=7000)
    for age, key in enumerate("abc"):
        cache.put(key, entry(0.5))
        os.utime(tmp_path / f"{key}.safetensors", (1000 + age, 1000 + age))
    cache.get("a")
    cache.put("d", entry(0.5))
    assert "a" in cache
    assert "b" not in cache
    assert "d" in cache
    assert cache.size() <= 7000


def test_half_of_what_is_free_is_left_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = DiskCache(tmp_path)
    for age, key in enumerate("abc"):
        cache.put(key, entry(0.5))
        os.utime(tmp_path / f"{key}.safetensors", (1000 + age, 1000 + age))
    one = cache.size() // 3
    # Four entries and as many free: room for four. Then others fill the disk.
    for free, left in ((4 * one, "abcd"), (one // 2, "de")):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: SimpleNamespace(free=free))
        cache.put(left[-1], entry(0.5))
        assert [key for key in "abcde" if key in cache] == list(left)


def test_newest_stays_even_beyond_the_quota(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, quota=10)
    cache.put("a", entry(0.5))
    assert "a" in cache


def test_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = DiskCache(tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        cache.put("a", entry(0.5))
    assert not [path for path in tmp_path.iterdir() if path.suffix != ".lock"]


FULL = """
import resource, sys, torch
from pathlib import Path
from types import SimpleNamespace
from s2edit.cache import DiskCache
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    DiskCache(Path(sys.argv[1])).put("a", {"delta": torch.zeros(10_000)})
except OSError as error:
    sys.exit(0 if "File too large" in str(error) else 3)
"""


def test_what_the_system_refuses_to_write_is_an_os_error(tmp_path: Path) -> None:
    """A file that may not grow is refused where a full disk is: while its tensors are written."""
    run = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], check=False, timeout=120)
    assert run.returncode == 0
    assert not [path for path in tmp_path.iterdir() if path.suffix != ".lock"]


def test_what_a_killed_process_left_is_swept_away(tmp_path: Path) -> None:
    old, young = tmp_path / "old.partial", tmp_path / "young.partial"
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (1000, 1000))
    DiskCache(tmp_path).put("a", entry(0.5))
    assert not old.exists()
    assert young.exists(), "another process may be writing it"


WRITER = """
import sys, torch
from pathlib import Path
from types import SimpleNamespace
from s2edit.cache import DiskCache
torch.set_num_threads(1)
cache = DiskCache(Path(sys.argv[1]), quota=9000)
made = 0
for round in range(15):
    key = f"{round % 5:02x}"
    with cache.lock(key):
        found = cache.get(key)
        if found is None:
            made += 1
            cache.put(key, {"delta": torch.full((1000,), float(round % 5), dtype=torch.float16)})
        else:
            assert found["delta"].eq(round % 5).all()
print(made)
"""


def test_two_processes(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [worker.communicate(timeout=120)[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0]
    assert sum(int(output) for output in outputs) >= 5
    assert not list(tmp_path.glob("*.partial"))


def test_digests() -> None:
    import numpy as np

    a = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert array_digest(a) == array_digest(np.asfortranarray(a))
    assert array_digest(a) != array_digest(a.reshape(4, 3))
    assert array_digest(a) != array_digest(a.astype(np.uint16))
    assert array_digest(None) == "none"
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1}) != digest({"a": 1, "b": [3]})


def test_an_entry_goes_with_the_last_who_needs_it(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path)
    for user, keys in {"anna": "ab", "ben": "bc", "": "d"}.items():
        cache.user = user
        for key in keys:
            cache.note(key)
            cache.note(key)
            cache.put(key, entry(0.5))
    assert (tmp_path / "anna.uses").read_text() == "a\nb\n", "once each"
    forget_others(tmp_path, {"anna", "ben", "who has learned nothing"})
    assert [key for key in "abcd" if key in cache] == list("abc"), "what nobody needs goes, too"
    forget_others(tmp_path, {"ben"})
    assert [key for key in "abcd" if key in cache] == list("bc")
    forget_others(tmp_path, ())
    assert not list(tmp_path.glob("*.safetensors"))
    assert not list(tmp_path.glob("*.uses"))


def test_damaged_notes_cost_what_they_held_and_no_more(tmp_path: Path) -> None:
    """Neither the next edit nor the daemon, which looks through them at every start."""
    cache = DiskCache(tmp_path)
    cache.user = "anna"
    for key in ("one", "two"):
        cache.put(key, entry(0.5))
    cache.note("one")
    with (tmp_path / "anna.uses").open("ab") as file:
        file.write(b"\xff\xfe\x00tw\xe9\n")
    cache.note("one")
    forget_others(tmp_path, {"anna"})
    assert ("one" in cache, "two" in cache) == (True, False)
