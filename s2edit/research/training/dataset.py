"""The training pictures, rendered once into uint8 shards outside the repository, and captions drawn anew each epoch."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from s2edit.research.starter.domain import domain

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHARD = 1000  # pictures a file


def training_folder(name: str = "portraits") -> Path:
    """Where pictures, latents and checkpoints of a training lie: $S2EDIT_TRAINING or ~/.cache/s2edit-training.

    Another domain than the portraits has a folder of its name in there.
    """
    folder = Path(os.environ.get("S2EDIT_TRAINING") or Path.home() / ".cache" / "s2edit-training")
    return folder if name == "portraits" else folder / name


def shard_path(folder: Path, index: int) -> Path:
    """The file that holds the pictures of seeds index * SHARD up to (index + 1) * SHARD."""
    return folder / "pictures" / f"{index:04d}.npy"


def _render_shard(path: Path, index: int, name: str) -> None:
    draw = domain(name).picture
    pictures = np.stack([draw(seed)[0] for seed in range(index * SHARD, (index + 1) * SHARD)])
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.save(file, pictures)
    part.replace(path)


def build(folder: Path, shards: int, workers: int = 1, name: str = "portraits") -> None:
    """Render the shards that are missing; picture k of the data set is `domain(name).picture(k)`."""
    from tqdm import tqdm

    missing = [index for index in range(shards) if not shard_path(folder, index).exists()]
    shard_path(folder, 0).parent.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(workers) as pool:
        jobs = [pool.submit(_render_shard, shard_path(folder, index), index, name) for index in missing]
        for job in tqdm(jobs, desc="rendering", unit="k"):
            job.result()


def needed(path: Path, stage: str) -> Path:
    """The path, if something is there.

    Raises:
        FileNotFoundError: nothing is; says which stage of the trainer makes it.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there yet: the trainer's stage “{stage}” makes it. Run that first.")
    return path


def open_pictures(folder: Path, shards: int) -> list[NDArray[np.uint8]]:
    """Memory maps of the shards, each (SHARD, size, size, 3) uint8.

    Raises:
        FileNotFoundError: a shard is missing; the stage `pictures` renders it.
    """
    return [np.load(needed(shard_path(folder, index), "pictures"), mmap_mode="r") for index in range(shards)]


def crops(pictures: list[NDArray[np.uint8]], rng: np.random.Generator, count: int, side: int) -> NDArray[np.uint8]:
    """`count` random crops of side x side pixels, mirrored half the time: (count, side, side, 3) uint8."""
    out = np.empty((count, side, side, 3), dtype=np.uint8)
    for row in range(count):
        picture = pictures[rng.integers(len(pictures))][rng.integers(SHARD)]
        top, left = rng.integers(0, len(picture) - side + 1, size=2)
        crop = picture[top : top + side, left : left + side]
        out[row] = crop[:, ::-1] if rng.random() < 0.5 else crop
    return out
