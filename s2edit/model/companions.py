"""Small networks that lie beside a checkpoint's own: `FOLDER/config.json` and `FOLDER/model.safetensors`, bounded."""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor, nn

from ..errors import CheckpointError

CONFIG, WEIGHTS = "config.json", "model.safetensors"
_LARGEST = {CONFIG: 4096, WEIGHTS: 32 * 2**20}  # bytes

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Companion:
    """A kind of network beside a checkpoint.

    Args:
        folder: inside the checkpoint's. architecture: as `config.json` names it.
        title: what people call it. without: what happens when its folder is taken out, after "then".
    """

    folder: str
    architecture: str
    title: str
    without: str

    def damaged(self, what: str) -> CheckpointError:
        """The error for files that can't be used."""
        return CheckpointError(
            f"The model's {self.title} can't be loaded: {what}.",
            code="checkpoint_incomplete",
            hint=f"Verify the model, or take the folder “{self.folder}” out of it: {self.without}.",
        )

    def unsupported(self, what: str) -> CheckpointError:
        """The error for a network of another kind."""
        return CheckpointError(
            f"The model's {self.title} is of a kind that S²Edit does not know: {what}.",
            code="checkpoint_unsupported",
            hint=f"Take the folder “{self.folder}” out of the model: {self.without}.",
        )


def read_companion(
    folder: Path, kind: Companion, build: Callable[[dict[str, Any]], Network]
) -> tuple[Network, str] | None:
    """Read a network onto the CPU, float32, in evaluation mode; also its digest, 16 hexadecimal digits over both files.

    Args:
        folder: of the checkpoint. build: makes the untrained network of a configuration whose architecture fits;
            raises CheckpointError for one that can't be made.
    Returns:
        None where the checkpoint has none.
    Raises:
        CheckpointError: a file of it is missing or damaged (`checkpoint_incomplete`), or of a kind or size that is not
            known here (`checkpoint_unsupported`).
    """
    place = folder / kind.folder
    if not place.is_dir():
        return None
    settings, weights = (read_bounded(place / name, kind, _LARGEST[name]) for name in (CONFIG, WEIGHTS))
    network = filled(build(_configuration(settings, kind)), tensors_of(weights, kind), kind)
    digest = hashlib.sha256(hashlib.sha256(settings).digest() + hashlib.sha256(weights).digest()).hexdigest()[:16]
    return network, digest


def tensors_of(weights: bytes, kind: Companion) -> dict[str, Tensor]:
    """What a safetensors file holds; raises CheckpointError (`checkpoint_incomplete`) for a damaged one."""
    try:
        found: dict[str, Tensor] = load(weights)
    except (SafetensorError, KeyError, ValueError) as error:
        raise kind.damaged(f"{WEIGHTS} is no safetensors file ({str(error)[:80]})") from error
    return found


def filled(network: Network, tensors: dict[str, Tensor], kind: Companion) -> Network:
    """The network with these numbers, float32, in evaluation mode.

    Raises:
        CheckpointError: names or shapes are other ones, or something is no finite number (`checkpoint_incomplete`).
    """
    checked = {name: tensor.float() for name, tensor in _checked(tensors, network, kind).items()}
    network.load_state_dict(checked, assign=True)
    return network.requires_grad_(requires_grad=False).eval()


def read_bounded(file: Path, kind: Companion, largest: int) -> bytes:
    """A file's bytes; that there are at most `largest` is asked before they are read. Raises CheckpointError."""
    try:
        found = file.stat()
        if not stat.S_ISREG(found.st_mode):  # reading a pipe would wait for somebody to write
            raise kind.damaged(f"{file.name} is no file")
        if found.st_size > largest:
            raise kind.unsupported(f"{file.name} is larger than {largest:,} bytes")
        return file.read_bytes()
    except OSError as error:
        raise kind.damaged(f"{file.name} can't be read ({error.strerror})") from error


def _configuration(settings: bytes, kind: Companion) -> dict[str, Any]:
    try:
        found = json.loads(settings)
    except (ValueError, RecursionError) as error:
        raise kind.damaged("config.json is not JSON") from error
    if not isinstance(found, dict) or found.get("architecture") != kind.architecture:
        raise kind.unsupported(f"config.json is not that of a “{kind.architecture}” network")
    return found


def _checked(tensors: dict[str, Tensor], network: nn.Module, kind: Companion) -> dict[str, Tensor]:
    wanted = network.state_dict()
    if odd := sorted(tensors.keys() ^ wanted.keys()):
        raise kind.damaged(f"{WEIGHTS} doesn't hold what its network needs: “{odd[0][:80]}”")
    for name, tensor in tensors.items():
        if tensor.shape != wanted[name].shape:
            raise kind.damaged(f"“{name}” is {tuple(tensor.shape)} instead of {tuple(wanted[name].shape)}")
        if not tensor.is_floating_point() or not bool(tensor.float().isfinite().all()):
            raise kind.damaged(f"“{name}” holds something else than finite numbers")
    return tensors
