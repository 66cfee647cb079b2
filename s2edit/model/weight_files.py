"""Which files a checkpoint's weights lie in, looked over before a loader opens them: only safetensors in the folder.

diffusers and transformers open what a sharded network's index names, wherever that is, and by `torch.load` where its
name doesn't end in `.safetensors`: such a file can run code, and it would not be in the model's hash.
"""

from __future__ import annotations

import hashlib
import json
import stat
from pathlib import Path, PurePosixPath

from ..errors import CheckpointError
from ..picture.resolution import FRAMING, UPSCALER

MAX_INDEX = 16 * 2**20
"""Bytes of a shard index; that of a model with 100,000 tensors has about 8 MiB."""
_HASHED = {".safetensors", ".json", ".txt"}
_NOT_HASHED = {"recommended.json"}
"""What it recommends counts as settings do, and only where it is followed."""


def hashed_files(folder: Path) -> list[Path]:
    """All weights and configurations of a folder, sorted; those in linked subfolders too, since loaders see them."""
    found = set(folder.rglob("*"))
    for part in folder.iterdir():
        if part.is_dir():
            found.update(part.rglob("*"))
    return sorted(file for file in found if file.suffix in _HASHED and file.is_file() and file.name not in _NOT_HASHED)


def model_hash(path: Path) -> str:
    """SHA-256 over a checkpoint's weights and configurations (`hashed_files`), in the order of their names.

    Upscaler and framing network are left out: what they do shows in the record and in the pictures learned from.
    """
    path = resolved(path)
    whole = hashlib.sha256()
    for file in [path] if path.is_file() else hashed_files(path):
        name = file.name if path.is_file() else file.relative_to(path).as_posix()
        if not name.startswith((f"{UPSCALER}/", f"{FRAMING}/")):
            with file.open("rb") as stream:
                whole.update(f"{name}\0{hashlib.file_digest(stream, 'sha256').hexdigest()}\0".encode())
    return whole.hexdigest()


def resolved(path: Path) -> Path:
    """The folder or file that holds the weights: a Hugging Face cache entry is followed to its snapshot.

    Raises:
        CheckpointError: there is none, or of another kind.
    """
    if (path / "snapshots").is_dir():
        main = path / "refs" / "main"
        names = [main.read_text(encoding="utf-8").strip()] if main.is_file() else []
        names += sorted(entry.name for entry in (path / "snapshots").iterdir())
        path = next((path / "snapshots" / n for n in names if (path / "snapshots" / n).is_dir()), path)
    if path.is_file() and path.suffix == ".safetensors":
        return path
    if (path / "model_index.json").is_file():
        return path
    if path.is_file():
        raise CheckpointError(
            f"“{path.name}” is not a .safetensors file.",
            code="checkpoint_unsupported",
            hint="Use a model in the safetensors format; other formats can run code when they are opened.",
        )
    raise CheckpointError(
        f"There is no model at “{path.name}”.", code="checkpoint_missing", hint="Download it, or choose another model."
    )


def check_folder(folder: Path) -> None:
    """Look over what loaders follow from file to file.

    Raises:
        CheckpointError: an index names something other than a safetensors file beside it, or an adapter is there, whose
            configuration names another model.
    """
    for part in (folder, *(entry for entry in folder.iterdir() if entry.is_dir())):
        if (part / "adapter_config.json").exists():
            raise _unsupported(folder, f"{part.name}/adapter_config.json names another model's files")
        for index in part.glob("*.index*.json"):
            for name in _shards(folder, index):
                if PurePosixPath(name).name != name or "\\" in name or not name.endswith(".safetensors"):
                    raise _unsupported(folder, f"{part.name}/{index.name} names “{name[:80]}”")
                if not (part / name).is_file():
                    raise _incomplete(folder, f"{part.name}/{name} is missing")


def _shards(folder: Path, index: Path) -> set[str]:
    try:
        state = index.stat()
        if not stat.S_ISREG(state.st_mode) or state.st_size > MAX_INDEX:
            raise _incomplete(folder, f"{index.name} is no plain file of at most {MAX_INDEX >> 20} MiB")
        shards = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _incomplete(folder, f"{index.name} can't be read") from error
    if not shards or not all(isinstance(name, str) for name in shards):
        raise _incomplete(folder, f"{index.name} names no files")
    return shards


def _unsupported(folder: Path, why: str) -> CheckpointError:
    return CheckpointError(
        f"The model “{folder.name}” is not opened: {why}, and only .safetensors files inside its folder are.",
        code="checkpoint_unsupported",
        hint="Use a model in the safetensors format; other formats can run code when they are opened.",
    )


def _incomplete(folder: Path, why: str) -> CheckpointError:
    return CheckpointError(
        f"The model “{folder.name}” can't be loaded: {why}.",
        code="checkpoint_incomplete",
        hint="Verify the model, or download it again.",
    )
