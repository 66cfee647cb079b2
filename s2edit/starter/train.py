"""The trainer's command line: `python -m s2edit.starter.train pictures|vae|latents|unet|decoder|export`.

`--domain robots` before the stage trains another domain than the portraits. It has a training folder of its own, which
begins (`warm`) where the portraits ended.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from s2edit.starter.dataset import training_folder
from s2edit.starter.domain import NAMES
from s2edit.starter.domain import domain as named_domain
from s2edit.starter.package import weights_folder

if TYPE_CHECKING:
    from s2edit.starter.domain import Domain

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
Folder = Annotated[Path, typer.Option(help="Where pictures, latents and checkpoints lie.")]
Shards = Annotated[int, typer.Option(help="Thousands of pictures to train on.")]
Minutes = Annotated[float, typer.Option(help="Stop after this long; run the command again to go on.")]
Threads = Annotated[int, typer.Option(help="Processor threads. One while anything else is busy: more would be slower.")]
Seed = Annotated[int, typer.Option(help="Seed of the stage.")]
_TRAINING, _WEIGHTS = training_folder(), weights_folder()


@app.callback()
def choose(
    ctx: typer.Context, domain: Annotated[str, typer.Option(help=f"What to draw: {' or '.join(NAMES)}.")] = "portraits"
) -> None:
    """Train the embedded checkpoint, stage by stage."""
    if domain not in NAMES:
        raise typer.BadParameter(f"There is no domain “{domain}”; choose one of: {', '.join(NAMES)}.")
    ctx.obj = domain
    places = {"folder": training_folder(domain), "model": weights_folder(domain), "target": weights_folder(domain)}
    commands = getattr(ctx.command, "commands", {})
    ctx.default_map = {
        name: {each.name: str(places[each.name]) for each in command.params if each.name in places}
        for name, command in commands.items()
    }


def _domain(ctx: typer.Context) -> Domain[Any]:
    return named_domain(ctx.obj)


def _threads(count: int) -> None:
    import torch

    torch.set_num_threads(count)


@app.command()
def pictures(ctx: typer.Context, folder: Folder = _TRAINING, shards: Shards = 20, workers: int = 1) -> None:
    """Render the training pictures that are missing."""
    from s2edit.starter.dataset import build

    build(folder, shards, workers, _domain(ctx).name)


@app.command()
def warm(
    ctx: typer.Context,
    folder: Folder = _TRAINING,
    checkpoint: Annotated[Path, typer.Option(help="The checkpoint folder to begin with.")] = _WEIGHTS,
    seed: Seed = 6,
) -> None:
    """For a domain whose training has not begun: begin it where the embedded portraits ended, with its words added."""
    from s2edit.starter.warm_start import warm_start

    warm_start(checkpoint, folder, _domain(ctx), seed=seed)


@app.command()
def vae(
    folder: Folder = _TRAINING,
    shards: Shards = 4,
    steps: int = 4000,
    minutes: Minutes = math.inf,
    threads: Threads = 1,
    seed: Seed = 1,
) -> None:
    """Stage 1: the autoencoder."""
    from s2edit.starter.train_vae import train_vae

    _threads(threads)
    print(train_vae(folder, shards=shards, steps=steps, seconds=60 * minutes, seed=seed))


@app.command()
def latents(
    folder: Folder = _TRAINING,
    shards: Shards = 20,
    threads: Threads = 1,
    adopt: Annotated[bool, typer.Option(help="Freeze the refined autoencoder and encode everything with it.")] = False,
) -> None:
    """Stage 2: freeze the encoder and encode the pictures that are not encoded yet."""
    from s2edit.starter.latents import adopt_refined, cache

    _threads(threads)
    if adopt:
        adopt_refined(folder)
    cache(folder, shards)


@app.command()
def unet(
    ctx: typer.Context,
    folder: Folder = _TRAINING,
    shards: Shards = 20,
    steps: int = 20_000,
    minutes: Minutes = math.inf,
    threads: Threads = 1,
    seed: Seed = 2,
    snapshot: Annotated[Path | None, typer.Option(help="Write the averaged model here at every checkpoint.")] = None,
) -> None:
    """Stage 3: text encoder and U-Net."""
    from s2edit.starter.export import export
    from s2edit.starter.train_unet import train_unet

    def on_save(step: int) -> None:
        if snapshot is not None and step >= 1000:
            export(folder, snapshot)

    _threads(threads)
    facts = train_unet(
        folder, _domain(ctx), shards=shards, steps=steps, seconds=60 * minutes, seed=seed, on_save=on_save
    )
    print(facts)


@app.command()
def refine(
    folder: Folder = _TRAINING,
    shards: Shards = 4,
    steps: int = 1600,
    minutes: Minutes = math.inf,
    threads: Threads = 1,
    seed: Seed = 5,
) -> None:
    """Go on with the whole autoencoder near the latents in use; `latents --adopt` then re-encodes with it."""
    from s2edit.starter.train_vae import train_on

    _threads(threads)
    print(train_on(folder, shards=shards, steps=steps, seconds=60 * minutes, seed=seed, with_encoder=True))


@app.command()
def decoder(
    folder: Folder = _TRAINING,
    shards: Shards = 4,
    steps: int = 4000,
    minutes: Minutes = math.inf,
    threads: Threads = 1,
    seed: Seed = 3,
) -> None:
    """At any time after `latents`: the autoencoder's decoder alone; the latents stay as they are."""
    from s2edit.starter.train_vae import train_on

    _threads(threads)
    print(train_on(folder, shards=shards, steps=steps, seconds=60 * minutes, seed=seed, with_encoder=False))


@app.command()
def classifier(
    ctx: typer.Context,
    folder: Folder = _TRAINING,
    shards: Shards = 20,
    steps: int = 1500,
    minutes: Minutes = math.inf,
    threads: Threads = 1,
) -> None:
    """The attribute classifier, and its accuracy on 1,000 fresh pictures."""
    from s2edit.starter.train_classifier import accuracy, train_classifier

    _threads(threads)
    print(train_classifier(folder, _domain(ctx), shards=shards, steps=steps, seed=4, seconds=60 * minutes))
    for name, share in accuracy(_domain(ctx)).items():
        print(f"{name:14} {share:.3f}")


@app.command()
def assess(
    ctx: typer.Context,
    model: Annotated[Path, typer.Option(help="A checkpoint folder.")] = _WEIGHTS,
    out: Annotated[Path | None, typer.Option(help="Write grids of what was drawn into this folder.")] = None,
    count: int = 40,
    edited: int = 6,
    guidance: float = 4.5,
    threads: Threads = 1,
) -> None:
    """Judge a checkpoint on fresh pictures: reconstruction, attributes shown, plain edits from inverted latents."""
    from s2edit.starter.assess import report

    _threads(threads)
    print(report(model, out, count=count, edited=edited, guidance=guidance, domain=_domain(ctx)))


@app.command(name="export")
def export_weights(target: Annotated[Path, typer.Option()] = _WEIGHTS, folder: Folder = _TRAINING) -> None:
    """Write the checkpoint folder in fp16."""
    from s2edit.starter.export import export

    export(folder, target)


if __name__ == "__main__":
    app()
