"""Blobs: durable before they are named, shared by content, never swept in use, honest when the disk is full."""

import errno
from pathlib import Path

import pytest
from s2edit_server import blobs as blobs_module
from s2edit_server.blobs import Blobs, digest_of
from s2edit_wire.errors import WireError


def put(blobs: Blobs, data: bytes) -> str:
    digest = digest_of(data)
    blobs.put(data, digest)
    return digest


def test_the_same_content_is_kept_once_and_counted_once(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    assert put(blobs, b"x" * 100) == put(blobs, b"x" * 100)
    assert blobs.total_bytes() == 100
    assert Blobs(tmp_path / "blobs").total_bytes() == 100


def test_file_and_folder_are_flushed_before_put_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[str] = []
    monkeypatch.setattr(
        blobs_module,
        "flush_file",
        lambda descriptor: flushed.append(str(Path(f"/proc/self/fd/{descriptor}").readlink())),
    )
    blobs = Blobs(tmp_path / "blobs")
    digest = put(blobs, b"pixels")
    assert "/incoming/" in flushed[0], "the content first, under its temporary name"
    assert flushed[-1] == str(blobs.path(digest).parent), "then the folder with the new name"


def test_pinned_and_named_blobs_survive_the_sweep_and_others_do_not(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    pinned, named, loose = put(blobs, b"pinned"), put(blobs, b"named"), put(blobs, b"loose")
    blobs.unpin(named)
    blobs.unpin(loose)
    assert blobs.sweep(lambda: {named}) == len(b"loose")
    assert [blobs.path(digest).exists() for digest in (pinned, named, loose)] == [True, True, False]
    assert blobs.total_bytes() == len(b"pinnednamed")


def test_a_blob_named_while_the_sweep_looks_survives(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    digest = put(blobs, b"data")
    blobs.unpin(digest)

    def referenced() -> set[str]:
        # Between the sweep's question and its deletions, a second upload of the same content comes and goes.
        answer: set[str] = set()
        blobs.unpin(put(blobs, b"data"))
        return answer

    assert blobs.sweep(referenced) == 0
    assert blobs.path(digest).exists()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    blobs = Blobs(tmp_path / "blobs")

    def fail(_: int) -> None:
        raise OSError(number, "no room")

    with monkeypatch.context() as patch:
        patch.setattr(blobs_module, "flush_file", fail)
        with pytest.raises(WireError) as caught:
            put(blobs, b"data")
    assert caught.value.code == "disk_full"
    assert not [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]
    assert blobs.path(put(blobs, b"data")).read_bytes() == b"data", "with room again, it works again"


def test_other_faults_of_the_disk_are_not_called_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(blobs_module, "flush_file", fail)
    with pytest.raises(OSError, match="broken"):
        put(Blobs(tmp_path / "blobs"), b"data")


def test_adopting_moves_the_file_and_start_up_clears_what_was_never_named(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    path = tmp_path / "result"
    path.write_bytes(b"result")
    digest = blobs.adopt(path)
    assert not path.exists() and blobs.path(digest).read_bytes() == b"result"
    (tmp_path / "blobs" / "incoming" / "torn").write_bytes(b"half")
    Blobs(tmp_path / "blobs")
    assert not (tmp_path / "blobs" / "incoming" / "torn").exists()
