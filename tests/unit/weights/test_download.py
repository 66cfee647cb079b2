"""Never a bad file under its final name, whatever the network, the disk or the process does."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest
from s2edit_server.weights.catalogue import File
from s2edit_server.weights.download import Fetch, Paused
from s2edit_server.weights.hub import Hub
from s2edit_wire.errors import WireError

from tests.fakes.hub import FakeHub
from tests.fakes.hub_model import FILES, REVISION, WEIGHTS, tensor_file

CONTENT = FILES[WEIGHTS]


def fetch(hub: FakeHub, target: Path, **changes: object) -> Fetch:
    options: dict[str, object] = {"backoff": 0.001, "reserve": 0, "file": File(WEIGHTS)}
    return Fetch(Hub(hub.base), hub.repo, hub.revision, target=target, **(options | changes))  # type: ignore[arg-type]


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "weights.safetensors"


def leftovers(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir() if path != target)


def test_a_whole_download_leaves_the_file_and_nothing_else(hub: FakeHub, target: Path) -> None:
    facts = fetch(hub, target).run()
    assert target.read_bytes() == CONTENT
    assert facts.size == len(CONTENT) and len(facts.sha256) == 64
    assert leftovers(target) == []


def test_a_small_file_is_proved_by_its_git_digest(hub: FakeHub, tmp_path: Path) -> None:
    facts = fetch(hub, tmp_path / "config.json", file=File("unet/config.json")).run()
    assert facts.sha256 == "" and len(facts.git_sha1) == 40
    assert (tmp_path / "config.json").read_bytes() == FILES["unet/config.json"]


def test_a_small_file_behind_a_redirect_on_the_same_host(hub: FakeHub, tmp_path: Path) -> None:
    hub.faults.moved = True
    fetch(hub, tmp_path / "config.json", file=File("unet/config.json")).run()
    assert (tmp_path / "config.json").read_bytes() == FILES["unet/config.json"]
    assert any(path.startswith("/cache/") for _, path, *_ in hub.requests)


def test_cut_at_200_random_offsets(hub: FakeHub, target: Path) -> None:
    """Every break in the course of one download is taken up where it happened; no byte is fetched twice."""
    cuts = sorted(random.Random(1).sample(range(1, len(CONTENT)), 200))
    hub.faults.cut = list(cuts)
    fetch(hub, target).run()
    assert target.read_bytes() == CONTENT
    ranges = [asked for method, path, asked, _ in hub.requests if method == "GET" and path.startswith("/store/")]
    assert ranges == ["", *(f"bytes={cut}-" for cut in cuts)]


@pytest.mark.parametrize("cut", random.Random(2).sample(range(1, len(CONTENT)), 20))
def test_a_new_process_goes_on_at_the_cut(hub: FakeHub, target: Path, cut: int) -> None:
    hub.faults.cut = [cut]
    with pytest.raises(Paused):
        fetch(hub, target, stop=lambda: not hub.faults.cut).run()
    assert not target.exists()
    before = len(hub.requests)
    fetch(hub, target).run()
    assert target.read_bytes() == CONTENT
    assert all(asked != "" for method, path, asked, _ in hub.requests[before:] if path.startswith("/store/"))


def test_a_changed_etag_starts_over(hub: FakeHub, target: Path) -> None:
    """The store's copy changed under a resumed download: If-Range makes it send all of it."""
    hub.faults.cut = [1_000_000]

    def stop() -> bool:
        return not hub.faults.cut

    with pytest.raises(Paused):
        fetch(hub, target, stop=stop).run()
    hub.store_etag = '"two"'
    fetch(hub, target).run()
    assert target.read_bytes() == CONTENT


def test_another_file_at_the_hub_drops_the_part(hub: FakeHub, target: Path) -> None:
    hub.faults.cut = [1_000_000]
    with pytest.raises(Paused):
        fetch(hub, target, stop=lambda: not hub.faults.cut).run()
    hub.files[WEIGHTS] = tensor_file(3_000_000, seed=9)
    fetch(hub, target).run()
    assert target.read_bytes() == hub.files[WEIGHTS]


def test_a_flipped_byte_is_found_and_fetched_again(hub: FakeHub, target: Path) -> None:
    hub.faults.flip, hub.faults.flips_left = 2_345_678, 1
    fetch(hub, target).run()
    assert target.read_bytes() == CONTENT


def test_a_byte_that_is_always_wrong_is_refused(hub: FakeHub, target: Path) -> None:
    hub.faults.flip, hub.faults.flips_left = 2_345_678, 100
    with pytest.raises(WireError, match="damaged twice") as failure:
        fetch(hub, target).run()
    assert failure.value.code == "download_failed"
    assert list(target.parent.iterdir()) == []


def test_right_digest_but_no_safetensors_is_refused(hub: FakeHub, target: Path) -> None:
    hub.files[WEIGHTS] = b"\x80\x04 this is a pickle" * 100
    with pytest.raises(WireError, match="no safetensors"):
        fetch(hub, target).run()
    assert not target.exists()


def test_the_catalogues_digest_wins_over_the_hubs(hub: FakeHub, target: Path) -> None:
    with pytest.raises(WireError, match="another"):
        fetch(hub, target, file=File(WEIGHTS, sha256="0" * 64)).run()
    assert list(target.parent.iterdir()) == []


def test_without_any_digest_nothing_is_fetched(hub: FakeHub, target: Path) -> None:
    hub.faults.linked_etag = "not-a-digest"
    with pytest.raises(WireError, match="no digest"):
        fetch(hub, target).run()


def test_another_revision_is_refused(hub: FakeHub, target: Path) -> None:
    hub.faults.commit = "f" * 40
    with pytest.raises(WireError, match="pinned"):
        fetch(hub, target).run()


def test_a_server_without_ranges_still_works(hub: FakeHub, target: Path) -> None:
    hub.faults.cut = [500_000, 1_500_000]
    hub.faults.ignore_range = True
    fetch(hub, target).run()
    assert target.read_bytes() == CONTENT


def test_a_hub_that_is_down_fails_in_plain_words(hub: FakeHub, target: Path) -> None:
    hub.faults.status = 503
    with pytest.raises(WireError, match="can't be reached") as failure:
        fetch(hub, target).run()
    assert "try again" in failure.value.hint


@pytest.mark.parametrize(("token", "words"), [("", "signed in"), ("wrong", "refuses these weights")])
def test_a_gated_model_says_what_to_do(hub: FakeHub, target: Path, token: str, words: str) -> None:
    hub.faults.token = "right"
    refused = fetch(hub, target)
    refused.hub = Hub(hub.base, token=token)
    with pytest.raises(WireError, match=words) as failure:
        refused.run()
    assert "Accept the conditions on" in failure.value.hint
    assert list(target.parent.iterdir()) == []


def test_the_token_goes_to_the_hub_that_asked_for_it_and_never_to_the_store(hub: FakeHub, target: Path) -> None:
    hub.faults.token = "right"
    allowed = fetch(hub, target)
    allowed.hub = Hub(hub.base, token="right")
    allowed.run()
    assert not hub.requests[0][3], "before it has asked"
    for _, path, _, authorization in hub.requests[1:]:
        assert bool(authorization) == (not path.startswith("/store/"))


def test_too_little_room_is_said_before_anything_is_fetched(hub: FakeHub, target: Path) -> None:
    with pytest.raises(WireError) as failure:
        fetch(hub, target, reserve=1 << 60).run()
    assert failure.value.code == "disk_full"
    assert not any(method == "GET" for method, *_ in hub.requests)


def test_a_disk_that_fills_up_on_the_way(hub: FakeHub, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real: Any = Path.open

    def limited(path: Path, mode: str = "r", *args: object, **kwargs: object) -> object:
        file = real(path, mode, *args, **kwargs)
        if path.suffix != ".partial" or "b" not in mode or mode == "rb":
            return file

        class Full:
            def __enter__(self) -> Full:
                return self

            def __exit__(self, *_: object) -> None:
                file.close()

            def __getattr__(self, name: str) -> object:
                return getattr(file, name)

            def write(self, data: bytes) -> int:
                if file.tell() + len(data) > 1_200_000:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                return int(file.write(data))

        return Full()

    monkeypatch.setattr(Path, "open", limited)
    with pytest.raises(WireError) as failure:
        fetch(hub, target).run()
    assert failure.value.code == "disk_full"
    assert not target.exists()
    monkeypatch.undo()
    fetch(hub, target).run()
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("delay", [0.05, 0.2, 0.4])
def test_a_killed_process_leaves_a_part_that_can_be_taken_up(hub: FakeHub, target: Path, delay: float) -> None:
    script = textwrap.dedent(f"""
        from pathlib import Path
        from s2edit_server.weights.catalogue import File
        from s2edit_server.weights.download import Fetch
        from s2edit_server.weights.hub import Hub
        print("go", flush=True)
        Fetch(Hub({hub.base!r}), {hub.repo!r}, {REVISION!r}, File({WEIGHTS!r}), Path({str(target)!r}), reserve=0).run()
    """)
    hub.faults.slow = 0.01
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout:
        process.stdout.readline()
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not target.exists() or target.read_bytes() == CONTENT
    hub.faults.slow = 0
    fetch(hub, target).run()
    assert target.read_bytes() == CONTENT
