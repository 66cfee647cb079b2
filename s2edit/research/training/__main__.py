"""The trainer's command line: `python -m s2edit.research.training all`, or one stage of it.

The stages of portraits: `pictures`, `vae`, `latents`, `unet`, `export`; `decoder`, `refine` and `wider` go on with what
is there. `--domain robots` before the stage trains another domain than the portraits. It has a training folder of its
own, which begins (`warm`) where the portraits ended.
"""

from __future__ import annotations

import errno
import math
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

import typer
from safetensors import SafetensorError
from typer.core import TyperGroup

from s2edit.research.starter.domain import TRAINED
from s2edit.research.starter.domain import domain as named_domain
from s2edit.research.starter.package import weights_folder
from s2edit.research.training.dataset import training_folder
from s2edit.research.training.whole import Amounts

if TYPE_CHECKING:
    from s2edit.research.starter.domain import Domain


class _Sentences(TyperGroup):
    """Says what went wrong in a sentence, where Python would print where in the code it was."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (OSError, ValueError, SafetensorError) as error:
            told = str(error)
            if getattr(error, "errno", None) == errno.ENOSPC:
                told += " Make room, and run the same command again: what was saved before is whole."
            typer.echo(told, err=True)
            raise typer.Exit(1) from error


def _positive(minutes: float) -> float:
    if not minutes > 0:  # nan is not either
        raise typer.BadParameter(f"{minutes:g} is no time; write the minutes as a number above 0.")
    return minutes


app = typer.Typer(cls=_Sentences, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
Folder = Annotated[Path, typer.Option(help="Where pictures, latents and checkpoints lie.")]
Shards = Annotated[int, typer.Option(min=1, help="Thousands of pictures to train on.")]
Steps = Annotated[int, typer.Option(min=1, help="Steps in all, those of earlier runs counted.")]
Minutes = Annotated[
    float, typer.Option(callback=_positive, help="Stop after this long; run the command again to go on.")
]
Threads = Annotated[
    int, typer.Option(min=1, help="Processor threads. One while anything else is busy: more would be slower.")
]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the stage.")]
Workers = Annotated[int, typer.Option(min=1, help="Processes that render.")]
Count = Annotated[int, typer.Option(min=1, help="Fresh pictures to judge by.")]
_EXTRAS = {"python_avatars": "python-avatars", "resvg_py": "resvg-py", "tqdm": "tqdm"}
_TRAINING, _WEIGHTS = training_folder(), weights_folder()


@app.callback()
def choose(
    ctx: typer.Context,
    domain: Annotated[str, typer.Option(help=f"What to draw: {' or '.join(TRAINED)}.")] = "portraits",
) -> None:
    """Train the embedded checkpoint, stage by stage."""
    if missing := [package for module, package in _EXTRAS.items() if find_spec(module) is None]:
        raise OSError(f"The trainer needs {', '.join(missing)}. Run: pip install 's2edit[starter]'")
    if domain not in TRAINED:
        raise typer.BadParameter(f"There is no domain “{domain}”; choose one of: {', '.join(TRAINED)}.")
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


class _Limits(TypedDict):
    """What every training stage takes by name."""

    shards: int
    steps: int
    seconds: float
    seed: int


@dataclass(frozen=True)
class _Asked:
    """What was asked of a training stage."""

    folder: Path
    domain: Domain[Any]
    limits: _Limits


def _stage(*, shards: int, steps: int, seed: int) -> Callable[[Callable[[_Asked], None]], Callable[[_Asked], None]]:
    """Make a function the command of its name, with the options of all training stages and these defaults."""

    def register(train: Callable[[_Asked], None]) -> Callable[[_Asked], None]:
        def command(
            ctx: typer.Context,
            folder: Folder = _TRAINING,
            shards: Shards = shards,
            steps: Steps = steps,
            minutes: Minutes = math.inf,
            threads: Threads = 1,
            seed: Seed = seed,
        ) -> None:
            _threads(threads)
            limits: _Limits = {"shards": shards, "steps": steps, "seconds": 60 * minutes, "seed": seed}
            train(_Asked(folder, _domain(ctx), limits))

        app.command(train.__name__, help=train.__doc__)(command)
        return train

    return register


@app.command(name="all")
def train_all(
    ctx: typer.Context,
    folder: Folder = _TRAINING,
    target: Annotated[Path, typer.Option(help="Where the checkpoint goes; the package's own if left out.")] = _WEIGHTS,
    shards: Shards = Amounts.shards,
    autoencoder_steps: Steps = Amounts.autoencoder,
    unet_steps: Steps = Amounts.unet,
    minutes: Minutes = math.inf,
    threads: Threads = 1,
) -> None:
    """Everything from nothing to the exported checkpoint; a stopped one goes on. Hours on one core."""
    from s2edit.research.training.whole import train_whole

    _threads(threads)
    amounts = Amounts(shards, autoencoder_steps, unet_steps)
    for told in train_whole(folder, _domain(ctx), target, amounts, seconds=60 * minutes):
        print(told)


@app.command()
def pictures(ctx: typer.Context, folder: Folder = _TRAINING, shards: Shards = 20, workers: Workers = 1) -> None:
    """Render the training pictures that are missing."""
    from s2edit.research.training.dataset import build

    build(folder, shards, workers, _domain(ctx).name)


@app.command()
def warm(
    ctx: typer.Context,
    folder: Folder = _TRAINING,
    checkpoint: Annotated[Path, typer.Option(help="The checkpoint folder to begin with.")] = _WEIGHTS,
    seed: Seed = 6,
) -> None:
    """For a domain whose training has not begun: begin it where the embedded portraits ended, with its words added.

    A domain with pictures twice as large gets one level more around the U-Net.
    """
    from s2edit.research.training.warm_start import warm_start

    warm_start(checkpoint, folder, _domain(ctx), seed=seed)


@app.command()
def wider(
    folder: Folder = _TRAINING,
    checkpoint: Annotated[Path, typer.Option(help="The checkpoint folder to begin with.")] = _WEIGHTS,
    seed: Seed = 7,
) -> None:
    """After `VAE_CONFIG` was widened: take a checkpoint's autoencoder over, for `refine` to go on from."""
    from s2edit.research.training.widen import begin_wider

    begin_wider(checkpoint, folder, seed=seed)


@_stage(shards=4, steps=4000, seed=1)
def vae(asked: _Asked) -> None:
    """Stage 1: the autoencoder."""
    from s2edit.research.training.train_vae import train_vae

    print(train_vae(asked.folder, **asked.limits))


@app.command()
def latents(
    folder: Folder = _TRAINING,
    shards: Shards = 20,
    threads: Threads = 1,
    adopt: Annotated[bool, typer.Option(help="Freeze the refined autoencoder and encode everything with it.")] = False,
) -> None:
    """Stage 2: freeze the encoder and encode the pictures that are not encoded yet."""
    from s2edit.research.training.latents import adopt_refined, cache

    _threads(threads)
    if adopt:
        adopt_refined(folder, shards)
    cache(folder, shards)


@_stage(shards=20, steps=20_000, seed=2)
def unet(asked: _Asked) -> None:
    """Stage 3: text encoder and U-Net. While it runs, `export` writes what its last checkpoint holds."""
    from s2edit.research.training.train_unet import train_unet

    print(train_unet(asked.folder, asked.domain, **asked.limits))


@_stage(shards=4, steps=1600, seed=5)
def refine(asked: _Asked) -> None:
    """Go on with the whole autoencoder; `latents --adopt` then re-encodes with it."""
    from s2edit.research.training.train_vae import train_on

    print(train_on(asked.folder, **asked.limits, with_encoder=True))


@_stage(shards=4, steps=4000, seed=3)
def decoder(asked: _Asked) -> None:
    """At any time after `latents`: the autoencoder's decoder alone; the latents stay as they are."""
    from s2edit.research.training.train_vae import train_on

    print(train_on(asked.folder, **asked.limits, with_encoder=False))


@app.command()
def pairs(
    ctx: typer.Context,
    folder: Folder = _TRAINING,
    model: Annotated[Path, typer.Option(help="The checkpoint folder that draws.")] = _WEIGHTS,
    shards: Annotated[int, typer.Option(min=1, help="Files of 125 edits.")] = 8,
    threads: Threads = 1,
) -> None:
    """For the stage `upscaler`: edits as a checkpoint makes them, and the renderer's pictures four times as large."""
    from s2edit.research.training.pairs import build_pairs

    _threads(threads)
    build_pairs(folder, _domain(ctx), model, shards)


@_stage(shards=8, steps=6000, seed=0)
def upscaler(asked: _Asked) -> None:
    """At any time after `pairs`: the upscaler, on files of 125 edits."""
    from s2edit.research.training.train_upscaler import train_upscaler

    print(train_upscaler(asked.folder, **asked.limits))


@_stage(shards=6, steps=1800, seed=12)
def framing(asked: _Asked) -> None:
    """The framing network, which finds portraits in larger pictures; draws the scenes that are missing."""
    from s2edit.research.training.train_framing import build_scenes, train_framing

    build_scenes(asked.folder, asked.limits["shards"])
    print(train_framing(asked.folder, **asked.limits))


@app.command(name="export-framing")
def export_framing_weights(
    folder: Folder = _TRAINING,
    target: Annotated[Path, typer.Option(help="The checkpoint folder that it goes into.")] = _WEIGHTS,
    count: Count = 200,
) -> None:
    """Write the framing network, in fp16, into a checkpoint folder, and judge it on fresh scenes."""
    from s2edit.research.training.train_framing import export_framing, framing_report

    export_framing(folder, target)
    print(framing_report(target, count=count))


@_stage(shards=20, steps=1500, seed=4)
def classifier(asked: _Asked) -> None:
    """The attribute classifier, and its accuracy on fresh pictures."""
    from s2edit.research.training.train_classifier import train_classifier

    print(train_classifier(asked.folder, asked.domain, **asked.limits))
    _tell_accuracy(asked.domain)


@app.command()
def accuracy(ctx: typer.Context, count: Count = 1000, threads: Threads = 1) -> None:
    """How often the shipped attribute classifier is right, on pictures that no training has seen."""
    _threads(threads)
    _tell_accuracy(_domain(ctx), count)


def _tell_accuracy(domain: Domain[Any], count: int = 1000) -> None:
    from s2edit.research.training.train_classifier import accuracy

    for name, share in accuracy(domain, count).items():
        print(f"{name:14} {share:.3f}")


@app.command()
def assess(
    ctx: typer.Context,
    model: Annotated[Path, typer.Option(help="A checkpoint folder.")] = _WEIGHTS,
    out: Annotated[Path | None, typer.Option(help="Write grids of what was drawn into this folder.")] = None,
    count: Count = 40,
    edited: Annotated[int, typer.Option(min=0, help="Pictures for each plain edit; 0 for no edits.")] = 6,
    guidance: Annotated[float, typer.Option(help="Guidance scale w.")] = 4.5,
    threads: Threads = 1,
) -> None:
    """Judge a checkpoint on fresh pictures: reconstruction, attributes shown, plain edits from inverted latents."""
    from s2edit.research.training.assess import report

    _threads(threads)
    print(report(model, out, count=count, edited=edited, guidance=guidance, domain=_domain(ctx)))


@app.command(name="assess-upscaler")
def assess_upscaler(
    ctx: typer.Context,
    model: Annotated[Path, typer.Option(help="A checkpoint folder.")] = _WEIGHTS,
    out: Annotated[Path | None, typer.Option(help="Write the pictures into this folder.")] = None,
    count: Count = 20,
    threads: Threads = 1,
) -> None:
    """Judge a checkpoint's upscaler on fresh edits, beside plain ways, by the renderer's large pictures."""
    from s2edit.research.training.assess_upscaler import upscaler_report

    _threads(threads)
    print(upscaler_report(model, out, count=count, domain=_domain(ctx)))


@app.command(name="export-upscaler")
def export_upscaler_weights(
    target: Annotated[Path, typer.Option(help="The checkpoint folder that it belongs to.")] = _WEIGHTS,
    folder: Folder = _TRAINING,
) -> None:
    """Write the upscaler, in fp16, into the checkpoint folder that made its edits; while it trains, as it is so far."""
    from s2edit.research.training.train_upscaler import export_upscaler

    export_upscaler(folder, target)


@app.command(name="export")
def export_weights(
    ctx: typer.Context, target: Annotated[Path, typer.Option()] = _WEIGHTS, folder: Folder = _TRAINING
) -> None:
    """Write the checkpoint folder in fp16."""
    from s2edit.research.training.export import export

    export(folder, target, _domain(ctx).size)


if __name__ == "__main__":
    app()
